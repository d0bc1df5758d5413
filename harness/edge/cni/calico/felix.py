"""Calico's count of dropped packets: the counters of Felix's own rules on the pod's node.

Felix gives every pod two chains in the filter table: `cali-fw-` for packets from the pod, and
`cali-tw-` for packets to it. Each chain jumps to the chains of the policies, whose comments have
their names. After them, a rule at the end of each tier drops the packets that no policy allowed.
The names of the pod's chains end in its interface, which Calico derives from the pod's name.

The table is one of iptables or of nftables, as Calico's dataplane is. With nftables, all tables of
iptables are one, and a chain's name begins with its old table: `filter-cali-fw-`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from harness.core.manifests.liveobjects import addresses_of
from harness.core.model import Direction, PodRef
from harness.core.target.family import Family, family_of
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.api.livenames import LivePod
from harness.edge.cni.drops import Dropped, Drops
from harness.edge.machine.process import CommandFailed
from harness.errors import ProbeError

LOG_SECONDS = 60
"""Of Felix's log: so many seconds before somebody asks."""

CHAINS = {Direction.EGRESS: "cali-fw-", Direction.INGRESS: "cali-tw-"}

_RULE = re.compile(r"^\[(\d+):\d+\] -A (\S+) (.*)$")
_CHAIN = re.compile(r"^\s*chain (?:filter-)?(\S+) \{$")
_COUNTED = re.compile(r"\bcounter packets (\d+) bytes \d+\b")
_JUMP = re.compile(r"(?:-[jg]|jump|goto) (?:filter-)?(cali-\S+)")
_POLICY = re.compile(r"\bPolicy (\S+)/knp\.default\.(\S+) (?:in|e)gress\b")
_END = r"End of tier \S+ Drop if no policies passed packet"
_END_OF_TIER = re.compile(rf'"{_END}".* -j DROP|\bdrop comment "[^"]*{_END}"')


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the table: the number of packets that matched it, and its text."""

    packets: int
    words: str


Table = Mapping[str, list[Rule]]


@dataclass(frozen=True, slots=True)
class Printer:
    """The commands that print Felix's rules with their counters, and the reader of the output.

    There is a command for each family: the rules of one say nothing of the other.
    """

    commands: Mapping[Family, tuple[str, ...]]
    parse: Callable[[str], Table]


class FelixCounters:
    """The counters, read from inside of Felix's pod on the node where each pod runs."""

    def __init__(self, kube: Kube, kubectl: Exec, printer: Printer) -> None:
        self._kube = kube
        self._kubectl = kubectl
        self._printer = printer

    def tell(self, pods: Collection[PodRef]) -> Mapping[str, str]:
        """Felix's rules and log on the nodes of these pods (`harness.edge.cni.drops.DropCounter`).

        Raises:
            ProbeError: Felix does not answer.
        """
        found: dict[str, str] = {}
        for pod in pods:
            body = self._body(LivePod(pod.namespace, pod.name))
            node = str(body["spec"]["nodeName"])
            for family in {family_of(ip) for ip in addresses_of(body) if ip}:
                found[f"rules-{node}-{family}.txt"] = self._saved(node, family)
            log = self._kube.logs("kube-system", self._felix(node), since_seconds=LOG_SECONDS)
            found[f"felix-{node}.log"] = log
        return found

    def read(self, pods: Collection[LivePod]) -> Drops:
        """Both ends of each of these pods.

        Raises:
            ProbeError: Felix's rules cannot be read, or have no chain for one of the pods.
        """
        tables: dict[str, Table] = {}
        found: dict[tuple[LivePod, Direction], Dropped] = {}
        for pod in pods:
            body = self._body(pod)
            node = str(body["spec"]["nodeName"])
            if node not in tables:
                own = sorted({family_of(ip) for ip in addresses_of(body) if ip})
                told = "".join(self._saved(node, family) for family in own)
                tables[node] = self._printer.parse(told)
            for direction in Direction:
                found[pod, direction] = dropped(tables[node], pod, direction)
        return found

    def _body(self, pod: LivePod) -> Mapping[str, Any]:
        body = self._kube.get("v1", "Pod", pod.name, pod.namespace)
        if body is None:
            raise ProbeError(f"the pod {pod} does not run", where=self._kube.where)
        return body

    def _felix(self, node: str) -> str:
        """The pod in which Felix runs on a node."""
        selector = "k8s-app=calico-node"
        for body in self._kube.list("v1", "Pod", "kube-system", selector=selector):
            if body["spec"].get("nodeName") == node:
                return str(body["metadata"]["name"])
        raise ProbeError(f"no Felix runs on {node}", where=self._kube.where)

    def _saved(self, node: str, family: Family) -> str:
        """The rules of one family: Felix has a chain of the same name in each."""
        agent = self._felix(node)
        try:
            found = self._kubectl.run(
                "kube-system",
                agent,
                self._printer.commands[family],
                container="felix",
                seconds=self._kube.patience.cni_answer,
            )
        except CommandFailed as error:
            raise ProbeError(
                "Felix's counters cannot be read", where=f"on {node}", seen=error.seen
            ) from error
        return found.stdout


def interface(pod: LivePod) -> str:
    """The host's interface of a pod, whose name has a digest of the pod's name."""
    digest = sha1(f"{pod.namespace}.{pod.name}".encode(), usedforsecurity=False).hexdigest()
    return f"cali{digest[:11]}"


def parse_iptables(saved: str) -> Table:
    """The rules by chain, from the output of `iptables-save --counters`."""
    table: dict[str, list[Rule]] = {}
    for line in saved.splitlines():
        if found := _RULE.match(line):
            table.setdefault(found[2], []).append(Rule(int(found[1]), found[3]))
    return table


def parse_nftables(listed: str) -> Table:
    """The rules by chain, from the output of `nft list table`; the names are those of iptables."""
    table: dict[str, list[Rule]] = {}
    rules: list[Rule] = []
    for line in listed.splitlines():
        if found := _CHAIN.match(line):
            rules = table.setdefault(found[1], [])
        elif ' comment "' in line:  # every rule of Felix has one
            counted = _COUNTED.search(line)
            rules.append(Rule(int(counted[1]) if counted else 0, line.strip()))
    return table


IPTABLES = Printer(
    {
        Family.IPV4: ("iptables-nft-save", "--counters", "--table=filter"),
        Family.IPV6: ("ip6tables-nft-save", "--counters", "--table=filter"),
    },
    parse_iptables,
)
NFTABLES = Printer(
    {
        Family.IPV4: ("nft", "list", "table", "ip", "calico"),
        Family.IPV6: ("nft", "list", "table", "ip6", "calico"),
    },
    parse_nftables,
)


def dropped(table: Table, pod: LivePod, direction: Direction) -> Dropped:
    """The drops in one direction of a pod; 0 for a pod that no policy isolates in it.

    Raises:
        ProbeError: the table has no chain for the pod, so its silence would mean nothing.
    """
    chain = CHAINS[direction] + interface(pod)
    if chain not in table:
        raise ProbeError(f"Felix has no chain {chain} for {pod}", seen=f"{len(table)} chains")
    packets = sum(r.packets for r in table[chain] if _END_OF_TIER.search(r.words))
    return Dropped(packets, tuple(sorted(set(_policies(table, chain)))))


def _policies(table: Table, chain: str) -> Iterator[str]:
    """The policies in a chain, and in the chains that it jumps to."""
    for rule in table.get(chain, ()):
        for namespace, name in _POLICY.findall(rule.words):
            yield f"{namespace}/{name}"
        for further in _JUMP.findall(rule.words):
            yield from _policies(table, further)
