"""What a row points at: the `to` cell of an outcome table, and the pod of its `from` cell.

`kinds` has the values, each of which prints itself; `grammar` reads them. Both are inverse: what
`str(target)` prints, `parse_target` reads as an equal target. `facts` lists what can be measured
besides, and what each such row must have. `ask` joins a target with who asks, and is a flow before
and after its translation. `internet` has the names outside of the cluster.
Everybody may call this room.
"""

from harness.core.model import PodRef
from harness.core.target.facts import FACTS, UNUSED_RULES, WANTED_AGAINST_ALLOWED, FactKind, Needs
from harness.core.target.grammar import FORMS, parse_pod, parse_source, parse_target
from harness.core.target.internet import INTERNET
from harness.core.target.kinds import (
    Blocked,
    DnsQuery,
    ExternalPort,
    Fact,
    FactEnd,
    Lookup,
    Measured,
    NamePort,
    NodePort,
    Ping,
    PodPort,
    Questions,
    ResolverOption,
    Rollout,
    ServiceAddress,
    Target,
    ports_of,
)

__all__ = [
    "FACTS",
    "FORMS",
    "INTERNET",
    "UNUSED_RULES",
    "WANTED_AGAINST_ALLOWED",
    "Blocked",
    "DnsQuery",
    "ExternalPort",
    "Fact",
    "FactEnd",
    "FactKind",
    "Lookup",
    "Measured",
    "NamePort",
    "Needs",
    "NodePort",
    "Ping",
    "PodPort",
    "PodRef",
    "Questions",
    "ResolverOption",
    "Rollout",
    "ServiceAddress",
    "Target",
    "parse_pod",
    "parse_source",
    "parse_target",
    "ports_of",
]
