"""`pytest labs/ --lab-submission=DIR`: the rows of an assignment as tests of one submission.

The rows take the place of the labs, which are not even read. Nothing in DIR is ever a test, a
plugin or a conftest.py of this run: it is read as data, as `policylab check` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.grading.judge import Judge
from harness.core.grading.marks import grade
from harness.core.grading.model import Assignment, Got, Grade, Submission
from harness.core.grading.submitting import read_submission
from harness.core.grading.telling.causes import Causes, explained
from harness.core.grading.telling.plain import plain
from harness.core.grading.world import World, world_of
from harness.core.lab.profile import CniProfile
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.assignments import load_assignment, shipped
from harness.edge.grading.submissions import HandedIn, of_paths
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.plugin.state import state_of
from harness.plugin.workers import is_controller
from harness.report.grading.text import feedback_text


def submission_of(config: pytest.Config) -> str:
    """The folder of the submission that this run is about; empty if it is about the labs."""
    return state_of(config).options["submission"]


class Row(pytest.Function):
    """One row of the assignment, as a test."""

    def __init__(self, *, row: str, **more: Any) -> None:
        super().__init__(callobj=_a_row, **more)
        self.row = row
        self.found: Grade | None = None

    def judge(self, found: Grade) -> None:
        """Fail if a flow of the row is wrong, and give no verdict if one could not be said."""
        (result,) = (one for one in found.rows if one.row.id == self.row)
        self.found = replace(found, rows=(result,))
        if result.wrong:
            raise WrongRowError
        if result.held:
            state_of(self.config).unsaid = True
            pytest.skip(f"not checked: {_why(found, self.row)}")

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002 - the hook's signature
    ) -> str:
        """The flows, their causes and the hint, instead of a traceback."""
        if not isinstance(excinfo.value, WrongRowError) or self.found is None:
            return str(super().repr_failure(excinfo))
        return "\n".join(feedback_text(self.found))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """What pytest calls the test in its report."""
        return self.path, None, self.name


def _a_row(request: pytest.FixtureRequest, lab_graded: Grade) -> None:
    request.node.judge(lab_graded)


def _why(found: Grade, row: str) -> str:
    told = (flow.why for flow in found.flows if flow.row == row and flow.got is Got.NO_VERDICT)
    return next(filter(None, told), "a flow of this row has no verdict")


class WrongRowError(AssertionError):
    """A flow of the row is not as it must be."""


class Rows(pytest.Directory):
    """The folder that was asked for, as the rows of the assignment."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each row that asks for something."""
        assignment = prepared(self.config).world.assignment
        for row in assignment.all_rows:
            if row.points:
                yield Row.from_parent(self, name=f"{assignment.name}::{row.id}", row=row.id)


def rows_in(path: Path, parent: pytest.Collector) -> Rows | None:
    """The rows, in the first of the folders that the command line names; None elsewhere."""
    config = parent.config
    first = Path(config.invocation_params.dir, config.args[0].partition("::")[0])
    return Rows.from_parent(parent, path=path) if path == first.resolve() else None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission that can be graded, in the world of its assignment, on one CNI."""

    world: World
    submission: Submission
    profile: CniProfile

    def graded(self, judge: Judge) -> Grade:
        """The grade by what this judge hears, with the causes of its flows."""
        found = grade(self.world, self.submission, judge)
        return explained(found, Causes(self.world, self.submission, self.profile))


_PREPARED = pytest.StashKey[Prepared]()


def prepared(config: pytest.Config) -> Prepared:
    """The submission of this run."""
    if _PREPARED not in config.stash:  # a worker of pytest-xdist
        prepare(config)
    return config.stash[_PREPARED]


def prepare(config: pytest.Config) -> None:
    """Read the submission.

    Raises:
        pytest.UsageError: the submission or the assignment cannot be read, or the options do not
            fit them.
    """
    options = state_of(config).options
    try:
        folder = Path(config.invocation_params.dir, options["submission"])
        handed = of_paths("the submission", [folder])
        assignment = _assignment(options["assignment"], handed)
        submission = _read(assignment, handed)
    except ContentError as error:
        raise pytest.UsageError(str(error)) from error
    cni = options["cni"]
    if cni not in assignment.cnis:
        if not options.offline:
            raise pytest.UsageError(
                f"the assignment {assignment.name} cannot be graded on {cni}: add "
                f"--lab-cni={assignment.cnis[0]}, or --lab-offline to ask no cluster"
            )
        cni = assignment.cnis[0]
    config.stash[_PREPARED] = Prepared(world_of(assignment), submission, PROFILES[cni])


def refuse_workers(config: pytest.Config) -> None:
    """Refuse to share one round of probes among processes.

    Raises:
        pytest.UsageError: this run is about a submission on a cluster, and has workers.
    """
    if submission_of(config) and is_controller(config) and not state_of(config).options.offline:
        raise pytest.UsageError(
            "all rows of a submission are one round of probes on a cluster, which workers cannot "
            "share: leave -n out, or add --lab-offline"
        )


def _read(assignment: Assignment, handed: HandedIn) -> Submission:
    submission = read_submission(assignment, handed.id, handed.files, handed.notes, handed.problem)
    if submission.problem:
        lines = "\n  ".join(plain(line) for line in submission.problem.splitlines())
        raise ContentError(f"the submission cannot be graded:\n  {lines}")
    return submission


def _assignment(name: str, handed: HandedIn) -> Assignment:
    """The assignment that is named, or the only one to which the submission can belong.

    Raises:
        ContentError: there is no such assignment, or none is named and several or none would do.
    """
    if name:
        return load_assignment(name, CNIS)
    fits = [
        found
        for each in shipped()
        if not read_submission(found := load_assignment(each, CNIS), "", handed.files).problem
    ]
    if len(fits) == 1:
        return fits[0]
    raise ContentError(
        "nothing says to which assignment the submission belongs",
        seen=f"it may be handed in for: {', '.join(one.name for one in fits) or 'none'}",
        try_=f"--lab-assignment=NAME, one of: {', '.join(shipped())}, or a folder",
    )


def graded_exit_code(config: pytest.Config, status: int | pytest.ExitCode) -> int | ExitCode:
    """The exit code of a run of this kind: what was not checked is no pass."""
    if status == pytest.ExitCode.OK and state_of(config).unsaid:
        return ExitCode.NO_VERDICT
    return status
