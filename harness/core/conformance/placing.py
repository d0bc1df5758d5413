"""A state of a case as objects of a cluster: in namespaces of its own, and with real addresses.

`red` becomes `policylab-conformance-2-red`, also where a policy chooses a namespace by the label
that holds its name. In an ipBlock, `{red/a}` stands for the pod's address, and `{red/a}/24` for the
network of this length around it; nobody knows them before the pod runs. A pod with an address of
IPv4 and one of IPv6 makes two entries of such an ipBlock, so that a case says the same everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import Any

from harness.core.conformance.case import HOST_PORTS, CasePod, Cast, State
from harness.core.manifests.reader import Resource, parse
from harness.core.model import PodRef
from harness.core.policy.selectors import NAME_LABEL
from harness.core.probe.container import prober_container
from harness.core.target import NamePort, NodePort, PodPort, ServiceAddress
from harness.core.target.ask import Ask
from harness.errors import ContentError, ManifestError

PREFIX = "policylab-conformance"
"""The beginning of the name of every namespace of a run."""

MARK = {"policylab/part": "conformance"}
"""The label of every namespace that a run makes, beside that of policylab's own objects."""

SLOTS = 900
"""How many places have ports of a node of their own."""

DOMAIN = "svc.cluster.local"
_AROUND = re.compile(r"\{([^{}]+)\}(?:/(\d{1,3}))?")

Addresses = Mapping[str, tuple[str, ...]]
"""The addresses of a case's pods, by NAMESPACE/NAME: one, or one of each family."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case is.

    Attributes:
        number: that of the set of namespaces, of which a run has several.
        run: a few letters that tell the run from others on the cluster; empty if there is one only.
    """

    number: int
    run: str = ""

    @property
    def prefix(self) -> str:
        """The beginning of its namespaces' names."""
        return "-".join(filter(None, (PREFIX, self.run, str(self.number))))

    def port(self, number: int) -> int:
        """A port on the cluster: one of a node is moved, so that each place has its own."""
        if number not in HOST_PORTS:
            return number
        slot = self.number + int.from_bytes(self.run.encode()[-2:]) * 7
        return number + len(HOST_PORTS) * (slot % SLOTS)

    def space(self, name: str) -> str:
        """What a namespace of a case is called on the cluster."""
        return f"{self.prefix}-{name}"

    def ref(self, pod: PodRef) -> PodRef:
        """A pod of a case, on the cluster."""
        return replace(pod, namespace=self.space(pod.namespace))

    def ask(self, ask: Ask) -> Ask:
        """A flow of a case, on the cluster."""
        source, target = self.ref(ask.source), ask.target
        match target:
            case PodPort(pod):
                there = replace(target, pod=self.ref(pod), port=self.port(target.port))
                return Ask(source, there)
            case ServiceAddress(namespace) | NodePort(namespace):
                return Ask(source, replace(target, namespace=self.space(namespace)))
            case NamePort(name):
                service, _, namespace = name.partition(".")
                full = f"{service}.{self.space(namespace)}.{DOMAIN}"
                return Ask(source, replace(target, name=full))
        return Ask(source, target)

    def short(self, text: str) -> str:
        """A text of the cluster in the names of the case, for people."""
        return text.replace(f"{self.prefix}-", "")


def workloads(
    cast: Cast, place: Place, annotations: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Resource, ...]:
    """The namespaces, pods and Services of a cast; `annotations` are those of pods, by their names.

    A pod asks its CNI for an address by an annotation.
    """
    annotations = annotations or {}
    spaces = [_space(place, name, labels) for name, labels in cast.namespaces.items()]
    pods = [_pod(place, key, pod, annotations.get(key, {})) for key, pod in cast.pods.items()]
    services = [
        _object("v1", "Service", place, key, spec=dict(spec)) for key, spec in cast.services.items()
    ]
    return _read([*spaces, *pods, *services], place)


def policies(state: State, place: Place, addresses: Addresses) -> tuple[Resource, ...]:
    """The policies of a state.

    Raises:
        ContentError: a policy speaks of the address of a pod that has none, or is none.
    """
    return _read([policy_body(body, place, addresses) for body in state.policies], place)


def policy_body(body: Mapping[str, Any], place: Place, addresses: Addresses) -> dict[str, Any]:
    """One policy as the cluster gets it.

    Raises:
        ContentError: it speaks of the address of a pod that has none.
    """
    meta = {**body["metadata"], "namespace": place.space(body["metadata"]["namespace"])}
    return {**body, "metadata": meta, "spec": _spec(body["spec"], place, addresses)}


def _spec(value: Any, place: Place, addresses: Addresses) -> Any:
    match value:
        case {"key": name, "values": [*names]} if name == NAME_LABEL:
            return {**value, "values": [place.space(str(each)) for each in names]}
        case Mapping():
            return {
                key: _named(key, one, place) or _spec(one, place, addresses)
                for key, one in value.items()
            }
        case list():
            return [new for one in value for new in _entries(one, place, addresses)]
    return value


def _entries(value: Any, place: Place, addresses: Addresses) -> Iterator[Any]:
    """The entry of a list; one for each family where it is an ipBlock with the address of a pod."""
    match value:
        case {"ipBlock": {"cidr": cidr, **rest}}:
            for network in _networks(cidr, addresses):
                yield {**value, "ipBlock": {"cidr": network, **_but(rest, network, addresses)}}
        case _:
            yield _spec(value, place, addresses)


def _but(rest: Mapping[Any, Any], network: Any, addresses: Addresses) -> dict[str, Any]:
    """What is cut out of a network, of its own family."""
    cut = rest.get("except")
    if not isinstance(cut, list):
        return dict(rest)
    found = [each for part in cut for each in _networks(part, addresses)]
    return {
        **rest,
        "except": [each for each in found if (":" in str(each)) is (":" in str(network))],
    }


def _named(key: str, value: Any, place: Place) -> str | int | None:
    """What is called otherwise on the cluster: a namespace by its name, a port of a node."""
    if key == NAME_LABEL:
        return place.space(str(value))
    return place.port(value) if key in ("port", "endPort") and isinstance(value, int) else None


def _networks(text: Any, addresses: Addresses) -> list[Any]:
    """The networks that an ipBlock names: one, or one for each family of a pod's addresses."""
    found = _AROUND.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return [text]
    if found[1] not in addresses:
        known = ", ".join(addresses) or "none"
        raise ContentError(
            f"the pod {found[1]} has no address that is known", seen=f"known: {known}"
        )
    networks = []
    for address in addresses[found[1]]:
        most = ip_address(address).max_prefixlen
        length = int(found[2] or most)
        if length > most:
            what = f"`{text}` is no network: the length is at most {most}"
            raise ContentError(what, try_=f"write {{{found[1]}}} for the address alone")
        networks.append(str(ip_network(f"{address}/{length}", strict=False)))
    return networks


def _space(place: Place, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": place.space(name), "labels": {**labels, **MARK}},
    }


def _pod(place: Place, key: str, pod: CasePod, annotations: Mapping[str, str]) -> dict[str, Any]:
    ports = [
        {"containerPort": place.port(port.number), "protocol": port.protocol.value}
        | ({"name": port.name} if port.name else {})
        for port in pod.ports
    ]
    spec = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "containers": [prober_container(ports=ports)],
        **({"hostNetwork": True} if pod.host_network else {}),
    }
    found = _object("v1", "Pod", place, key, labels=dict(pod.labels), spec=spec)
    if annotations:
        found["metadata"]["annotations"] = dict(annotations)
    return found


def _object(
    api: str,
    kind: str,
    place: Place,
    key: str,
    *,
    spec: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    namespace, _, name = key.partition("/")
    meta = {"namespace": place.space(namespace), "name": name}
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": meta | ({"labels": dict(labels)} if labels else {}),
        "spec": dict(spec),
    }


def _read(bodies: list[dict[str, Any]], place: Place) -> tuple[Resource, ...]:
    # As JSON: PyYAML writes a label such as `y` without the quotes that kubectl needs.
    texts = list(map(json.dumps, bodies))
    try:
        return parse("".join(texts), origin="the case") if bodies else ()
    except ManifestError:
        # The message names the object that is wrong.
        for body, text in zip(bodies, texts, strict=True):
            meta = body["metadata"]
            key = place.short("/".join(filter(None, (meta.get("namespace"), meta["name"]))))
            parse(text, origin=f"{body['kind']} {key}")
        raise
