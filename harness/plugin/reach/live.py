"""`reach`: what pods of a running cluster see; a prober comes beside each pod that takes part.

The probes are those of `policylab probe`: one round for all flows of a sentence, three attempts
before anything counts as silent, and each pod's port is also asked by that pod itself. Nothing is
asked again until it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from harness.commands.shared.lists import text_of
from harness.core.observation import Answer, Observation
from harness.core.outcome import MEANING, SILENT, Outcome, Verdict
from harness.core.predict.scenario import Scenario
from harness.core.predict.walk import walk
from harness.core.probe.judge import verdict
from harness.core.target import (
    ExternalPort,
    Lookup,
    NamePort,
    Ping,
    PodPort,
    PodRef,
    ServiceAddress,
    Target,
)
from harness.core.target.ask import Ask
from harness.edge.api.kube import Kube
from harness.edge.api.livestate import live_resources
from harness.edge.probe.addresses import ClusterAddresses
from harness.edge.probe.discovery import Found as Discovered
from harness.edge.probe.discovery import discover
from harness.edge.probe.observe import Observer
from harness.edge.probe.prober import Prober
from harness.errors import ContentError, HarnessError
from harness.plugin.reach.listed import Listed, spaces_named, spaces_of
from harness.plugin.reach.naming import Pods, pairs, read_name, read_pod, read_target
from harness.plugin.reach.saying import Asked, Found, State
from harness.report.walk import walk_text

PACKETS = PodPort | ServiceAddress | NamePort | ExternalPort | Ping
"""Targets to which packets go."""

_NO_CONTROL = (
    "what is silent here may be dead: name another client that gets through in the same round, "
    "control='NAMESPACE/POD'"
)


class OnCluster:
    """Answers by probes from the pods of a cluster.

    `equip` puts a prober beside each of some pods that has none, if that is allowed. `turn` gives
    the block in which flows may be looked at, while no other process changes policies.
    """

    def __init__(
        self,
        kube: Kube,
        prober: Prober,
        equip: Callable[[Discovered, Iterable[PodRef]], None],
        turn: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.kube, self.prober = kube, prober
        self.equip, self._turn = equip, turn

    def alone(self) -> OnCluster:
        """The same cluster, for a caller that keeps all others from it."""
        return OnCluster(self.kube, self.prober, self.equip, nullcontext)

    def flows(self, source: str, target: str, control: str) -> Asked:
        """Probe each pair of ends that the names stand for, and those of the control, at once."""
        where = f"{source} -> {target}"
        whom = read_target(target)
        if not isinstance(whom, PACKETS):
            raise ContentError(
                f"`{target}` is not a flow: packets go to an address and a port",
                where=where,
                try_="a question of names is .resolves(NAME) or .does_not_resolve(NAME)",
            )
        return self._sentence(source, whom, control, where)

    def lookups(self, source: str, name: str, control: str) -> Asked:
        """Let each pod that the name of the source stands for look the name up."""
        target = Lookup(read_name(name))
        return self._sentence(source, target, control, f"{source} -> {target}")

    def matrix(self, file: Path, namespaces: Sequence[str]) -> list[tuple[Found, State]]:
        """Probe every flow between the pods of a list's namespaces."""
        spaces = sorted(spaces_of(namespaces) or spaces_named(text_of(file), str(file)))
        found = self.found(spaces)
        pods = Pods(_names(found), found.workloads)
        table = Listed.read(file, found.topology, pods, spaces)
        seen = self._read(found, [ask for ask, _ in table.asks])
        told = ((self._found(ask, seen[ask]), table.hoped(ask)) for ask, _ in table.asks)
        return [(one, hoped) for one, hoped in told if one.state is not hoped]

    def found(self, namespaces: Sequence[str]) -> Discovered:
        """The running pods of some namespaces, as they are now.

        Raises:
            ProbeError: a namespace does not exist, or no pod takes part.
        """
        return discover(self.kube, namespaces)

    def observer(self, found: Discovered) -> Observer:
        """What puts asks to these pods."""
        return Observer(self.prober, ClusterAddresses(found.pods, self._service))

    def _service(self, namespace: str, name: str) -> dict[str, object] | None:
        return self.kube.get("v1", "Service", name, namespace)

    def _sentence(self, source: str, target: Target, control: str, where: str) -> Asked:
        refs = [read_pod(text) for text in (source, control) if text]
        spaces = {ref.namespace for ref in refs}
        spaces |= {target.pod.namespace} if isinstance(target, PodPort) else set()
        spaces |= {ref.namespace} if isinstance(ref := _pinged(target), PodRef) else set()
        found = self.found(sorted(spaces))
        pods = Pods(_names(found), found.workloads)
        targets = pods.targets(target, where=where)
        parts = [
            [Ask(*each) for each in pairs(pods.called(ref, where=where), targets)] for ref in refs
        ]
        seen = self._read(found, [ask for part in parts for ask in part])
        controlled = bool(control)
        own, *other = (
            [self._found(ask, seen[ask], controlled=controlled) for ask in part] for part in parts
        )
        return Asked(own, other[0] if other else ())

    def _read(self, found: Discovered, asks: Sequence[Ask]) -> dict[Ask, Answer[Observation]]:
        ends = [end for ask in asks for end in (ask.source, _pod_of(ask.target)) if end]
        self.equip(found, dict.fromkeys(ends))
        with self._turn():
            return self.observer(found).read(asks)

    def _found(self, ask: Ask, answer: Answer[Observation], *, controlled: bool = False) -> Found:
        flow = str(ask)
        if answer.problem is not None:
            return Found(flow, State.UNKNOWN, answer.problem.finding, answer.problem.try_)
        seen = answer.unwrap()
        why = _told(seen)
        if isinstance(ask.target, Lookup):
            state = State.RESOLVES if seen.reading.outcome is Outcome.RESOLVED else State.FAILS
            if verdict(seen) is None:
                state = State.UNKNOWN
        else:
            state = state_of(seen)
        lonely = not isinstance(ask.target, PodPort) and not controlled
        if seen.reading.outcome in SILENT and lonely:
            return Found(flow, State.UNKNOWN, why, _NO_CONTROL)
        return Found(flow, state, why, more=lambda: self._predicted(ask))

    def _predicted(self, ask: Ask) -> str:
        """What the cluster's policies say of a flow, for the reader of a failure."""
        try:
            scenario = Scenario(live_resources(self.kube, "the cluster"))
            return f"the policies of the cluster, by the API's rules:\n{self._words(scenario, ask)}"
        except HarnessError as error:
            return f"what the policies of the cluster say is not known: {error.finding}"

    @staticmethod
    def _words(scenario: Scenario, ask: Ask) -> str:
        if isinstance(ask.target, Lookup):
            told = scenario.predict(ask)
            return "\n".join([str(told.reading or "left open"), *told.reasons])
        return walk_text(walk(scenario, ask.source, ask.target))


def _names(found: Discovered) -> tuple[PodRef, ...]:
    return tuple(pod.ref for pod in found.pods)


def _pinged(target: Target) -> PodRef | str | None:
    return target.target if isinstance(target, Ping) else None


def _pod_of(target: Target) -> PodRef | None:
    return target.pod if isinstance(target, PodPort) else None


def state_of(seen: Observation) -> State:
    """How a flow is, by what was seen of it and by what its target showed to itself."""
    said = verdict(seen)
    if seen.reading.outcome is Outcome.CONNECTED:
        return State.OPEN
    if seen.reading.outcome is Outcome.FAMILIES_DIFFER:
        return State.DIFFERS
    if said is Verdict.DENY:
        return State.BLOCKED
    refused = said is Verdict.ALLOW and seen.reading.outcome in (Outcome.REFUSED, Outcome.RESET)
    return State.CLOSED if refused else State.UNKNOWN


def _told(seen: Observation) -> str:
    """What the client saw, and what the target showed to itself."""
    outcome = seen.reading.outcome
    words = [f"seen: {seen.reading} after {len(seen.attempts)} attempts: {MEANING[outcome]}"]
    if seen.peer:
        words.append(f"{seen.peer} answered")
    if seen.own is not None:
        words.append(f"to itself, inside its pod, the target shows: {seen.own}")
    return "\n".join([*words, *seen.notes])
