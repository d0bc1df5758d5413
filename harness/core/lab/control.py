"""The positive control of a silent row: the flow that must get an answer without policies."""

from __future__ import annotations

from dataclasses import replace

from harness.core.lab.documented import Row
from harness.core.model import Topology
from harness.core.target import NamePort, ServiceAddress
from harness.core.target.ask import Ask

UNSERVED = "unserved_port"


def control_of(row: Row, topology: Topology) -> Ask:
    """The flow that must get an answer without policies, for the row's silence to count.

    It is usually the row's own flow. If the row asks for a port that its Service does not have, it
    is a port that the Service has: some CNIs drop packets to all other ports, with or without
    policies, and the Service's own port shows that the client, the Service and the path between
    them work.
    """
    if UNSERVED not in row.lines:
        return row.ask
    match row.target:
        case ServiceAddress(namespace, name):
            pass
        case NamePort():
            name, _, rest = row.target.name.partition(".")
            namespace = rest.partition(".")[0] or row.source.namespace
        case _:
            return row.ask
    port = topology.services[f"{namespace}/{name}"].ports[0].port
    return Ask(row.source, replace(row.target, port=port))
