"""The cluster as a judge: what the oracle says of each flow, and whether the cluster agrees.

A flow that the cluster shows counts where both say the same. Where they differ, or where there is
no verdict, its points are held back: that is the CNI's fault or ours, and never the student's. A
flow that nobody can show on a cluster counts as the oracle says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Self

from harness.core.grading.judge import Predicted
from harness.core.grading.judging.live import Check, Checks, got_of
from harness.core.grading.model import Got, Heard, Mode, Submission
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.core.observation import Answer, Observation
from harness.core.target.ask import Ask
from harness.edge.cluster.opening import Cluster
from harness.edge.grading.place import Place, agrees, sentence
from harness.edge.probe.doors import Doors
from harness.errors import ContentError, HarnessError
from harness.progress import Progress

TRIES = 2
"""How often a submission is tried whose flows have no verdict; what differs twice is not tried."""
Seen = Answer[Observation]


class Observed:
    """The judge of one course on one cluster. Use it as a context manager.

    `fence` waits until every change of policies is in force. With `keep`, the pods of the last
    world stay for the next run.
    """

    mode = Mode.LIVE

    def __init__(
        self,
        cluster: Cluster,
        doors: Doors,
        fence: Callable[[], None],
        profile: CniProfile,
        progress: Progress,
        *,
        keep: bool = False,
    ) -> None:
        self._cluster, self._doors, self._fence, self._keep = cluster, doors, fence, keep
        self._profile, self._progress = profile, progress
        self._predicted = Predicted(profile)
        self._place: Place | None = None
        self._broken = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was made, or leave the pods to the next run."""
        self._leave(keep=self._keep)

    def open(self, world: World) -> None:
        """Start the pods of a world.

        Raises:
            ContentError: a namespace of the assignment is there, and policylab did not make it.
            ClusterNotReady: the pods do not start.
            ProbeError: no prober answers.
        """
        self._leave(keep=False)
        place = Place(self._cluster, self._doors, self._fence, world, self._profile)
        self._place = place
        with self._progress.step("the assignment's pods"):
            place.open()

    def hear(self, world: World, submission: Submission) -> Iterator[Heard]:
        """Every flow, as the oracle says where the cluster agrees; else without a verdict."""
        heard = tuple(self._predicted.hear(world, submission))
        yield from self._heard(world, submission, heard)

    def _heard(
        self, world: World, submission: Submission, heard: Sequence[Heard]
    ) -> Iterable[Heard]:
        for last in (False,) * (TRIES - 1) + (True,):
            if self._broken:
                break
            try:
                checks, seen = self._looked(world, submission, heard)
            except HarnessError as error:
                if not last and self._recovered(world):
                    continue
                self._progress.note(f"{submission.id} is not checked: {sentence(error)}")
                return _held(heard, sentence(error))
            if last or not any(answer.problem for answer in seen.values()):
                return _judged(heard, checks, seen)
        return _held(heard, f"the cluster failed before: {self._broken}")

    def too_wide(self, world: World, submission: Submission) -> list[str]:
        """The rules that are too wide at one side alone; a cluster cannot show them."""
        return self._predicted.too_wide(world, submission)

    def _looked(
        self, world: World, submission: Submission, heard: Sequence[Heard]
    ) -> tuple[list[Check | None], Mapping[Ask, Seen]]:
        if self._place is None or self._place.world is not world:
            self.open(world)
        place = self._place
        assert place is not None  # noqa: S101 - `open` made it
        place.ready()
        if names := self._asked(place, submission).names:
            place.lead_anew(names)
        asked = self._asked(place, submission)
        checks = [asked.of(flow) for flow in heard]
        return checks, place.see(submission.resources, filter(None, checks))

    def _asked(self, place: Place, submission: Submission) -> Checks:
        return Checks(place.world, submission, self._profile, place.standing())

    def _recovered(self, world: World) -> bool:
        """Whether the world could be made whole again; if not, nothing more is checked."""
        try:
            if self._place is None:
                self.open(world)
            else:
                self._place.open()
        except HarnessError as error:
            # A namespace of somebody else is in the way of one world, and perhaps of no other.
            self._broken = "" if isinstance(error, ContentError) else sentence(error)
            return False
        return True

    def _leave(self, *, keep: bool) -> None:
        if self._place is None:
            return
        try:
            self._place.close(keep=keep)
        except HarnessError as error:
            self._progress.note(
                f"what is left on the cluster is removed at the next start: {sentence(error)}"
            )
        self._place = None


def _judged(
    heard: Sequence[Heard], checks: Sequence[Check | None], seen: Mapping[Ask, Seen]
) -> Iterator[Heard]:
    for flow, check in zip(heard, checks, strict=True):
        why = "" if check is None else _doubt(check, seen[check.ask])
        yield replace(flow, got=Got.NO_VERDICT, why=why) if why else flow


def _doubt(check: Check, answer: Seen) -> str:
    """Why a flow has no verdict; empty where the cluster agrees."""
    if answer.value is None:
        return f"{check.ask}: {sentence(answer.problem) if answer.problem else 'not seen'}"
    if agrees(check, answer.value):
        return ""
    said = "is not clear" if got_of(answer.value) is Got.NO_VERDICT else "differs"
    return (
        f"{check.ask}: the prediction is {check.expected}, and the cluster {said}: "
        f"{answer.value.reading}"
    )


def _held(heard: Sequence[Heard], why: str) -> Iterator[Heard]:
    for flow in heard:
        yield replace(flow, got=Got.NO_VERDICT, why=why)
