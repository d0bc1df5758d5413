"""The flows that are wanted, as a person writes them down; the measure of least privilege.

A list in YAML, one entry a path:

    - {from: develop/frontend, to: pod/develop/backend:8080}
    - {from: develop/*, to: dns}

`from` is a pod, or every pod of a namespace. `to` is `pod/NAMESPACE/NAME:PORT[/udp]`,
`net/HOST:PORT[/udp]` (outside of the cluster), or `dns`: CoreDNS on port 53, UDP and TCP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from harness.core.ask import Flow, flow_of
from harness.core.manifests.reader import Resource
from harness.core.manifests.text.documents import Document
from harness.core.manifests.text.reading import read
from harness.core.model import Pod, Protocol, Topology
from harness.core.target import ExternalPort, PodPort, parse_target
from harness.errors import ManifestError, OutcomeTableError

CONFIG_MAP = "wanted-flows"
"""The ConfigMap by which a lab's manifests carry the list, under the key `flows`."""

MAX_BYTES = 64 * 1024
MAX_ENTRIES = 1000
DNS_PORT = 53
SYSTEM = "kube-system"
EVERY = "*"


def wanted_in(resources: Iterable[Resource], topology: Topology) -> tuple[Flow, ...] | None:
    """The wanted flows that a state's ConfigMap lists, or None if it has no such list.

    Raises:
        ManifestError: the list is wrong; the message names the entry.
    """
    for resource in resources:
        if (resource.kind, resource.name) == ("ConfigMap", CONFIG_MAP):
            text = (resource.body.get("data") or {}).get("flows", "")
            return parse_wanted(text, topology, origin=f"{resource.origin} (flows)")
    return None


def parse_wanted(text: str, topology: Topology, *, origin: str) -> tuple[Flow, ...]:
    """Read a list of wanted flows, and find their ends among those who are there; each comes once.

    Raises:
        ManifestError: it is no such list, is larger than `MAX_BYTES` or `MAX_ENTRIES` allow, or
            names an end that is not there; the message has the line.
    """
    document = _document(text, origin)
    flows: dict[Flow, None] = {}
    for number, entry in enumerate(document.value):
        where = f"{origin}:{document.line((number,))}"
        if not isinstance(entry, dict) or entry.keys() != {"from", "to"}:
            raise ManifestError(
                "an entry has `from` and `to`, and nothing else", where=where, seen=str(entry)[:200]
            )
        flows |= dict.fromkeys(_flows(entry, topology, where))
    return tuple(flows)


def _document(text: str, origin: str) -> Document:
    size = len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise ManifestError(f"a list of {size} bytes", where=origin, try_=f"at most {MAX_BYTES}")
    try:
        documents = read(text, origin=origin)
    except (RecursionError, yaml.YAMLError, ValueError) as error:
        raise ManifestError("this is no list of flows", where=origin) from error
    if len(documents) != 1 or not isinstance(documents[0].value, list):
        raise ManifestError(
            "a list of wanted flows is one YAML list",
            where=origin,
            try_="- {from: NAMESPACE/POD, to: pod/NAMESPACE/POD:PORT}",
        )
    if len(documents[0].value) > MAX_ENTRIES:
        raise ManifestError(
            f"{len(documents[0].value)} entries", where=origin, try_=f"at most {MAX_ENTRIES}"
        )
    return documents[0]


def _flows(entry: dict[str, Any], topology: Topology, where: str) -> Iterator[Flow]:
    for source in _sources(str(entry["from"]), topology, where):
        for flow in _to(source, str(entry["to"]), topology, where):
            if flow.source is not flow.target:
                yield flow


def _sources(text: str, topology: Topology, where: str) -> list[Pod]:
    namespace, _, name = text.partition("/")
    if name == EVERY:
        found = [pod for pod in topology.pods.values() if pod.namespace == namespace]
    else:
        found = [pod for key, pod in topology.pods.items() if key == text]
    if not found:
        raise ManifestError(
            f"`{text}` is no pod that is there",
            where=where,
            seen=f"pods: {', '.join(sorted(topology.pods))}"[:400],
            try_="NAMESPACE/POD, or NAMESPACE/* for all",
        )
    return found


def _to(source: Pod, text: str, topology: Topology, where: str) -> Iterator[Flow]:
    if text == "dns":
        for server in topology.pods.values():
            if server.namespace == SYSTEM:
                yield Flow(source, server, DNS_PORT, Protocol.UDP)
                yield Flow(source, server, DNS_PORT, Protocol.TCP)
        return
    try:
        target = parse_target(text, where=where)
    except OutcomeTableError as error:
        raise ManifestError(
            error.what,
            where=where,
            seen=error.seen,
            try_=f"{error.try_} A list of wanted flows may have: {_FORMS}",
        ) from error
    if not isinstance(target, PodPort | ExternalPort):
        raise ManifestError(
            f"`{text}` is not valid in a list of wanted flows", where=where, try_=f"write {_FORMS}"
        )
    yield flow_of(source.ref, target, topology, where=where)


_FORMS = "pod/NAMESPACE/NAME:PORT[/udp], net/HOST:PORT[/udp] or dns"
