"""Lifecycle and latency of a CNI, row by row.

    lifecycle(site, profile, progress)   what happens while agents end, policies churn, nodes go
    latency(site, profile, progress)     how long a policy takes to hold, and to be gone

Both yield each row as soon as it is measured. A row whose tool broke has no verdict; the others are
measured all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.core.conformance.lifecycle import Check, Line, latency_row, watched_row
from harness.core.conformance.row import Figure, Row, Status
from harness.core.lab.profile import CniProfile
from harness.core.probe.latency import Way
from harness.edge.conformance.life.birth import KINDS, Newborn, bear, control, firsts
from harness.edge.conformance.life.disturbing import (
    AFTER_SECONDS,
    QUIET_SECONDS,
    Agents,
    Disturbance,
    churn,
    during,
    goes,
)
from harness.edge.conformance.life.flipping import flip
from harness.edge.conformance.life.ground import EVERY_US, Aimed, Ground, Site
from harness.errors import HarnessError
from harness.progress import Progress

PERIOD = EVERY_US / 1000
CHURN_SECONDS = 60.0
BIRTHS = 6
FLIPS = 200

QUIET = Check("lifecycle/quiet", "nothing happens: flows stay as policies say")
CHURN = Check("lifecycle/churn", "policies about other flows come, change and go all the time")
DELETED = Check("lifecycle/agent-deleted", "the pods of the CNI's agent are deleted")
KILLED = Check("lifecycle/agent-killed", "the processes of the CNI's agent get SIGKILL")
ROLLED = Check("lifecycle/agent-rolled", "the DaemonSet of the CNI's agent is rolled out anew")
DRAINED = Check("lifecycle/node-drained", "another node is drained, goes, and comes back")
LATE = {"outage": 1000.0}
"""The API allows that a new pod is let in late (`API_POD_LIFECYCLE`). It says nothing of how late;
a pod that waits for half of the time for which it is watched is taken for cut off."""
BIRTH = {
    "init": Check(
        "lifecycle/birth-init", "an init container sends at once, under older policies", most=LATE
    ),
    "container": Check(
        "lifecycle/birth", "a pod's container sends at once, under older policies", most=LATE
    ),
}
READDED = Check("lifecycle/node-readded", "a pod on a node that came back sends at once", most=LATE)
SETTLING = (
    "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
    "#network-traffic-filtering"
)
LATENCY = {
    Way.CLOSES: Check("latency/closes", "how long a new policy takes to close a flow", SETTLING),
    Way.OPENS: Check("latency/opens", "how long a flow takes to open without its policy", SETTLING),
}
ROWS = tuple(
    check.name
    for check in (
        *(QUIET, CHURN, DELETED, KILLED, ROLLED, DRAINED, READDED),
        *(*BIRTH.values(), *LATENCY.values()),
    )
)
"""The names of all rows that are measured."""
NO_SHELL = "it needs commands on the nodes, which policylab runs on its own clusters only"
ONE_NODE = "the cluster has one node"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, and for how long.

    Attributes:
        restarts: whether the CNI's agents are ended, and a node drained. It disturbs everybody on
            the cluster.
        quiet: seconds of the row without a disturbance.
        churn: seconds of churn.
        births: the number of newborn pods.
    """

    restarts: bool = True
    quiet: float = QUIET_SECONDS
    churn: float = CHURN_SECONDS
    births: int = BIRTHS


WHOLE = Plan()


def lifecycle(
    site: Site, profile: CniProfile, progress: Progress, plan: Plan = WHOLE
) -> Iterator[Row]:
    """Each row of the lifecycle.

    Raises:
        ClusterNotReady: the pods do not run, or the cluster does not enforce the policies.
        ContentError: the namespace of the lifecycle is somebody else's.
        ProbeError: the stream does not come about.
    """
    with Ground(site) as ground:
        with progress.step("lifecycle: pods, and a stream over them"):
            ground.build()
            control(ground)
            ground.enforce()
        rows = _Rows(ground, profile, progress)
        agents, shell = Agents(site), site.shell
        near = ground.flows(far=False)
        yield rows.watched(QUIET, lambda: "nothing was done", after=plan.quiet)
        yield rows.watched(CHURN, lambda: churn(ground, plan.churn), after=1.0)
        yield from rows.births(plan.births)
        if not plan.restarts:
            return
        yield rows.watched(DELETED, lambda: _done(agents.delete, "the agents' pods were deleted"))
        yield (
            rows.watched(KILLED, lambda: _done(lambda: agents.kill(shell), "SIGKILL was sent"))
            if shell
            else KILLED.left_out(NO_SHELL)
        )
        yield rows.watched(ROLLED, lambda: _done(agents.roll, "the agents were rolled out"))
        if shell is None or not ground.far:
            why = NO_SHELL if shell is None else ONE_NODE
            yield from (check.left_out(why) for check in (DRAINED, READDED))
            return

        yield rows.watched(DRAINED, lambda: goes(site, shell, ground.far), flows=near)
        yield from rows.readded(plan.births)


def latency(
    site: Site,
    profile: CniProfile,
    progress: Progress,
    *,
    flips: int = FLIPS,
    threshold: float | None = None,
) -> Iterator[Row]:
    """The latency of enforcement, a row for each way; `flips` of one flow in both ways together.

    `threshold` is the budget of the 99th percentile, in ms.

    Raises:
        ClusterNotReady: the pods do not run, or the cluster does not enforce the policies.
        ContentError: the namespace of the lifecycle is somebody else's.
        ProbeError: the stream broke.
    """
    with Ground(site) as ground:
        with progress.step("latency: pods, and a stream over them"):
            ground.build()
            ground.enforce()
        with progress.step(f"{flips} changes of a policy"):
            seen = flip(ground, flips)
        for way, check in LATENCY.items():
            yield latency_row(
                check,
                way,
                seen.turned,
                profile,
                period=seen.every,
                clocks_ms=seen.clocks_ms,
                threshold=threshold,
                seconds=seen.seconds / len(LATENCY),
            )


def _done(act: Callable[[], None], did: str) -> str:
    act()
    return did


@dataclass(frozen=True, slots=True)
class _Rows:
    """Makes rows of what happens on the ground."""

    ground: Ground
    profile: CniProfile
    progress: Progress

    def watched(
        self,
        check: Check,
        disturb: Disturbance,
        *,
        after: float = AFTER_SECONDS,
        flows: Sequence[Aimed] | None = None,
    ) -> Row:
        """The row of flows that a stream watches during a disturbance."""
        notes: list[str] = []
        try:
            with self.progress.step(check.about):
                kept = self.ground.pour(
                    self.ground.flows() if flows is None else flows,
                    during(self.ground, disturb, notes, after=after),
                )
            return watched_row(
                check,
                kept.lines,
                self.profile,
                period=PERIOD,
                lost=kept.lost,
                seconds=kept.seconds,
                notes=notes,
            )
        except HarnessError as error:
            return check.left_out(str(error), status=Status.NO_VERDICT)

    def births(self, number: int) -> Iterator[Row]:
        """A row for the pods' init containers, and one for their own."""
        nodes = [node for node in (self.ground.near, self.ground.far) if node]
        with self.progress.step(f"{number} pods that send at once"):
            born = self._born("newborn", [nodes[n % len(nodes)] for n in range(number)])
        for kind, check in BIRTH.items():
            yield self._birth(check, kind, born=born)

    def readded(self, number: int) -> Iterator[Row]:
        """A row for pods on the node that came back."""
        with self.progress.step(f"{number} pods on {self.ground.far}"):
            born = self._born("readded", [self.ground.far] * number, far=False)
        yield self._birth(READDED, *KINDS, born=born)

    def _born(
        self, name: str, nodes: Sequence[str], *, far: bool = True
    ) -> list[Newborn] | HarnessError:
        try:
            return [bear(self.ground, f"{name}-{n}", node, far=far) for n, node in enumerate(nodes)]
        except HarnessError as error:
            return error

    def _birth(self, check: Check, *kinds: str, born: list[Newborn] | HarnessError) -> Row:
        if isinstance(born, HarnessError):
            return check.left_out(str(born), status=Status.NO_VERDICT)
        lines: list[Line] = [line for kind in kinds for one in born for line in one.lines[kind]]
        first = max(firsts(born, kind) for kind in kinds)
        try:
            return watched_row(
                check,
                lines,
                self.profile,
                period=PERIOD,
                lost={},
                figures=[Figure("first datagram", round(first, 1), "ms")],
                notes=[f"{len(born)} pods; `first datagram` is since their process began"],
            )
        except HarnessError as error:
            return check.left_out(str(error), status=Status.NO_VERDICT)
