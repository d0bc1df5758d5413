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

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import Assignment, Grade, RowResult, Submission
from harness.core.grading.submitting import read_submission
from harness.core.grading.telling.causes import Causes, explained
from harness.core.grading.telling.plain import plain
from harness.core.grading.world import world_of
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.assignments import load_assignment, shipped
from harness.edge.grading.submissions import HandedIn, of_paths
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.plugin.state import state_of
from harness.report.grading.text import feedback_text


def submission_of(config: pytest.Config) -> str:
    """The folder of the submission that this run is about; empty if it is about the labs."""
    return state_of(config).options["submission"]


class Row(pytest.Item):
    """One row of the assignment, as a test."""

    def __init__(self, *, result: RowResult, found: Grade, **more: Any) -> None:
        super().__init__(**more)  # pytest's own: name and parent
        self._result, self._found = result, found

    def runtest(self) -> None:
        """Fail if a flow of the row is wrong, and give no verdict if one could not be said."""
        if self._result.wrong:
            raise WrongRowError
        if self._result.held:
            state_of(self.config).unsaid = True
            pytest.skip("not checked: a flow of this row has no verdict")

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002 - the hook's signature
    ) -> str:
        """The flows, their causes and the hint, instead of a traceback."""
        if not isinstance(excinfo.value, WrongRowError):
            return str(super().repr_failure(excinfo))
        own = replace(self._found, rows=(self._result,))
        return "\n".join(feedback_text(own))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """What pytest calls the test in its report."""
        return self.path, None, self.name


class WrongRowError(AssertionError):
    """A flow of the row is not as it must be."""


class Rows(pytest.Directory):
    """The folder that was asked for, as the rows of the assignment."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each row that asks for something."""
        if _GRADED not in self.config.stash:  # a worker of pytest-xdist
            prepare(self.config)
        graded = self.config.stash[_GRADED]
        for result in graded.found.rows:
            if result.row.points:
                name = f"{graded.assignment}::{result.row.id}"
                yield Row.from_parent(self, name=name, result=result, found=graded.found)


def rows_in(path: Path, parent: pytest.Collector) -> Rows | None:
    """The rows, in the first of the folders that the command line names; None elsewhere."""
    config = parent.config
    first = Path(config.invocation_params.dir, config.args[0].partition("::")[0])
    return Rows.from_parent(parent, path=path) if path == first.resolve() else None


@dataclass(frozen=True, slots=True)
class _Graded:
    assignment: str
    found: Grade


_GRADED = pytest.StashKey[_Graded]()


def prepare(config: pytest.Config) -> None:
    """Read and grade the submission.

    Raises:
        pytest.UsageError: the submission or the assignment cannot be read.
    """
    options = state_of(config).options
    if not options.offline:
        raise pytest.UsageError(
            "--lab-submission grades by prediction only, for now: add --lab-offline"
        )
    try:
        folder = Path(config.invocation_params.dir, options["submission"])
        handed = of_paths("the submission", [folder])
        assignment = _assignment(options["assignment"], handed)
        submission = _read(assignment, handed)
    except ContentError as error:
        raise pytest.UsageError(str(error)) from error
    profile = PROFILES[options["cni"] if options["cni"] in assignment.cnis else assignment.cnis[0]]
    world = world_of(assignment)
    found = grade(world, submission, Predicted(profile))
    causes = Causes(world, submission, profile)
    config.stash[_GRADED] = _Graded(assignment.name, explained(found, causes))


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
