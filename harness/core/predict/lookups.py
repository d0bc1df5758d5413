"""What a pod's lookups cost and find: its resolver, its name server, and each name.

The scenario says what the cluster's name server answers; this module says as well what is not the
cluster's to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from harness.core.dns.podconf import CLUSTER_DOMAIN, KUBEADM_SERVER, PodConf, Server
from harness.core.dns.question import Question, absolute
from harness.core.dns.records import MAX_RECORDS, Record, records_of
from harness.core.dns.zone import Zone, resolve
from harness.core.model import PodRef, Protocol
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.fqdn import matches
from harness.core.predict.owners import is_outside
from harness.core.predict.scenario import DNS_PORT, REFUSED, Scenario
from harness.core.predict.surroundings import NAME_SERVERS
from harness.core.target.ask import Flow, outside, pod_of

UNDECIDED = "the manifests do not decide whether the pod reaches its name server"

_VERDICTS = {Outcome.CONNECTED: Verdict.ALLOW, Outcome.TIMEOUT: Verdict.DENY}


@dataclass(frozen=True, slots=True)
class Way:
    """Whether policies let a pod ask a name server.

    Attributes:
        server: the server's address.
        protocol: UDP, or TCP, which a resolver takes for long answers.
        verdict: what the policies say.
        reasons: why.
    """

    server: str
    protocol: Protocol
    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One name that a lookup asks for.

    Attributes:
        qname: the name, with its suffix and the dot at the end.
        a: the answer to the A question; None if only a name server outside knows it.
        aaaa: the same for AAAA.
    """

    qname: str
    a: Reading | None
    aaaa: Reading | None


@dataclass(frozen=True, slots=True)
class NameLookup:
    """The lookup of one name.

    Attributes:
        name: the name as the program writes it.
        steps: the names that are asked for, in their order, with the answers.
        reading: what the program gets; None if it cannot be known here.
        why: why it cannot be known, or what cuts the lookup off; else empty.
    """

    name: str
    steps: tuple[Step, ...] = ()
    reading: Reading | None = None
    why: str = ""

    @property
    def questions(self) -> int:
        """The questions on the wire: for each name an A and an AAAA question, side by side."""
        return 2 * len(self.steps)


@dataclass(frozen=True, slots=True)
class PodLookups:
    """All that DNS means to a pod.

    Attributes:
        pod: the pod.
        conf: its resolver.
        ways: whether it may ask its name servers.
        askable: the names and patterns that it may ask about; None if all names.
        lookups: the names that somebody asked about.
        records: the names that exist, if nobody asked about any.
        assumed: what was taken for granted, in sentences.
    """

    pod: PodRef
    conf: PodConf
    ways: tuple[Way, ...]
    askable: tuple[str, ...] | None
    lookups: tuple[NameLookup, ...]
    records: tuple[Record, ...]
    assumed: tuple[str, ...]


def lookups_of(scenario: Scenario, pod: PodRef, names: Iterable[str]) -> PodLookups:
    """What the lookups of these names come to for a pod; without names, which names exist.

    Raises:
        ManifestError: the pod is not there.
        OutcomeTableError: a name is not a valid DNS name.
    """
    conf = scenario.resolver(pod)
    ways = tuple(_ways(scenario, pod, conf))
    cluster = conf.server is Server.CLUSTER
    askable = scenario.askable(pod) if cluster else None
    lookups = tuple(_lookup(scenario, pod, conf, askable, name) for name in names)
    listed = () if lookups else records_of(scenario.zone, without=[NAME_SERVERS])
    assumed = tuple(_assumed(scenario, conf, lookups, listed))
    return PodLookups(pod, conf, ways, askable, lookups, listed, assumed)


def _ways(scenario: Scenario, pod: PodRef, conf: PodConf) -> Iterator[Way]:
    client = pod_of(pod, scenario.topology)
    for place, server in enumerate(conf.conf.nameservers):
        for protocol in (Protocol.UDP, Protocol.TCP):
            if place == 0 and conf.server is Server.CLUSTER:
                path = scenario.way_to_dns(pod, tcp=protocol is Protocol.TCP)
                outcome = path.reading.outcome if path.reading else None
                verdict = _VERDICTS.get(outcome, Verdict.UNDEFINED) if outcome else None
                yield Way(server, protocol, verdict or Verdict.UNDEFINED, path.reasons)
            else:
                end = outside(server, scenario.topology)
                decision = scenario.oracle.decide(Flow(client, end, DNS_PORT, protocol))
                yield Way(server, protocol, decision.verdict, decision.reasons)


def _lookup(
    scenario: Scenario, pod: PodRef, conf: PodConf, askable: tuple[str, ...] | None, name: str
) -> NameLookup:
    path = scenario.name_server(pod)
    if path.reading is None:
        return NameLookup(name, why=path.reasons[-1] if path.reasons else UNDECIDED)
    if path.reading.outcome is not Outcome.CONNECTED:
        why = "the policies close the way to the name server"
        return NameLookup(name, reading=Reading(Outcome.DNS_TIMEOUT), why=why)
    inside = partial(_answer, scenario.zone, askable)
    found, reading = _walk(name, conf, inside)
    as_is = absolute(name).lower()
    if reading.outcome in (Outcome.DNS_NXDOMAIN, Outcome.DNS_NODATA) and is_outside(as_is):
        # Nobody in the cluster has the name, so somebody outside is meant.
        zone = replace(scenario.zone, external={**scenario.zone.external, as_is: ""})
        found, reading = _walk(name, conf, partial(_answer, zone, askable))
    if reading.outcome is Outcome.RESOLVED and is_outside(found[-1].qname):
        why = "not answered by the cluster: its name server asks those of the node about this name"
        return NameLookup(name, (*found[:-1], Step(found[-1].qname, None, None)), None, why)
    return NameLookup(name, found, reading)


def _walk(
    name: str, conf: PodConf, answer: Callable[[Question], Reading]
) -> tuple[tuple[Step, ...], Reading]:
    def either(question: Question) -> Reading:
        """An address of either family ends the lookup."""
        four = answer(question)
        if four.outcome is not Outcome.DNS_NODATA:
            return four
        six = answer(replace(question, rdtype="AAAA"))
        return six if six.outcome is Outcome.RESOLVED else four

    reading, asked = resolve(name, either, search=conf.conf.search, ndots=conf.conf.ndots)
    steps = (Step(q.qname, answer(q), answer(replace(q, rdtype="AAAA"))) for q in asked)
    return tuple(steps), reading


def _answer(zone: Zone, askable: tuple[str, ...] | None, question: Question) -> Reading:
    if askable is None or any(matches(pattern, question.qname) for pattern in askable):
        return zone.lookup(question)
    return REFUSED


def _assumed(
    scenario: Scenario, conf: PodConf, lookups: Iterable[NameLookup], records: tuple[Record, ...]
) -> Iterator[str]:
    if conf.server is Server.CLUSTER:
        if scenario.topology.services[NAME_SERVERS].cluster_ip is None:
            yield f"the cluster's name server has kubeadm's address, {KUBEADM_SERVER}"
        yield f"the cluster's domain is {CLUSTER_DOMAIN}"
        yield "the node's resolv.conf adds no search domain"
    if len(records) == MAX_RECORDS:
        yield f"there are more names; {MAX_RECORDS} records are listed"
    yield (
        "every pod is ready whose status does not say otherwise; one that is not has no record, "
        "unless its Service sets publishNotReadyAddresses"
    )
    steps = {step for found in lookups for step in found.steps if is_outside(step.qname)}
    for step in sorted(steps, key=lambda step: step.qname):
        there = "exists" if step.a is None else "does not exist"
        if step.a != REFUSED:
            yield f"{step.qname} is outside of the cluster and {there}"
