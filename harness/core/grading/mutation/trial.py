"""A grader on trial: what it says of each variant, against what the variant is.

A grader is anything that says right or wrong of a set of files: ours, or somebody else's program.
A wrong variant that changes no flow is not counted. Whether it changes one is asked twice: of our
own grader, which knows the assignment's rows, and of the oracle over a closed world (`equal`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum

from harness.core.compare.ports import PortClass
from harness.core.compare.world import EndClass
from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade, marked, ungradable
from harness.core.grading.model import (
    Assignment,
    Got,
    Grade,
    Heard,
    Status,
    Submission,
    Want,
)
from harness.core.grading.mutation.edits import Reference
from harness.core.grading.mutation.equal import first_difference
from harness.core.grading.mutation.variants import Variant, right_variants, wrong_variants
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import File, policies_of
from harness.core.model import NetworkPolicy
from harness.core.predict.enforced import policies_as_enforced
from harness.core.predict.scenario import Scenario
from harness.errors import ContentError


class Answer(StrEnum):
    """What a grader says of files. NONE: it said nothing that can be understood, or not in time."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "no answer"


@dataclass(frozen=True, slots=True)
class Said:
    """A grader's answer, and its reason in a few words."""

    answer: Answer
    why: str = ""


class Found(StrEnum):
    """What an answer is worth.

    CAUGHT and MISSED are of wrong variants, ACCEPTED and REJECTED of right ones. EQUAL: a wrong
    variant changes no flow, and does not count. UNSURE: there was no answer.
    """

    CAUGHT = "caught"
    MISSED = "not caught"
    EQUAL = "changes no flow"
    ACCEPTED = "accepted"
    REJECTED = "falsely rejected"
    UNSURE = "no answer"


@dataclass(frozen=True, slots=True)
class Tried:
    """One variant, what the answer was worth, and why, in words."""

    variant: Variant
    found: Found
    why: str = ""


Grader = Callable[[Variant], Said]


class Trial:
    """The variants of an assignment's right solution, and what they are."""

    def __init__(self, world: World, profile: CniProfile) -> None:
        self.world = world
        self._profile = profile
        self._judge = Predicted(profile)
        self._topology = Scenario(world.assignment.workloads).topology
        right = read_submission(world.assignment, "reference", world.assignment.reference)
        self._right = self._policies(right)
        documents = tuple(deepcopy(dict(resource.body)) for resource in right.resources)
        reference = Reference(documents, self._topology)
        self.wrong = wrong_variants(reference)
        self.right = right_variants(reference)
        self._rows = world.rows()
        self._free = {row.id for row in world.assignment.rows if row.want is Want.EITHER}

    def ours(self, variant: Variant) -> Said:
        """What our own grader says, by prediction: the first wrong flow is enough."""
        submission = self._submission(variant)
        assignment = self.world.assignment
        if submission.problem:
            return said_of(ungradable(assignment, submission))
        heard: list[Heard] = []
        try:
            for flow in self._judge.hear(self.world, submission):
                if not flow.right and flow.got is not Got.NO_VERDICT:
                    return _lost(flow)
                heard.append(flow)
        except ContentError:  # it tells apart more flows than anybody compares
            return said_of(grade(self.world, submission, self._judge))
        least = assignment.least_privilege.points
        wide = self._judge.too_wide(self.world, submission) if least else []
        return said_of(marked(assignment, submission, heard, wide))

    def judged(self, variant: Variant, said: Said) -> Tried:
        """What a grader's answer is worth."""
        if said.answer is Answer.NONE:
            return Tried(variant, Found.UNSURE, said.why)
        right = said.answer is Answer.RIGHT
        if variant.right:
            return Tried(variant, Found.ACCEPTED if right else Found.REJECTED, said.why)
        if not right:
            return Tried(variant, Found.CAUGHT, said.why)
        difference = self.difference(variant)
        return Tried(variant, Found.MISSED if difference else Found.EQUAL, difference)

    def counted(self, variant: Variant) -> bool:
        """Whether a variant counts: a right one does, a wrong one if our grader or a flow tells."""
        if variant.right or self.ours(variant).answer is Answer.WRONG:
            return True
        return bool(self.difference(variant))

    def difference(self, variant: Variant) -> str:
        """In words, a flow that fares otherwise than with the right solution; empty: none does."""
        if variant.refused:
            return "nothing of it can be applied, so that every flow stays as it was"
        submission = self._submission(variant)
        if submission.problem:
            return submission.problem
        found = first_difference(
            self._topology,
            self._right,
            self._policies(submission),
            lists=self._rows,
            ignored=self._either,
        )
        if found is None:
            return ""
        flow, was, will = found
        return f"{flow}: the policies say {will}, and those of the right solution {was}"

    def _either(self, source: EndClass, target: EndClass, port: PortClass) -> bool:
        rows = self._rows.of(source, target, port)
        return bool(rows) and rows[0] in self._free

    def _submission(self, variant: Variant) -> Submission:
        files = [File(name, data) for name, data in variant.files]
        return read_submission(self.world.assignment, variant.name, files)

    def _policies(self, submission: Submission) -> tuple[NetworkPolicy, ...]:
        return tuple(policies_as_enforced(policies_of(submission.resources), self._profile))


def _lost(flow: Heard) -> Said:
    """The answer about a flow that is certainly not as its row wants it."""
    words = f"{flow.source} -> {flow.target} {flow.protocol} {flow.port} is {flow.got}"
    return Said(Answer.WRONG, f"points are lost in {flow.row.id}: {words}")


def said_of(found: Grade) -> Said:
    """A grade as an answer: only all points are right; what was not checked is no answer."""
    if found.status is Status.UNGRADABLE:
        return Said(Answer.WRONG, f"ungradable: {found.problem}")
    wrong = [row for row in found.rows if row.wrong]
    if wrong:
        names = ", ".join(row.row.id for row in wrong)
        return Said(Answer.WRONG, f"points are lost in: {names}")
    if found.status is Status.NOT_CHECKED:
        return Said(Answer.NONE, found.problem)
    if found.score < found.max_score:
        return Said(Answer.WRONG, "points are lost for rules that are too wide at one side")
    return Said(Answer.RIGHT)


def spread(variants: Sequence[Variant], most: int) -> tuple[Variant, ...]:
    """At most so many variants: one of each rule first, then a second one, and so on."""
    rounds: dict[str, int] = defaultdict(int)
    placed: list[tuple[int, int]] = []
    for number, variant in enumerate(variants):
        placed.append((rounds[variant.rule], number))
        rounds[variant.rule] += 1
    chosen = sorted(number for _, number in sorted(placed)[:most])
    return tuple(variants[number] for number in chosen)


def tally(tried: Iterable[Tried]) -> dict[Found, int]:
    """How many answers are worth what; every word is there."""
    counts = dict.fromkeys(Found, 0)
    for one in tried:
        counts[one.found] += 1
    return counts


def by_rule(tried: Iterable[Tried]) -> Iterator[tuple[str, int, int]]:
    """Each rule of wrong variants that count: its name, how many were caught, and of how many."""
    found: dict[str, list[bool]] = {}
    for one in tried:
        if one.found in (Found.CAUGHT, Found.MISSED):
            found.setdefault(one.variant.rule, []).append(one.found is Found.CAUGHT)
    for rule, caught in found.items():
        yield rule, sum(caught), len(caught)


def remarks_of(assignment: Assignment) -> Iterator[str]:
    """What an instructor may not have meant, each in a sentence that begins with file and line."""
    for row in assignment.all_rows:
        if row.hidden and not row.topic:
            yield (
                f"{row.where}: the hidden row `{row.id}` has no topic, and a student who loses its "
                "points would learn nothing of it"
            )
        if row.want is not Want.EITHER and not row.points:
            yield f"{row.where}: the row `{row.id}` is worth no points"
        if row.each is not None and row.each > row.points:
            yield (
                f"{row.where}: a wrong pair of ends costs {float(row.each):g} points in the row "
                f"`{row.id}`, which has only {float(row.points):g}"
            )
        if row.want is not Want.EITHER and not row.hidden and not row.why:
            yield f"{row.where}: the shown row `{row.id}` has no `why`, which the task tells"
    if assignment.max_score.denominator != 1:
        yield (
            f"{assignment.origin}: all points are {float(assignment.max_score):g}, which is no "
            "whole number"
        )
