"""What a row points at: the `to` cell of an outcome table, and the pod of its `from` cell.

`kinds` has the values, each of which prints itself; `grammar` reads them. Both are inverse: what
`str(target)` prints, `parse_target` reads as an equal target. Everybody may call this room.
"""

from harness.core.model import PodRef
from harness.core.target.grammar import FORMS, parse_pod, parse_target
from harness.core.target.kinds import (
    Blocked,
    DnsQuery,
    ExternalPort,
    Fact,
    Lookup,
    NamePort,
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
    "FORMS",
    "Blocked",
    "DnsQuery",
    "ExternalPort",
    "Fact",
    "Lookup",
    "NamePort",
    "Ping",
    "PodPort",
    "PodRef",
    "Questions",
    "ResolverOption",
    "Rollout",
    "ServiceAddress",
    "Target",
    "parse_pod",
    "parse_target",
    "ports_of",
]
