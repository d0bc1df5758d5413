"""One tutorial's namespaces on the cluster, brought to the state that a row needs.

Every state is complete: exactly the manifests that a row names are in force in these namespaces.
Any row can therefore run alone, and no policy of an earlier step affects a later step.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from harness.core.manifests.library import (
    POLICY_KINDS,
    Library,
    in_force,
    namespaces_of,
    rolled_out,
)
from harness.core.manifests.networkpolicy import with_types
from harness.core.manifests.reader import Resource
from harness.core.model import NETWORK_POLICY
from harness.core.outcome import Reading
from harness.core.predict.scenario import Scenario
from harness.core.predict.settle import (
    EXTERNAL_NAME,
    EXTERNAL_PORT,
    candidates,
    flips,
    passing,
    relieved,
)
from harness.core.probe.latency import Change
from harness.core.target import PodRef, ports_of
from harness.core.target.ask import Ask
from harness.core.target.family import IPV4, Families
from harness.edge.api.kube import Kube
from harness.edge.api.namespaces import OWNER, clear, wait_gone, wait_usable
from harness.edge.internet.state import Internet
from harness.edge.machine.wait import NotYet, wait_for
from harness.edge.probe.addresses import LabAddresses
from harness.edge.probe.observe import Observer
from harness.edge.probe.pods import Pods, is_unprobed, refs_of
from harness.edge.probe.prober import Prober
from harness.edge.stage.keeping import Keeping, stamped
from harness.edge.stage.settling import POLL_EVERY, Poll, Settled, Showing
from harness.errors import NotSettled, ProbeError

T = TypeVar("T")

Key = tuple[str, str, str]
"""What makes an object the same as another: its kind, namespace and name."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A state that the cluster was brought to.

    `scenario` is the state as the oracle reads it, `settled` how it came into force. Where policies
    alone changed, `change` tells that flow by flow, and of made-up pods `in_force_ms` tells how
    long the last flow that flipped took, from when the API had taken the whole change. Both are
    None where nothing changed, or more than policies did: the times would be those of the
    workloads' start.
    """

    scenario: Scenario
    settled: Settled
    change: Change | None = None
    in_force_ms: float | None = None


@dataclass(frozen=True, slots=True)
class _Times:
    """Of one change, in seconds: when it began, when the API had taken it, and how long to wait."""

    began: float
    acknowledged: float
    patience: float


class Stage:
    """The state of one tutorial on the cluster.

    `pods` are the tutorial's pods, `addresses` where everything is, `observer` probes from the
    pods. `patience` is for how many seconds a change may take to come into force, unless the caller
    says otherwise. `changes` are all changes of policies so far. With `made_up`, the pods have no
    server: their probers answer on every port that they declare, and prove who they are; and the
    pods' addresses count in predictions. `families` are those of the cluster's addresses.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the cluster, by its name
        self,
        kube: Kube,
        prober: Prober,
        library: Library,
        *,
        images: Mapping[str, str],
        internet: Internet | None,
        fence: Callable[[], None],
        realised: Callable[[Collection[str]], None] | None = None,
        keep_policies: bool = True,
        made_up: bool = False,
        families: Families = IPV4,
    ) -> None:
        self._kube = kube
        self._clock = kube.clock
        self._prober = prober
        self._library = library
        self._internet = internet  # None: what is outside is not known
        self._fence = fence
        self._realised = realised  # None: the CNI does not say what is in force
        # False only in the self-test: the deny rows must turn red.
        self.keeps_policies = keep_policies
        self._made_up = made_up
        self.patience = kube.patience.settle if keep_policies else kube.patience.self_test
        self._current: dict[Key, Resource] = {}
        self._dirty = False  # a change did not come to its end: the next one applies everything
        self._entered: Entered | None = None  # None: what is in force is not known
        self._untold = False  # made-up pods or their labels changed, and no flow has shown it yet
        self.families = families
        self.pods = Pods(kube, images, prober.names, families)
        self.addresses = LabAddresses(self.pods, internet)
        self.observer = Observer(prober, self.addresses)
        self.changes: list[Change] = []

    def resources(self, apply: Iterable[str], *, policies: bool = True) -> tuple[Resource, ...]:
        """The objects that these manifests add up to.

        Raises:
            ContentError: a table names a manifest that does not exist.
        """
        return in_force(self._library, apply, policies=policies)

    def rolled_out(self, manifest: str) -> tuple[Resource, ...]:
        """The policies of a manifest that a rollout applies (see `harness.core.manifests.library`).

        Raises:
            ContentError: there is no such manifest, or it has more than policies.
        """
        return rolled_out(self._library, manifest)

    def enter(
        self, apply: Sequence[str], *, policies: bool = True, patience: float | None = None
    ) -> Entered:
        """Bring the cluster to the state of these manifests and wait until it is in force.

        `policies` is False for the state without its policies. What is not in force after
        `patience` seconds is named in the result, and is judged all the same.

        Raises:
            ClusterNotReady: pods do not start, or objects do not go.
            ContentError: the API server refuses an object, or a namespace is not ours.
            ProbeError: no prober could say whether the state is in force.
        """
        return self.bring(self.resources(apply, policies=policies), name=apply, patience=patience)

    def bring(
        self,
        resources: Sequence[Resource],
        *,
        name: Sequence[str],
        patience: float | None = None,
        shown: Callable[[], Mapping[Ask, Reading]] | None = None,
    ) -> Entered:
        """Bring the cluster to the state of these objects; `name` is what reports call it.

        See `enter`. Of made-up pods, `shown` gives the flows that must show this before the state
        is in force, even if the change flips none of them: between two denials a flow may be open
        for a moment, and a CNI programs one pod after another. It is asked when the change is made
        and the pods run; without it, nobody waits for flows.
        """
        scenario = self.told(resources)
        wanted = {r.key: r for r in resources}
        gone = [r for key, r in self._current.items() if key not in wanted]
        new = [r for r in resources if self._dirty or not self._stands(r)]
        if self._entered and not gone and not new:
            return replace(self._entered, scenario=scenario, change=None, in_force_ms=None)
        before = self.told(self._kept(new)) if self._entered else None
        self._entered = None
        changed = [self._current[r.key] for r in new if r.key in self._current]
        over = frozenset() if self._dirty else frozenset(r.key for r in changed)
        # Until the end, what was and what will be both count as there: close() removes both.
        self._dirty, self._current = True, {**self._current, **wanted}
        began = self._change(gone, new, changed, over)
        changed_at = self._clock.monotonic()
        if self._made_up and {r.kind for r in (*gone, *new)} - POLICY_KINDS:
            self._open_ports(scenario)
        # If workloads change as well, the time of their start would count as the policies' latency:
        # also if nobody has waited for flows since.
        alone = {r.kind for r in (*gone, *new)} <= POLICY_KINDS and not self._untold
        self._untold = self._made_up and shown is None and not alone
        timed = before is not None and alone
        usual = self.patience if alone or not self._made_up else self._kube.patience.taken_in
        times = _Times(began, changed_at, usual if patience is None else patience)
        self.pods.refresh_services(scenario)
        if self._made_up:
            settled, in_force_ms = Settled(self._ms_since(began)), None
            if shown:
                settled, in_force_ms = self._wait_shown(before, scenario, shown(), times)
            settled = self._wait_realised(settled)
            entered = Entered(scenario, settled, in_force_ms=in_force_ms if timed else None)
        else:
            poll, settled = self._settle(before, scenario, times)
            settled = self._wait_realised(settled)
            change = poll.change(name, settled.missing) if poll and timed else None
            self.changes += [change] if change else []
            entered = Entered(scenario, settled, change)
        self._dirty, self._current, self._entered = False, wanted, entered
        return entered

    def fence(self) -> None:
        """Wait until every change that was made so far is in force.

        Raises:
            ClusterNotReady: the gate's canary did not show its own change before its deadline.
        """
        self._fence()

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        """Use this while changing objects yourself, and put them back within it.

        If the block fails, the next `enter` applies everything again.
        """
        before, self._dirty, self._entered = self._entered, True, None
        yield
        self._dirty, self._entered = False, before

    def told(self, resources: Iterable[Resource]) -> Scenario:
        """The state of these objects as the oracle reads it.

        With the addresses of pods that stay, the oracle decides about an ipBlock as well.
        """
        return Scenario(
            resources,
            self.pods.addresses if self._made_up else None,
            families=self.families,
            other_ips=self.pods.other_addresses if self._made_up else None,
        )

    def take_over(self, kinds: Collection[str] = (NETWORK_POLICY,)) -> None:
        """Go on with the workloads that an earlier run left, where they are as this one wants them.

        All else in the tutorial's namespaces is removed. `kinds` are the CNI's kinds of policy.

        Raises:
            ContentError: a namespace of the tutorial is there and is somebody else's.
            ClusterNotReady: what is removed does not go.
        """
        workloads = [r for rs in self._library.values() for r in rs if r.kind not in POLICY_KINDS]
        made = [(r, self._ready_to_apply(r)) for r in workloads]
        keeping = Keeping(self._kube, made, kinds)
        standing = {space: keeping.standing(space) for space in namespaces_of(self._library)}
        clear(self._kube, [space for space, found in standing.items() if found is None])
        kept = {key: r for found in standing.values() for key, r in (found or {}).items()}
        self.pods.start(kept.values())
        self._current = kept

    def leave(self) -> None:
        """Remove the policies, and leave the workloads to the next run (see `take_over`)."""
        self._prober.forget(self.pods.known)
        for resource in self._current.values():
            if resource.kind in POLICY_KINDS or is_unprobed(resource):
                self._kube.delete(resource.body)
        self._current = {}
        self._entered = None

    def _kept(self, new: Sequence[Resource]) -> list[Resource]:
        """The previous state without the recreated objects; their flows are checked again.

        A new Service is programmed only after it exists, even if an equal Service existed before.
        """
        anew = {r.key for r in new if r.kind not in POLICY_KINDS}
        return [r for key, r in self._current.items() if key not in anew]

    def _stands(self, resource: Resource) -> bool:
        found = self._current.get(resource.key)
        return found is not None and found.body == resource.body

    def _change(
        self,
        gone: Sequence[Resource],
        new: Sequence[Resource],
        changed: Sequence[Resource],
        over: Collection[Key],
    ) -> float:
        """Apply the difference, policies last; returns when the policies began to change.

        `over` has the keys of the objects that stand, and only get another form.
        """
        # A changed Service is recreated. Its new address distinguishes it from the old Service,
        # whose traffic the proxy still carries, drops or refuses for a while.
        anew = [r for r in changed if r.kind == "Service"]
        # The API server takes no other containers for a pod that is there: it is another pod.
        specs = {r.key: r.body["spec"] for r in new if r.kind == "Pod"}
        anew += [r for r in changed if r.kind == "Pod" and r.body["spec"] != specs[r.key]]
        # A Deployment that changes gets new pods under the same numbers.
        self._part_from([r for r in changed if r.kind == "Deployment"])
        self._remove([r for r in gone if r.kind not in POLICY_KINDS] + anew)
        self._add([r for r in new if r.kind not in POLICY_KINDS], over)
        began = self._clock.monotonic()
        self._remove([r for r in gone if r.kind in POLICY_KINDS])
        if self.keeps_policies:
            self._add([r for r in new if r.kind in POLICY_KINDS], frozenset(r.key for r in changed))
        return began

    def close(self) -> None:
        """Remove the tutorial's namespaces, and with them everything in them."""
        self._prober.forget(self.pods.known)
        # Pods first: an empty namespace goes at once, a full one when its controller looks again.
        for kind in ("Pod", "Deployment", "Namespace"):
            for resource in self._current.values():
                if resource.kind == kind:
                    self._kube.delete(resource.body, grace=0 if kind == "Pod" else None)
        self._current = {}
        self._entered = None

    def end(self, pod: PodRef) -> None:
        """Let a pod end; it stays as an object, and no later state has it or removes it.

        The API ends a pod whose deadline is over as it does one that has done its work (a Job's),
        and nobody needs a program in it.

        Raises:
            ClusterNotReady: the pod does not end.
        """
        resource = self._current.pop(("Pod", pod.namespace, pod.name))
        self._entered = None
        self._prober.forget([pod])
        self.pods.forget([pod])
        body = self._ready_to_apply(resource)
        body["spec"]["activeDeadlineSeconds"] = 1
        self._kube.apply(body)

        def ended() -> None:
            found = self._kube.get("v1", "Pod", pod.name, pod.namespace) or {}
            phase = (found.get("status") or {}).get("phase", "gone")
            if phase not in ("Failed", "Succeeded"):
                raise NotYet(f"its phase is {phase}")

        self._kube.wait(f"the pod {pod} ends", ended, seconds=self._kube.patience.objects_gone)

    def _remove(self, resources: Sequence[Resource]) -> None:
        pods = refs_of(*resources)
        self._prober.forget(pods)
        spaces = {r.name for r in resources if r.kind == "Namespace"}
        # What is in a namespace that goes, goes with it; nobody waits unless it comes back.
        alone = [r for r in resources if r.namespace not in spaces]
        for resource in alone:
            self._kube.delete(resource.body, grace=0 if resource.kind == "Pod" else None)
        waited = [r.body for r in alone if r.kind not in POLICY_KINDS | {"Namespace"}]
        # A Deployment is gone before its pods are.
        deployments = [r for r in alone if r.kind == "Deployment"]
        waited += self.pods.bodies(refs_of(*deployments))
        wait_gone(self._kube, waited)
        self.pods.forget(pods)

    def _part_from(self, workloads: Sequence[Resource]) -> None:
        """Forget pods whose names will belong to other pods."""
        pods = refs_of(*workloads)
        self._prober.forget(pods)
        self.pods.forget(pods)

    def _add(self, resources: Sequence[Resource], over: Collection[Key] = ()) -> None:
        """Apply the objects; `over` has the keys of objects that replace an older object.

        A namespace that is new here is made anew; one that only gets other labels keeps its pods.
        """
        spaces = [r for r in resources if r.kind == "Namespace"]
        clear(self._kube, (r.name for r in spaces if r.key not in over))
        for resource in spaces:
            self._kube.apply(self._ready_to_apply(resource))
        for resource in spaces:
            wait_usable(self._kube, resource.name)
        for resource in resources:
            if resource.kind != "Namespace":
                body = self._ready_to_apply(resource)
                if resource.kind == NETWORK_POLICY and resource.key in over:
                    with_types(body)
                self._kube.apply(body)
        self.pods.start(resources)

    def _ready_to_apply(self, resource: Resource) -> dict[str, Any]:
        body = copy.deepcopy(dict(resource.body))
        if resource.kind == "Namespace":
            body["metadata"].setdefault("labels", {}).update(OWNER)
        body = self.pods.as_applied(body)
        return body if resource.kind in POLICY_KINDS else stamped(body)

    def _open_ports(self, scenario: Scenario) -> None:
        """Let the probers answer on the ports that their pods declare.

        Raises:
            NoSctpError: a pod declares SCTP, and its kernel has none.
            ProbeError: a prober does not listen on one of them.
        """
        pods = [pod for pod in scenario.topology.pods.values() if pod.ref in self.pods.known]
        refused = self.observer.listen(port for pod in pods for port in ports_of(pod))
        if refused:
            raise ProbeError("a prober does not listen where it should", seen="; ".join(refused))

    def _settle(
        self, before: Scenario | None, after: Scenario, times: _Times
    ) -> tuple[Poll | None, Settled]:
        """Poll the flows whose prediction changes until all have; without any, use the fence."""
        outside = self._internet or Internet(asked=False)
        can = candidates(
            after,
            self.pods.known,
            internet=outside.address(EXTERNAL_NAME, EXTERNAL_PORT) is not None,
            names=outside.led,
        )
        asks, still = flips(before, after, can), relieved(before, after, can)
        if not asks:
            self._fence()
            if not still:
                return None, Settled(self._ms_since(times.began))
        poll = Poll(
            self.observer,
            asks,
            acknowledged=times.acknowledged,
            others=passing(after, [ask for ask in can if ask not in asks]),
            still=still,
            clock=self._clock.monotonic,
        )
        what = f"{len(asks) + len(still)} flows show the new state"
        missing, seconds = self._wait_for(what, poll, times.patience)
        if missing or seconds is None:
            return poll, Settled(self._ms_since(times.began), missing)
        return poll, Settled(round((seconds - times.began) * 1000, 1))

    def _wait_realised(self, settled: Settled) -> Settled:
        if self._realised is None or not self.keeps_policies:
            return settled
        try:
            self._realised({pod.namespace for pod in self.pods.known})
        except NotSettled as error:
            return settled.lacking(error.seen)
        return settled

    def _wait_shown(
        self,
        before: Scenario | None,
        after: Scenario,
        expected: Mapping[Ask, Reading],
        times: _Times,
    ) -> tuple[Settled, float | None]:
        """Look until the flows have shown this, and when the last flow showed that it flipped.

        A change that flips none of them has the fence first: their state showed before as well.
        """
        flipping = flips(before, after, expected)
        if before is not None and not flipping:
            self._fence()
        missing, at = self.wait_shown(expected, times.patience)
        settled = Settled(self._ms_since(times.began), missing)
        if not flipping:
            return settled, None
        now = self._clock.monotonic()
        last = max(at.get(ask, now) for ask in flipping)
        return settled, round((last - times.acknowledged) * 1000, 1)

    def wait_shown(
        self, expected: Mapping[Ask, Reading], patience: float | None = None
    ) -> tuple[str, Mapping[Ask, float]]:
        """Wait until the flows show this: which do not in time, in words, and when each did."""
        showing = Showing(self.observer, expected, clock=self._clock.monotonic)
        what = f"{len(expected)} flows show the state"
        missing, _ = self._wait_for(what, showing, patience or self.patience)
        return missing, showing.at

    def _wait_for(self, what: str, check: Callable[[], T], seconds: float) -> tuple[str, T | None]:
        """Wait until the check holds: what it lacks at the deadline, and what it returns."""
        try:
            found = wait_for(what, check, seconds=seconds, every=POLL_EVERY, clock=self._clock)
        except NotSettled as error:
            return error.seen, None
        return "", found

    def _ms_since(self, began: float) -> float:
        return round((self._clock.monotonic() - began) * 1000, 1)
