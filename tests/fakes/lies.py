"""How a CNI, a node or a prober may be bad. Each is one departure from what it should do.

`Lie` itself departs in nothing: an honest cluster. An heir changes one of its methods.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from harness.core.model import Direction, Protocol, Rule
from harness.core.observation import Phase
from harness.core.target.family import Family, family_of
from tests.fakes.packet import NOBODY, InForce, Met, Packet, PodKey, Policies

OURS = "policylab-gate"
"""The gate's namespace. A lie that begins in it would stop the run before the first row."""
DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Lie:
    """An honest cluster."""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        """The policies in force at a moment, of all states that the cluster was in until then."""
        return states[-1].policies

    def mood(self, states: Sequence[InForce], moment: float) -> Hashable:
        """What else `enforced` depends on; equal moods of equal states enforce the same."""
        return None

    def judges(self, packet: Packet) -> bool:
        """Whether policies are applied to a packet."""
        return True

    def met(self, packet: Packet, met: Met) -> Met:
        """What becomes of a packet that should have met this."""
        return met

    def broken(self, pod: tuple[str, str]) -> str:
        """Why the prober of a pod (namespace and live name) does not answer; empty if it does."""
        return ""

    def attempts(self, pod: PodKey, wanted: Sequence[float]) -> Sequence[float]:
        """When the prober of a pod that should begin its attempts at these times begins them."""
        return wanted

    def seen_as(self, client: str) -> str:
        """Under which address a server sees a client of that address."""
        return client

    def cuts(self) -> bool:
        """Whether connections that are held are cut."""
        return False

    def told(self, drops: int) -> int:
        """How many packets the CNI says that it dropped at an end where it dropped so many."""
        return drops


def _but(policies: Policies, namespace: str, name: str) -> Policies:
    return tuple(p for p in policies if (p.namespace, p.name) != (namespace, name))


@dataclass(frozen=True, slots=True)
class Late(Lie):
    """Policies of tutorials come into force long after every deadline."""

    late: float = 300.0

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        long_ago = self._then(states, moment)
        ours = [p for p in states[-1].policies if p.namespace == OURS]
        return (*ours, *(p for p in long_ago if p.namespace != OURS))

    def mood(self, states: Sequence[InForce], moment: float) -> Hashable:
        return id(self._then(states, moment))

    def _then(self, states: Sequence[InForce], moment: float) -> Policies:
        known = [state.policies for state in states if state.since <= moment - self.late]
        return known[-1] if known else ()


@dataclass(frozen=True, slots=True)
class Flapping(Lie):
    """Policies are in force for so many seconds, then not, and so on.

    0.15 s lie between the first two attempts of a probe: never are both in the same half.
    """

    seconds: float = 0.15

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        kept = tuple(p for p in states[-1].policies if p.namespace == OURS)
        return states[-1].policies if self.mood(states, moment) else kept

    def mood(self, states: Sequence[InForce], moment: float) -> Hashable:
        return int(moment / self.seconds) % 2


@dataclass(frozen=True, slots=True)
class Forgets(Lie):
    """One policy is accepted and never enforced."""

    namespace: str = ""
    name: str = ""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        return _but(states[-1].policies, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class KeepsDeleted(Lie):
    """A policy that was deleted stays in force."""

    namespace: str = ""
    name: str = ""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        kept = {
            p
            for state in states
            for p in state.policies
            if (p.namespace, p.name) == (self.namespace, self.name)
        }
        return (*_but(states[-1].policies, self.namespace, self.name), *kept)


@dataclass(frozen=True, slots=True)
class IgnoresEgress(Lie):
    """Egress is open for everybody, whatever policies say."""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        return tuple(
            replace(p, policy_types=p.policy_types - {Direction.EGRESS}, egress=())
            for p in states[-1].policies
        )


@dataclass(frozen=True, slots=True)
class IgnoresPorts(Lie):
    """A rule that lets a peer pass on one port lets it pass on all."""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        return tuple(
            replace(
                p,
                ingress=tuple(replace(rule, ports=()) for rule in p.ingress),
                egress=tuple(replace(rule, ports=()) for rule in p.egress),
            )
            for p in states[-1].policies
        )


@dataclass(frozen=True, slots=True)
class LetsNobodyIn(Lie):
    """What a policy lets in is left out; who is isolated stays isolated."""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        return tuple(
            p if p.namespace == OURS else replace(p, ingress=()) for p in states[-1].policies
        )


@dataclass(frozen=True, slots=True)
class Refuses(Lie):
    """What policies close is refused at once instead of being dropped."""

    def met(self, packet: Packet, met: Met) -> Met:
        if met.dropped is None or packet.source[0] == OURS:
            return met
        return replace(met, phase=Phase.REFUSED, ms=0.3)


@dataclass(frozen=True, slots=True)
class FoolsProbers(Lie):
    """Policies are enforced on what probers send, and on nothing else."""

    def judges(self, packet: Packet) -> bool:
        return packet.probe


@dataclass(frozen=True, slots=True)
class BlackHole(Lie):
    """What one pod sends to other pods of the tutorial is lost, with or without policies."""

    namespace: str = ""
    pod: str = ""

    def met(self, packet: Packet, met: Met) -> Met:
        own = packet.source == (self.namespace, self.pod)
        lost = own and packet.target not in (NOBODY, packet.source)
        lost = lost and packet.target[0] != "kube-system"
        return replace(met, phase=Phase.TIMEOUT, data=b"") if lost else met


@dataclass(frozen=True, slots=True)
class HalfDead(Lie):
    """The server of one pod hangs: it is Ready, and answers nobody, not even itself."""

    namespace: str = ""
    pod: str = ""

    def met(self, packet: Packet, met: Met) -> Met:
        namespace, name = packet.target
        dead = namespace == self.namespace and name.startswith(self.pod)
        return replace(met, phase=Phase.TIMEOUT, data=b"") if dead else met


@dataclass(frozen=True, slots=True)
class WrongPeer(Lie):
    """Connections to one pod are answered by somebody else."""

    namespace: str = ""
    pod: str = ""

    def met(self, packet: Packet, met: Met) -> Met:
        namespace, name = packet.target
        if namespace != self.namespace or not name.startswith(self.pod):
            return met
        return replace(met, data=met.data.replace(name.encode(), b"intruder"))


@dataclass(frozen=True, slots=True)
class LosesAnswers(Lie):
    """Datagrams arrive, and the answers to them are lost on their way back."""

    def met(self, packet: Packet, met: Met) -> Met:
        if packet.protocol != "udp" or packet.source[0] == OURS:
            return met
        return replace(met, phase=Phase.TIMEOUT, data=b"")


@dataclass(frozen=True, slots=True)
class DeadProber(Lie):
    """The prober of one pod does not answer."""

    namespace: str = ""
    pod: str = ""

    def broken(self, pod: tuple[str, str]) -> str:
        dead = pod[0] == self.namespace and pod[1].startswith(self.pod)
        return "the stream ended" if dead else ""


@dataclass(frozen=True, slots=True)
class LazyProbers(Lie):
    """Probers make the first attempt of each probe and leave out the others."""

    def attempts(self, pod: PodKey, wanted: Sequence[float]) -> Sequence[float]:
        return wanted if pod[0] == OURS else wanted[:1]


@dataclass(frozen=True, slots=True)
class EnforcesNothing(Lie):
    """Policies are accepted, and that is all."""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        return ()


@dataclass(frozen=True, slots=True)
class SilentCounters(Lie):
    """The CNI's own account knows of no dropped packet."""

    def told(self, drops: int) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Masquerades(Lie):
    """Servers see the address of a node in place of the client's own."""

    def seen_as(self, client: str) -> str:
        return "172.18.0.2"


@dataclass(frozen=True, slots=True)
class FirstPacket(Lie):
    """The first packet of each connection passes before the policies are looked at.

    Of TCP that is the SYN, so that a client is connected and then hears nothing; a datagram arrives
    whole, and its answer belongs to a connection that is known by then.
    """

    def judges(self, packet: Packet) -> bool:
        return packet.protocol != "udp" or packet.source[0] == OURS

    def met(self, packet: Packet, met: Met) -> Met:
        shows = packet.protocol == "tcp" and packet.port != DNS_PORT  # a question wants its answer
        if met.dropped is None or packet.source[0] == OURS or not shows:
            return met
        return replace(met, phase=Phase.CONNECTED)


@dataclass(frozen=True, slots=True)
class ForgetsFamily(Lie):
    """Policies are applied to packets of the other family alone; with `gate`, the gate's as well.

    This is what a CNI does whose rules for one family were not written, or not switched on.
    """

    family: Family = Family.IPV6
    gate: bool = False

    def judges(self, packet: Packet) -> bool:
        ours = packet.source[0] == OURS and not self.gate
        return ours or family_of(packet.address) is not self.family


@dataclass(frozen=True, slots=True)
class IgnoresSctp(Lie):
    """Policies are applied to TCP and UDP, and SCTP passes whatever they say."""

    def judges(self, packet: Packet) -> bool:
        return packet.protocol != "sctp"


@dataclass(frozen=True, slots=True)
class TakesSctpForTcp(Lie):
    """A rule for a port of SCTP opens that port of TCP in its place."""

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        return tuple(
            replace(
                p,
                ingress=tuple(map(_as_tcp, p.ingress)),
                egress=tuple(map(_as_tcp, p.egress)),
            )
            for p in states[-1].policies
        )


def _as_tcp(rule: Rule) -> Rule:
    ports = (
        replace(port, protocol=Protocol.TCP) if port.protocol is Protocol.SCTP else port
        for port in rule.ports
    )
    return replace(rule, ports=tuple(ports))


@dataclass(frozen=True, slots=True)
class KnowsNoSctp(Lie):
    """SCTP between pods is lost, with or without policies; a pod still reaches itself."""

    def met(self, packet: Packet, met: Met) -> Met:
        lost = packet.protocol == "sctp" and packet.source != packet.target
        return replace(met, phase=Phase.TIMEOUT, data=b"") if lost else met


@dataclass(frozen=True, slots=True)
class CutsConnections(Lie):
    """A connection that is held is cut, whatever policies say."""

    def cuts(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class NoNodePorts(Lie):
    """Nobody answers at the port of a node."""

    def met(self, packet: Packet, met: Met) -> Met:
        return Met(Phase.TIMEOUT) if packet.at_node else met


@dataclass(frozen=True, slots=True)
class KeepsRights(Lie):
    """A pod has the rights of another one, which had its address and has ended."""

    namespace: str = ""
    new: str = ""
    reaches: str = ""

    def judges(self, packet: Packet) -> bool:
        ends = (self.namespace, self.new), (self.namespace, self.reaches)
        return (packet.source, packet.target) != ends
