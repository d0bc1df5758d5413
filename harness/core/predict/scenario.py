"""The middle column: what policy semantics and the DNS specification say, without a cluster.

The reading of a prediction is None where the semantics leave the answer open (ICMP under a policy,
a Service whose pods differ, a measurement). Then only the tutorial and the cluster are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.core.dns.podconf import (
    KUBEADM_SERVERS,
    PodConf,
    Server,
    conf_of,
)
from harness.core.dns.question import Question, absolute
from harness.core.dns.zone import Zone, resolve
from harness.core.manifests.basis import basis_of
from harness.core.manifests.reader import Loaded, Resource, policies_of, topology_of
from harness.core.model import External, NetworkPolicy, Pod, Protocol, Service, Topology
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.fqdn import matches
from harness.core.policy.oracle import Oracle
from harness.core.policy.reasons import name_refused
from harness.core.predict.audit import Audit
from harness.core.predict.owners import Owner, is_outside, owner_of
from harness.core.predict.surroundings import NAME_SERVERS, with_surroundings
from harness.core.target import (
    FACTS,
    Blocked,
    DnsQuery,
    ExternalPort,
    Fact,
    FactEnd,
    Lookup,
    NamePort,
    Needs,
    NodePort,
    Ping,
    PodPort,
    PodRef,
    Questions,
    ResolverOption,
    Rollout,
    ServiceAddress,
)
from harness.core.target.ask import Ask, Flow, absent, flow_of, pod_of
from harness.core.target.family import IPV4, Families, Family, record_type, seen_over
from harness.core.target.internet import EXTERNAL_PORTS, INTERNET
from harness.errors import ManifestError

DNS_PORT = 53

REFUSED = Reading(Outcome.DNS_REFUSED)
"""What Cilium's DNS proxy answers by default (its option tofqdns-dns-reject-response-code)."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A reading, or None where the semantics leave the answer open, and the oracle's reasons."""

    reading: Reading | None
    reasons: tuple[str, ...] = ()


OPEN = Prediction(None)
"""A prediction that is left open, without a reason."""


def _agreed(found: Mapping[Family, Prediction]) -> Prediction:
    """What holds over each family; left open where it is left open over one."""
    nodata = Reading(Outcome.DNS_NODATA)  # over a family in which the name has no address
    found = {f: each for f, each in found.items() if each.reading != nodata} or found
    first, *others = found.values()
    if all(each.reading == first.reading for each in others):
        return first
    reasons = tuple(f"over {f}: {reason}" for f, each in found.items() for reason in each.reasons)
    readings = {family: each.reading for family, each in found.items() if each.reading}
    if len(readings) < len(found):
        return Prediction(None, reasons)
    told = ", ".join(f"{family} {reading.outcome}" for family, reading in readings.items())
    return Prediction(Reading(Outcome.FAMILIES_DIFFER, told), reasons)


class Scenario:
    """A state of the cluster, as manifests describe it.

    `ips` are pods' addresses, if known. `files` are the files from which the resources come, if
    they come from files: the basis of the answers then speaks of them as well. Who knows more than
    the manifests do hands over the whole `topology`, or the `policies` as a CNI enforces them.
    `families` are those of the cluster; `other_ips` are pods' addresses of the second one. With two
    families each prediction holds over both, or says that they differ. `over` makes a scenario of
    one of them alone. `internet`: the simulated internet is there, as it is for the labs; else
    nothing is known of any name outside.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        ips: Mapping[str, str] | None = None,
        *,
        files: Loaded | None = None,
        topology: Topology | None = None,
        policies: Iterable[NetworkPolicy] | None = None,
        families: Families = IPV4,
        other_ips: Mapping[str, str] | None = None,
        over: Family | None = None,
        internet: bool = True,
    ) -> None:
        resources = tuple(resources)
        self.families, self._family = families, over or families[0]
        known = ips if self._family is families[0] else other_ips
        if topology is None:
            described = topology_of(resources, known)
            self.topology = with_surroundings(described, self._family, internet=internet)
        else:
            self.topology = topology if over is None else seen_over(topology, over)
        self.basis = basis_of(resources, self.topology, files)
        self.policies = policies_of(resources) if policies is None else tuple(policies)
        self.oracle = Oracle(self.topology, self.policies)
        self.audit = Audit(resources, self.topology, self.policies)
        # Names without addresses: each cluster has its own addresses for the simulated internet.
        self.zone = Zone(
            self.topology,
            external=dict.fromkeys(INTERNET if internet else (), ""),
            families=self.families,
        )
        # A state does not change, so neither do its predictions. One change of the cluster asks for
        # most of them several times: before, after, and for the rows.
        self._predictions: dict[Ask, Prediction] = {}
        self._ways_to_dns: dict[tuple[PodRef, bool], Prediction] = {}
        self._others = {
            family: Scenario(
                resources,
                ips,
                files=files,
                topology=topology,
                policies=policies,
                families=families,
                other_ips=other_ips,
                over=family,
                internet=internet,
            )
            for family in (families[1:] if over is None else ())
        }

    def predict(self, ask: Ask) -> Prediction:
        """What the client will see; each prediction is worked out once.

        Raises:
            ManifestError: the row names something that no manifest in force has.
        """
        if ask not in self._predictions:
            found = {family: other.predict(ask) for family, other in self._others.items()}
            self._predictions[ask] = _agreed({self._family: self._predict(ask), **found})
        return self._predictions[ask]

    def _predict(self, ask: Ask) -> Prediction:
        source, target = ask.source, ask.target
        match target:
            case PodPort() | ExternalPort() | Ping():
                return self._reach(flow_of(source, target, self.topology))
            case ServiceAddress() | NodePort():
                return self._service(source, target)
            case NamePort():
                return self._name(source, target)
            case DnsQuery():
                return self._dns(source, target)
            case Lookup() | Questions():
                return self._lookup(source, target)
            case ResolverOption():
                return self._resolver_option(source, target.name)
            case Blocked():
                flow = flow_of(source, target.end, self.topology)
                return Prediction(*self.audit.blocked(flow))
            case Rollout():
                pod_of(source, self.topology)
                _ = self.audit.wanted  # its watch needs the list: raises where there is none
                return Prediction(None)
            case Fact():
                return self._fact(source, target)

    def _fact(self, source: PodRef, fact: Fact) -> Prediction:
        """What policies and wanted flows say of a fact; most facts only a measurement can tell.

        Raises:
            ManifestError: the state lacks something that the fact needs.
        """
        if FACTS[fact.name].needs is Needs.DEPLOYMENT:
            self._has_deployment(source)
        else:
            pod_of(source, self.topology)
        for end in fact.ends:
            self._has(source, end)
        return Prediction(self.audit.fact(fact))

    def _has_deployment(self, ref: PodRef) -> None:
        names = {
            str(PodRef(resource.namespace, resource.name))
            for resource in self.audit.resources
            if resource.kind == "Deployment"
        }
        if str(ref) not in names:
            raise absent(f"no manifest in force has the Deployment {ref}", str(ref), names)

    def _has(self, source: PodRef, end: FactEnd) -> None:
        match end:
            case PodPort():
                flow = flow_of(source, end, self.topology)
                if not _listens(flow):
                    raise ManifestError(
                        f"the pod {end.pod} does not declare the port {end.protocol} {end.port}"
                    )
            case PodRef():
                pod_of(end, self.topology)
            case NamePort(name):
                flow_of(source, ExternalPort(name, end.port, end.protocol), self.topology)
            case str(name):
                if self._resolve(source, name, None)[0].outcome is not Outcome.RESOLVED:
                    names = self.topology.external
                    raise absent(f"no name server here knows `{name}`", name, names)

    def _reach(self, flow: Flow) -> Prediction:
        decision = self.oracle.decide(flow)
        reading = {
            Verdict.DENY: Reading(Outcome.TIMEOUT),
            Verdict.ALLOW: Reading(Outcome.CONNECTED if _listens(flow) else Outcome.REFUSED),
            # What a client sees hangs on its request: the proxy answers the ones that are refused.
            Verdict.SOME: None,
            Verdict.UNDEFINED: None,
        }[decision.verdict]
        return Prediction(reading, decision.reasons)

    def _at_node(self, source: PodRef, service: Service, target: NodePort) -> Prediction:
        """What holds whosever address policies see: the client's or a node's (docs of ipBlock).

        So only a flow passes for certain that passes from both, and to both.
        """
        client, node = pod_of(source, self.topology), External("a node", None)
        entry = [p for p in service.ports if (p.port, p.protocol) == (target.port, target.protocol)]
        ways = [Flow(client, node, 0, target.protocol)] if entry else []
        for pod in self.topology.behind(service) if entry else ():
            if (port := entry[0].at(pod)) is not None:
                ways.append(Flow(client, pod, port, target.protocol, translated=True))
                ways.append(Flow(node, pod, port, target.protocol))
        closed = [way for way in ways if self.oracle.verdict(way) is not Verdict.ALLOW]
        if not closed and len(ways) > 1:
            return Prediction(Reading(Outcome.CONNECTED))
        why = (f"undefined: policies may see {way}, which is not open" for way in closed)
        return Prediction(None, tuple(why))

    def _service(self, source: PodRef, target: ServiceAddress | NodePort) -> Prediction:
        services, key = self.topology.services, f"{target.namespace}/{target.name}"
        if key not in services:
            raise absent(f"no manifest in force has the Service {key}", key, services)
        service = services[key]
        if isinstance(target, NodePort):
            return self._at_node(source, service, target)
        if service.headless:
            raise ManifestError(
                f"the Service {service} is headless: it has no address of its own",
                try_=f"write name/{service.name}.{service.namespace}:PORT",
            )
        return self._through(source, service, target.port, target.protocol)

    def _through(
        self, source: PodRef, service: Service, port: int, protocol: Protocol
    ) -> Prediction:
        """Policies see a flow after the Service's translation, so the backends decide."""
        backends = self.topology.behind(service)
        if service.headless:
            # DNS gives the pods' own addresses, so nothing translates the port.
            return self._all([(pod, port) for pod in backends], source, protocol)
        ports = [p for p in service.ports if p.port == port and p.protocol == protocol]
        if not ports or not backends:
            if not service.selector:
                return OPEN  # somebody else says which addresses are behind it
            # The API leaves to kube-proxy what answers for a port that the Service does not have.
            return Prediction(Reading(Outcome.REFUSED) if ports else None)
        ends = [(pod, number) for pod in backends if (number := ports[0].at(pod)) is not None]
        return self._all(ends, source, protocol, translated=True)

    def _all(
        self,
        ends: Iterable[tuple[Pod | External, int]],
        source: PodRef,
        protocol: Protocol,
        *,
        translated: bool = False,
    ) -> Prediction:
        """The reading that all of these ends share; None where they differ or there is no end."""
        client = pod_of(source, self.topology)
        found = {self._reach(Flow(client, pod, port, protocol, translated)) for pod, port in ends}
        readings = {prediction.reading for prediction in found}
        reasons = tuple(sorted({reason for prediction in found for reason in prediction.reasons}))
        return Prediction(readings.pop() if len(readings) == 1 else None, reasons)

    @property
    def _name_servers(self) -> Service:
        return self.topology.services[NAME_SERVERS]

    def resolver(self, source: PodRef) -> PodConf:
        """The resolver of a pod, as the kubelet writes it.

        Raises:
            ManifestError: the pod is not there.
        """
        address = self._name_servers.cluster_ip or KUBEADM_SERVERS[self.families[0]]
        return conf_of(pod_of(source, self.topology), cluster_server=str(address))

    def _resolver_option(self, source: PodRef, name: str) -> Prediction:
        resolver = self.resolver(source)
        written = resolver.conf.option(name)
        return Prediction(Reading(Outcome.SHOWS, written) if written else None)

    def name_server(self, source: PodRef, *, tcp: bool = False) -> Prediction:
        """Whether a pod reaches the cluster's name server; open where it asks another server.

        Raises:
            ManifestError: the pod is not there.
        """
        resolver = self.resolver(source)
        if resolver.server is not Server.CLUSTER:
            return Prediction(None, (resolver.not_the_clusters,))
        path = self.way_to_dns(source, tcp=tcp)
        others = ", ".join(resolver.conf.nameservers[1:])
        if others and path.reading is not None and path.reading.outcome is Outcome.TIMEOUT:
            then = f"not answered by the cluster: its server is silent, and the pod asks {others}"
            return Prediction(None, (*path.reasons, then))
        return path

    def way_to_dns(self, source: PodRef, *, tcp: bool) -> Prediction:
        """What the policies say of the way from a pod to the cluster's name server.

        Raises:
            ManifestError: the pod is not there.
        """
        if (source, tcp) not in self._ways_to_dns:
            server, protocol = self._name_servers, Protocol.TCP if tcp else Protocol.UDP
            self._ways_to_dns[source, tcp] = self._through(source, server, DNS_PORT, protocol)
        return self._ways_to_dns[source, tcp]

    def askable(self, source: PodRef, *, tcp: bool = False) -> tuple[str, ...] | None:
        """The names that a pod may ask the cluster's name server about; None if all of them.

        Raises:
            ManifestError: the pod is not there.
        """
        protocol = Protocol.TCP if tcp else Protocol.UDP
        servers = self.topology.behind(self._name_servers)
        client = pod_of(source, self.topology)
        found = {
            self.oracle.askable(Flow(client, server, DNS_PORT, protocol)) for server in servers
        }
        return found.pop() if len(found) == 1 else None

    def _dns(self, source: PodRef, query: DnsQuery) -> Prediction:
        path = self.name_server(source, tcp=query.tcp)
        if path.reading is None or path.reading.outcome is not Outcome.CONNECTED:
            return _dns_cut(path)
        names = self.askable(source, tcp=query.tcp)
        question = Question(query.qname, record_type(query.rdtype, self.families))
        return _answered(self._answer(names, question), names, (question,), path)

    def _lookup(self, source: PodRef, target: Lookup | Questions) -> Prediction:
        if isinstance(target, Lookup):
            return self._looked_up(source, target.name)[0]
        # What is counted are questions of type A: a program asks them on every family.
        found, asked = self._looked_up(source, target.name, Family.IPV4)
        if not asked:
            return found
        names = self.askable(source, tcp=False)
        # What the proxy refuses never reaches the name server.
        received = [q for q in asked if self._answer(names, q) != REFUSED]
        return replace(found, reading=Reading(Outcome.SHOWS, count_of(len(received))))

    def _looked_up(
        self, source: PodRef, name: str, family: Family | None = None
    ) -> tuple[Prediction, tuple[Question, ...]]:
        """What a lookup shows, and its questions up to the last; none if DNS is out of reach."""
        path = self.name_server(source, tcp=False)
        if path.reading is None or path.reading.outcome is not Outcome.CONNECTED:
            return _dns_cut(path), ()
        names = self.askable(source, tcp=False)
        reading, asked = self._resolve(source, name, names, family=family)
        return _answered(reading, names, asked, path), asked

    def _resolve(
        self,
        source: PodRef,
        name: str,
        names: tuple[str, ...] | None,
        zone: Zone | None = None,
        family: Family | None = None,
    ) -> tuple[Reading, tuple[Question, ...]]:
        conf = self.resolver(source).conf
        answer = partial(self._answer, names, zone=zone)
        rdtype = (family or self._family).rdtype
        return resolve(name, answer, search=conf.search, ndots=conf.ndots, rdtype=rdtype)

    def _answer(
        self, names: tuple[str, ...] | None, question: Question, zone: Zone | None = None
    ) -> Reading:
        """The name server's answer, or the DNS proxy's where only `names` may be asked about."""
        if names is None or any(matches(name, question.qname) for name in names):
            return (zone or self.zone).lookup(question)
        return REFUSED

    def _name(self, source: PodRef, target: NamePort) -> Prediction:
        lookup, owner = self.named(source, target.name)
        if isinstance(owner, Service):
            return self._through(source, owner, target.port, Protocol.TCP)
        if owner:
            return self._all([(end, target.port) for end in owner], source, Protocol.TCP)
        return OPEN if lookup.reading and lookup.reading.outcome is Outcome.RESOLVED else lookup

    def named(self, source: PodRef, name: str) -> tuple[Prediction, Owner]:
        """What a pod's lookup of a name shows, and whom the name means; empty: nobody known.

        Raises:
            ManifestError: the pod is not there.
        """
        lookup, asked = self._looked_up(source, name)
        if lookup.reading is None or lookup.reading.outcome is Outcome.DNS_TIMEOUT:
            return lookup, ()
        if lookup.reading.outcome is Outcome.RESOLVED:
            return lookup, owner_of(asked[-1].qname, self.topology)
        names = self.askable(source)
        (other,) = (family for family in Family if family is not self._family)
        for question in (replace(each, rdtype=other.rdtype) for each in asked):
            found = self._answer(names, question)
            if found.outcome is Outcome.RESOLVED:
                return replace(lookup, reading=found), owner_of(question.qname, self.topology)
        return lookup, ()

    def asks_outside(self, source: PodRef, name: str) -> bool:
        """Whether only name servers outside of the cluster know if a name exists.

        Nobody in the cluster has it, and policies let the pod ask for it.

        Raises:
            ManifestError: the pod is not there.
        """
        path = self.name_server(source)
        reached = path.reading is not None and path.reading.outcome is Outcome.CONNECTED
        if not reached or not is_outside(name) or self.named(source, name)[1]:
            return False
        full = absolute(name).lower()
        zone = replace(self.zone, external={**self.zone.external, full: ""})
        reading, asked = self._resolve(source, name, self.askable(source), zone)
        return reading.outcome is Outcome.RESOLVED and asked[-1].qname.lower() == full


def count_of(questions: int) -> str:
    """The detail of a count, as tables write it."""
    return f"{questions} question{'' if questions == 1 else 's'}"


def _answered(
    reading: Reading, names: tuple[str, ...] | None, asked: Sequence[Question], path: Prediction
) -> Prediction:
    refused = [name_refused(asked[-1].qname, names or ())] if reading == REFUSED else []
    return Prediction(reading, (*path.reasons, *refused))


def _dns_cut(path: Prediction) -> Prediction:
    silent = path.reading is not None and path.reading.outcome is Outcome.TIMEOUT
    return replace(path, reading=Reading(Outcome.DNS_TIMEOUT) if silent else None)


def _listens(flow: Flow) -> bool:
    if flow.protocol is Protocol.ICMP:
        return True
    if isinstance(flow.target, External):
        return flow.protocol is Protocol.TCP and flow.port in EXTERNAL_PORTS
    return any((p.number, p.protocol) == (flow.port, flow.protocol) for p in flow.target.ports)
