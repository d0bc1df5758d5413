"""Which flows show that a change is in force: the flows whose prediction it changes.

Nothing sleeps. The predictions before and after a change name the flows that must flip, and polling
these flows shows when the CNI has programmed the change.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.model import NETWORK_POLICY, Direction, NetworkPolicy, Protocol
from harness.core.outcome import SILENT, Outcome, Reading, Verdict
from harness.core.policy.fqdn import matches
from harness.core.policy.selectors import selects
from harness.core.predict.scenario import Scenario
from harness.core.target import (
    DnsQuery,
    ExternalPort,
    NamePort,
    PodPort,
    PodRef,
    ServiceAddress,
    Target,
    ports_of,
)
from harness.core.target.ask import Ask, Flow
from harness.core.target.internet import INTERNET
from harness.errors import ManifestError

PASSING = frozenset({Outcome.CONNECTED, Outcome.REFUSED, Outcome.RESOLVED})
"""What a flow shows that policies let pass."""

KNOWN_NAME = "kube-dns.kube-system.svc.cluster.local."
EXTERNAL_NAME, EXTERNAL_PORT = "google.com", 80


def candidates(
    scenario: Scenario,
    sources: Iterable[PodRef],
    *,
    internet: bool = True,
    names: bool = True,
) -> tuple[Ask, ...]:
    """Every flow that probes can make here: pods and Services on their ports, DNS, the outside.

    `internet` is false where no address outside is known, `names` where it is not known which
    address a name outside leads to.
    """
    targets: list[Target] = [DnsQuery("A", KNOWN_NAME), DnsQuery("A", KNOWN_NAME, tcp=True)]
    if internet:
        targets += _outside(scenario, names=names)
    sources = tuple(sources)
    probed = set(sources)
    for pod in scenario.topology.pods.values():
        if pod.ref in probed:
            targets += [port for port in ports_of(pod) if port.protocol is Protocol.TCP]
    for service in scenario.topology.services.values():
        if service.namespace == "kube-system" or not service.selector:
            continue
        domain = f"{service.name}.{service.namespace}.svc.cluster.local."
        targets.append(DnsQuery("A", domain))
        for port in service.ports:
            if not service.headless:
                targets.append(
                    ServiceAddress(service.namespace, service.name, port.port, port.protocol)
                )
            if port.name:
                targets.append(DnsQuery("SRV", f"_{port.name}._{port.protocol.lower()}.{domain}"))
    return tuple(
        Ask(source, target)
        for source in sources
        for target in targets
        if not (isinstance(target, PodPort) and target.pod == source)
    )


def _outside(scenario: Scenario, *, names: bool) -> Iterable[Target]:
    """One flow by address or, under toFQDNs or rules.dns, one by name to each address.

    toFQDNs opens an address only after the pod has looked the name up. A flow by address alone
    might never be let pass, though it is allowed.
    """
    rules = [rule for policy in scenario.policies for rule in policy.egress]
    wanted = [peer.fqdn for rule in rules for peer in rule.peers if peer.fqdn]
    if not wanted and not any(port.dns for rule in rules for port in rule.ports):
        return [ExternalPort(EXTERNAL_NAME, EXTERNAL_PORT, Protocol.TCP)]
    if not names:
        return []
    # Of several names at one address, take the name that opens it: only its lookup does.
    opening = sorted(INTERNET, key=lambda name: not any(matches(p, name) for p in wanted))
    by_address = {INTERNET[name]: name for name in reversed(opening)}
    return [NamePort(name, 443) for name in sorted(by_address.values())]


def flips(before: Scenario | None, after: Scenario, asks: Iterable[Ask]) -> dict[Ask, Reading]:
    """The asks whose predicted reading differs from before, with the reading that must show.

    Without a state before, every flow with a prediction must show its reading.
    """
    found: dict[Ask, Reading] = {}
    unsure, was_unsure = contested(after), contested(before)
    for ask in asks:
        expected = after.predict(ask).reading
        if expected is None or _touches(unsure, ask):
            continue
        if _touches(was_unsure, ask) or expected != _reading(before, ask):
            found[ask] = expected
    return found


def relieved(before: Scenario | None, after: Scenario, asks: Iterable[Ask]) -> dict[Ask, Reading]:
    """The flows that stay denied, but no longer at a side that denied them before.

    Their prediction stays the same, so that no flip shows when the change is in force; and while a
    CNI opens the one side, it may let packets pass at the other (docs/adr/0030).
    """
    if before is None:
        return {}
    found, unsure = {}, contested(after) | contested(before)
    for ask in asks:
        now = None if _touches(unsure, ask) else after.predict(ask).reading
        if now is not None and now.outcome in SILENT and now == _reading(before, ask):
            gone = _denying(before, ask) - (still := _denying(after, ask))
            if gone and still:
                found[ask] = now
    return found


def _denying(scenario: Scenario, ask: Ask) -> frozenset[Direction]:
    """The sides that deny a flow between two pods."""
    pods = scenario.topology.pods
    source, target = pods.get(str(ask.source)), ask.target
    if source is None or not isinstance(target, PodPort) or str(target.pod) not in pods:
        return frozenset()
    decision = scenario.oracle.decide(
        Flow(source, pods[str(target.pod)], target.port, target.protocol)
    )
    sides = {Direction.EGRESS: decision.egress, Direction.INGRESS: decision.ingress}
    return frozenset(way for way, side in sides.items() if side.verdict is Verdict.DENY)


def contested(scenario: Scenario | None) -> frozenset[PodRef]:
    """The pods whose flows a CNI may treat in another way than the API (`rules_left_out`).

    A NetworkPolicy selects them that has rules for a direction which its policyTypes leave out.
    """
    odd = [policy for policy in (scenario.policies if scenario else ()) if _leaves_out(policy)]
    pods = scenario.topology.pods.values() if scenario else ()
    return frozenset(
        pod.ref
        for policy in odd
        for pod in pods
        if pod.namespace == policy.namespace and selects(policy.pod_selector, pod.labels)
    )


def _leaves_out(policy: NetworkPolicy) -> bool:
    left_out = [direction for direction in Direction if direction not in policy.policy_types]
    return policy.kind == NETWORK_POLICY and any(map(policy.rules, left_out))


def _touches(pods: frozenset[PodRef], ask: Ask) -> bool:
    return ask.source in pods or (isinstance(ask.target, PodPort) and ask.target.pod in pods)


def passing(state: Scenario, asks: Iterable[Ask]) -> dict[Ask, Reading]:
    """The asks that must get an answer in this state, with that answer."""
    unsure = contested(state)
    found = {ask: state.predict(ask).reading for ask in asks if not _touches(unsure, ask)}
    return {ask: seen for ask, seen in found.items() if seen and seen.outcome in PASSING}


def _reading(scenario: Scenario | None, ask: Ask) -> Reading | None:
    if scenario is None:
        return None
    try:
        return scenario.predict(ask).reading
    except ManifestError:  # the pod or the Service is new
        return None
