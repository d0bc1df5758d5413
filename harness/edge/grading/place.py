"""The pods of one assignment on a cluster, to which the submissions come one after the other.

The pods are started once. Each submission meets the same world: no policy at all, the same pods,
and every flow open again that the submission before had closed. Its policies are made anew, and
never applied over others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from harness.core.grading.judging.live import Check, Standing, cast_of, got_of
from harness.core.grading.model import Got
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import Resource
from harness.core.model import Address, Protocol
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.target import NamePort, PodPort
from harness.core.target.ask import Ask
from harness.edge.cluster.opening import Cluster
from harness.edge.grading.account import Account
from harness.edge.grading.moving import FreshNames
from harness.edge.machine.wait import NotYet, wait_for
from harness.edge.probe.doors import Doors
from harness.edge.stage.settling import POLL_EVERY, Poll
from harness.edge.stage.stage import Stage
from harness.edge.stage.twice import asked_again
from harness.errors import ContentError, HarnessError, NotSettled, ProbeError

CAST = "the assignment's pods"
SERVERS_START = 5.0
"""Seconds for servers to listen on the ports that their pods declare. In the randomised form nobody
listens on a port that was drawn; a refusal shows there that the packet came through."""
Seen = Answer[Observation]


class Place:
    """One assignment's world on one cluster. `fence` waits until all changes are in force."""

    def __init__(
        self,
        cluster: Cluster,
        doors: Doors,
        fence: Callable[[], None],
        world: World,
        profile: CniProfile,
    ) -> None:
        self.world = world
        self._cluster, self._doors, self._fence, self._profile = cluster, doors, fence, profile
        self._cast = cast_of(world)
        self._spaces = frozenset(r.name for r in self._cast if r.kind == "Namespace")
        self._kube = doors.kube()
        self._prober = doors.prober()
        cni = cluster.lane.value
        self._realised = cni.realised and cni.realised(self._kube, doors.programs())
        self._account = Account(
            self._kube,
            doors,
            namespaces=world.assignment.namespaces,
            kinds=world.assignment.kinds & profile.kinds,
            spaces=self._spaces,
            all_kinds=profile.kinds,
        )
        self._fresh = self._fresh_names()
        self._moved: dict[str, str] = {}
        self._led: frozenset[str] = frozenset()
        self._stage = self._new_stage()
        self._things: Mapping[str, object] = {}
        self._bare: dict[Ask, Outcome] = {}
        self._listening: frozenset[PodPort] = frozenset()
        self._closed: list[Ask] = []

    def open(self) -> None:
        """Start the pods, or take over those that an earlier run left; there is no policy then.

        Raises:
            ContentError: a namespace of the assignment is there, and policylab did not make it.
            ClusterNotReady: pods do not start, or the API does not answer.
            ProbeError: no prober answers.
        """
        self._prober.forget(self._stage.pods.known)
        self._stage = self._new_stage()
        self._bare, self._listening, self._closed = {}, frozenset(), []
        self._stage.take_over(self._profile.kinds)
        self._stage.enter([CAST], patience=min(self._stage.patience, SERVERS_START))
        self._account.open()
        self._account.clear()
        self._things = self._found()
        if self._fresh and (names := {target.name for target in self.world.names}):
            self._fresh.shorten(names)

    def ready(self) -> None:
        """Bring the world to what it is for everybody: no policy, the same pods, all flows open.

        Raises:
            ClusterNotReady: the API does not answer, pods do not start, or policies do not go.
            NotSettled: flows that the submission before had closed do not open.
            ProbeError: no prober answers.
        """
        self._account.clear()
        if self._found() != self._things:
            self.open()
        if self._closed:
            self._wait({ask: Reading(self._bare[ask]) for ask in self._closed})
            if self._realised:
                self._realised(self._spaces)
            self._closed = []

    def lead_anew(self, names: Collection[str]) -> None:
        """Let these names lead where no submission was led before, if the CNI remembers names.

        Raises:
            EnvironmentFault: a name does not lead there in time.
            ProbeError: the CNI or a prober does not answer.
        """
        if self._fresh and names:
            self._led = frozenset(names)
            pods = self._stage.pods.known
            self._moved |= self._fresh.move(names, self._stage.observer, pods)

    def standing(self) -> Standing:
        """What stands on the cluster now."""
        pods = {str(ref): pod for ref, pod in self._stage.pods.standing.items()}
        return Standing(pods, self._servers(), self._outside())

    def see(self, policies: Sequence[Resource], checks: Iterable[Check]) -> dict[Ask, Seen]:
        """What these policies do in a world that is `ready`: the answer to each check's question.

        Afterwards they are gone. A flow that differs from what is expected was asked twice.

        Raises:
            ClusterNotReady: the API does not answer, or policies do not go.
            ProbeError: the API server refuses a policy, or no prober answers.
        """
        expected = {check.ask: check for check in checks}
        self._listen(expected)
        self._control([ask for ask in expected if ask not in self._bare])
        try:
            self._apply(policies)
            self._settle(expected.values())
            return self._looked(expected)
        finally:
            self._account.clear()
            if self._fresh and self._led:
                self._fresh.forget(self._led)
                self._led = frozenset()

    def close(self, *, keep: bool) -> None:
        """Remove the pods, or leave them to the next run."""
        try:
            if self._fresh:
                self._fresh.close()
            self._account.clear()
            if keep:
                self._account.close()
                self._stage.leave()
            else:
                self._stage.close()
        finally:
            self._prober.close()

    def _fresh_names(self) -> FreshNames | None:
        remembers, internet = self._cluster.lane.value.remembers, self._cluster.internet
        if remembers is None or internet is None or not internet.led:
            return None
        memory = remembers(self._kube, self._doors.programs())
        return FreshNames(internet, self._doors.controls(internet), memory, self._kube)

    def _new_stage(self) -> Stage:
        return Stage(
            self._kube,
            self._prober,
            {CAST: self._cast},
            images=self._cluster.refs,
            internet=self._cluster.internet,
            families=self._cluster.families,
            fence=self._fence,
            realised=self._realised,
        )

    # The world before a submission.

    def _found(self) -> Mapping[str, object]:
        """The pods and namespaces, as far as a submission could tell them apart."""
        spaces = {b["metadata"]["name"]: b for b in self._kube.list("v1", "Namespace")}
        found: dict[str, object] = {
            name: dict(body["metadata"].get("labels") or {})
            for name, body in spaces.items()
            if name in self._spaces
        }
        for body in self._kube.list("v1", "Pod"):
            meta = body["metadata"]
            if meta["namespace"] in self._spaces:
                found[f"{meta['namespace']}/{meta['name']}"] = _pod(body)
        return found

    def _listen(self, asks: Iterable[Ask]) -> None:
        """Answer datagrams where no server does: refusals are rare by design, and would be few.

        A kernel sends one refusal a second to one address (net.ipv4.icmp_ratelimit, icmp(7)).
        """
        targets = (ask.target for ask in asks)
        ports = frozenset(
            t for t in targets if isinstance(t, PodPort) and t.protocol is Protocol.UDP
        )
        if not ports <= self._listening:
            self._listening |= ports
            self._stage.observer.listen(sorted(self._listening, key=str))

    def _control(self, asks: Sequence[Ask]) -> None:
        """The positive controls: the same flows without policies; one without answer stays out."""
        left = list(asks)

        def answered() -> None:
            nonlocal left
            found = self._stage.observer.read(left)
            for ask, seen in found.items():
                if seen.value is not None and got_of(seen.value) is Got.OPEN:
                    self._bare[ask] = seen.value.reading.outcome
            left = [ask for ask in left if ask not in self._bare]
            if left:
                raise NotYet(f"{len(left)} are not")

        if left:
            with suppress(NotSettled):
                wait_for(
                    f"{len(left)} flows are answered without policies",
                    answered,
                    seconds=self._stage.patience / 2,
                    clock=self._kube.clock,
                )

    # The policies of a submission.

    def _apply(self, policies: Sequence[Resource]) -> None:
        try:
            self._account.apply(policies)
        except ContentError as error:
            raise ProbeError(error.what, where=error.where, seen=error.seen) from error

    def _settle(self, checks: Collection[Check]) -> None:
        """Wait until a flow of each kind between each two ends shows what is expected.

        Where one does not, all are judged as they are.
        """
        chosen: dict[tuple[str, str, bool], Check] = {}
        for check in checks:
            if check.ask in self._bare and not _unfit(check.ask):
                key = str(check.ask.source), _end(check.ask), check.open
                if key not in chosen or self._served(check) > self._served(chosen[key]):
                    chosen[key] = check
        self._closed = [check.ask for check in chosen.values() if not check.open]
        expected = {
            check.ask: Reading(self._bare[check.ask]) if check.open else check.expected
            for check in chosen.values()
        }
        with suppress(NotSettled, ProbeError):
            self._wait(expected)
        if not self._closed:
            self._fence()
        if self._realised:
            with suppress(NotSettled):
                self._realised(self._spaces)

    def _served(self, check: Check) -> bool:
        return self._bare[check.ask] is Outcome.CONNECTED

    def _wait(self, expected: Mapping[Ask, Reading]) -> None:
        wait_for(
            f"{len(expected)} flows show the policies",
            Poll(self._stage.observer, expected, clock=self._kube.clock.monotonic),
            seconds=self._stage.patience,
            every=POLL_EVERY,
            clock=self._kube.clock,
        )

    def _looked(self, expected: Mapping[Ask, Check]) -> dict[Ask, Seen]:
        asks = [ask for ask in expected if ask in self._bare]

        def differs(ask: Ask, seen: Seen) -> bool:
            return seen.value is not None and not agrees(expected[ask], seen.value)

        found = self._stage.observer.read(asks)
        found |= asked_again(found, differs, self._stage.observer.read, self._stage.fence)
        mute = ProbeError("there was no answer without policies either")
        return {ask: found.get(ask, Answer(problem=mute)) for ask in expected}

    # Where things are.

    def _servers(self) -> tuple[Address, ...]:
        pods = self._kube.list("v1", "Pod", "kube-system", selector="k8s-app=kube-dns")
        found = (body.get("status", {}).get("podIP") for body in pods)
        return tuple(ip_address(ip) for ip in found if ip)

    def _outside(self) -> Mapping[str, Address]:
        internet = self._cluster.internet
        found = {**(internet.names if internet and internet.led else {}), **self._moved}
        return {name: ip_address(ip) for name, ip in found.items()}


def agrees(check: Check, seen: Observation) -> bool:
    """Whether the cluster did what is expected; where that is not clear, it did not."""
    return got_of(seen) is (Got.OPEN if check.open else Got.CLOSED)


def _unfit(ask: Ask) -> bool:
    """Whether a flow is no good for a wait: its answers are few, or it teaches the CNI a name."""
    target = ask.target
    datagram = isinstance(target, PodPort) and target.protocol is Protocol.UDP
    return datagram or isinstance(target, NamePort)


def _end(ask: Ask) -> str:
    """Who is asked, whatever the port."""
    return str(ask.target.pod) if isinstance(ask.target, PodPort) else str(ask.target)


def _pod(body: Mapping[str, Any]) -> object:
    meta, status = body["metadata"], body.get("status") or {}
    kinds = ("containerStatuses", "ephemeralContainerStatuses")
    starts = [
        (one["name"], one.get("restartCount", 0))
        for kind in kinds
        for one in status.get(kind) or []
    ]
    labels = dict(meta.get("labels") or {})
    return meta.get("uid"), labels, status.get("podIP"), sorted(starts), "deletionTimestamp" in meta


def sentence(error: HarnessError) -> str:
    """A fault in one line."""
    return " ".join(f"{error.what}: {error.seen}".removesuffix(": ").split())
