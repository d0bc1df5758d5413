"""The flows that are wanted, as a person writes them down; the measure of least privilege.

A list in YAML, one entry a path:

    - {from: develop/frontend, to: pod/develop/backend:8080}
    - {from: develop/*, to: dns}

`harness.core.manifests.wanted.wishes` has the forms of `from` and `to`; `dns` is CoreDNS on port
53, UDP and TCP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import yaml

from harness.core.manifests.reader import Resource
from harness.core.manifests.text.documents import Document
from harness.core.manifests.text.reading import read
from harness.core.manifests.wanted.wishes import EVERY, FORMS, Outside, PodsOf, Who, Wish, wish_of
from harness.core.model import External, Pod, Topology
from harness.core.target.ask import Flow
from harness.errors import ManifestError

CONFIG_MAP = "wanted-flows"
"""The ConfigMap by which a lab's manifests carry the list, under the key `flows`."""

MAX_BYTES = 1024 * 1024
MAX_ENTRIES = 5000
MAX_ENDS = 20_000


def list_in(resources: Iterable[Resource]) -> tuple[str, str] | None:
    """The text of the list that a state's ConfigMap has, and its place; None if there is none."""
    for resource in resources:
        if (resource.kind, resource.name) == ("ConfigMap", CONFIG_MAP):
            text = str((resource.body.get("data") or {}).get("flows", ""))
            return text, f"{resource.origin} (flows)"
    return None


def wanted_in(resources: Iterable[Resource], topology: Topology) -> tuple[Flow, ...] | None:
    """The wanted flows that a state's ConfigMap lists, or None if it has no such list.

    Raises:
        ManifestError: the list is wrong; the message names the entry.
    """
    found = list_in(resources)
    return None if found is None else parse_wanted(found[0], topology, origin=found[1])


def parse_wanted(text: str, topology: Topology, *, origin: str) -> tuple[Flow, ...]:
    """Read a list of wanted flows, and find their ends among those who are there; each comes once.

    Raises:
        ManifestError: it is no such list, or an entry means too many flows; as `parse_wishes`.
    """
    wishes = parse_wishes(text, topology, origin=origin)
    return tuple(dict.fromkeys(flow for wish in wishes for flow in _flows(wish, topology)))


def parse_wishes(
    text: str, topology: Topology, *, origin: str, names: Collection[str] = ()
) -> tuple[Wish, ...]:
    """Read a list of flows, entry by entry; `names` outside may be named as well.

    Raises:
        ManifestError: it is no such list, is larger than `MAX_BYTES` or `MAX_ENTRIES` allow, or
            names an end that is not there; the message has the line.
    """
    document = _document(text, origin)
    wishes = []
    for number, entry in enumerate(document.value):
        where = f"{origin}:{document.line((number,))}"
        if not isinstance(entry, dict) or entry.keys() != {"from", "to"}:
            raise ManifestError(
                "an entry has `from` and `to`, and nothing else", where=where, seen=str(entry)[:200]
            )
        wishes.append(wish_of(entry, topology, where, names))
    if sum(len(wish.sources) + len(wish.targets) for wish in wishes) > MAX_ENDS:
        raise ManifestError(f"the entries have more than {MAX_ENDS} ends", where=origin)
    return tuple(wishes)


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


def _flows(wish: Wish, topology: Topology) -> Iterator[Flow]:
    """The flows that an entry means.

    Raises:
        ManifestError: it means every port or a network, which are too many flows to list.
    """
    for who in wish.sources:
        for source in _ends(who, topology, wish):
            for other, port in wish.targets:
                if port.number is None or port.protocol is None or port.last != port.number:
                    raise _too_wide(wish, "many ports")
                for target in _ends(other, topology, wish):
                    if source is not target:
                        yield Flow(source, target, port.number, port.protocol)


def _ends(who: Who, topology: Topology, wish: Wish) -> list[Pod | External]:
    match who:
        case PodsOf(namespace, name):
            return [
                pod
                for pod in topology.pods.values()
                if namespace in (EVERY, pod.namespace) and name in (EVERY, pod.name)
            ]
        case Outside(name) if name:
            return [topology.external[name]]
        case Outside(networks=(network,)) if network.num_addresses == 1:
            return [External(str(network.network_address), network.network_address)]
    raise _too_wide(wish, "a network")


def _too_wide(wish: Wish, what: str) -> ManifestError:
    return ManifestError(
        f"an entry means {what}, which is too wide for a list whose flows are looked at each",
        where=wish.where,
        try_=f"write {FORMS}",
    )
