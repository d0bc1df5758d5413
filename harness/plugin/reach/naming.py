"""The names in a test's sentences: pods, workloads, and targets with their short form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TypeVar

from harness.core.manifests.reader import DEFAULT_NAMESPACE
from harness.core.target import (
    FORMS,
    PodPort,
    PodRef,
    Target,
    parse_pod,
    parse_source,
    parse_target,
)
from harness.core.target.ask import absent
from harness.errors import ContentError, OutcomeTableError

KINDS = frozenset(form.partition("/")[0] for form in FORMS)
_PREFIXES = frozenset(
    (
        *("deployment", "deploy", "statefulset", "sts", "daemonset", "ds", "replicaset", "rs"),
        *("job", "cronjob", "cj"),
    )
)
"""Kinds of workloads as people write them before a name."""
_PORTS = {"http": "80", "https": "443"}
_SOURCE, _TARGET, _NAME = "the flow's source", "the flow's target", "the name of a lookup"
_WHAT = {_SOURCE: "no client", _TARGET: "no target of a flow", _NAME: "no name of DNS"}
_IPV4 = 4
Read = TypeVar("Read")
Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods that are there, and those of each workload, by its `NAMESPACE/NAME`.

    `unread` has the kinds of objects of which nobody knows what pods they bring, in the same way,
    and `services` the names of Services.
    """

    names: Collection[PodRef]
    workloads: Mapping[str, Sequence[PodRef]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    services: Collection[str] = ()

    def called(self, ref: PodRef, *, where: str) -> tuple[PodRef, ...]:
        """The pod of that name, and the pods of every workload of that name.

        Raises:
            ManifestError: nobody has that name.
            ContentError: the workload has no pods, or nobody knows which.
        """
        found = (*((ref,) if ref in self.names else ()), *self.workloads.get(str(ref), ()))
        if found:
            return tuple(dict.fromkeys(found))
        if str(ref) in self.workloads:
            raise ContentError(f"the workload {ref} has no pods", where=where)
        if kind := self.unread.get(str(ref)):
            what = f"{ref} is a {kind}, and of that kind nobody knows what pods it brings"
            raise ContentError(what, where=where, try_="write the pods of it as manifests")
        what = f"there is no pod and no workload {ref}"
        if str(ref) in self.services:
            try_ = f"the Service of that name is a target: write svc/{ref}:PORT"
            raise ContentError(what, where=where, try_=try_)
        known = [*map(str, self.names), *self.workloads]
        raise absent(what, str(ref), known, where, try_="correct the name")

    def targets(self, target: Target, *, where: str) -> tuple[Target, ...]:
        """The target, for each of the pods that its name stands for.

        Raises:
            ManifestError: nobody has that name.
        """
        if not isinstance(target, PodPort):
            return (target,)
        return tuple(replace(target, pod=pod) for pod in self.called(target.pod, where=where))


def pairs(sources: Sequence[Source], targets: Sequence[Target]) -> Sequence[tuple[Source, Target]]:
    """Each client with each target; of several, no pod with itself.

    Nothing can block a pod's way to itself, and who speaks of a workload's pods and each other
    means the others.
    """
    every = [(source, target) for source in sources for target in targets]
    others = [(s, t) for s, t in every if not (isinstance(t, PodPort) and t.pod == s)]
    return others or every


def read_source(text: str) -> PodRef | str:
    """A client as a test writes it; an address outside after `net/`.

    Raises:
        ContentError: the text has neither form; the message says what to write.
    """
    return _read(text, lambda: parse_source(text, where=_SOURCE), _source_like)


def read_pod(text: str) -> PodRef:
    """A client that must be a pod or a workload.

    Raises:
        ContentError: the text does not have that form; the message says what to write.
    """
    return _read(text, lambda: parse_pod(text, where=_SOURCE), _source_like)


def read_target(text: str) -> Target:
    """A target as a test writes it: `shop/db:6379` is short for `pod/shop/db:6379`.

    Raises:
        ContentError: the text has no form of a target; the message says what to write.
    """

    def target() -> Target:
        full = text if text.partition("/")[0] in KINDS else f"pod/{text}"
        return parse_target(full, where=_TARGET)

    return _read(text, target, _target_like)


def read_name(text: str) -> str:
    """A name that a client looks up, as a test writes it.

    Raises:
        ContentError: the text is no name of DNS; the message says what to write.
    """

    def name() -> str:
        parse_target(f"lookup/{text}", where=_NAME)
        return text

    return _read(text, name, _name_like)


def _read(text: str, parse: Callable[[], Read], like: Callable[[str], str]) -> Read:
    if not isinstance(text, str):
        raise ContentError(
            "the ends of a flow are texts",
            seen=f"{type(text).__name__}: {text!r:.60}",
            try_='flows("shop/web").to("shop/db:6379")',
        )
    try:
        return parse()
    except OutcomeTableError as error:
        what = f"`{text:.80}` is {_WHAT[error.where]}"
        try_ = like(text.strip()) or error.try_
        raise ContentError(what, where=error.where, seen=error.seen, try_=try_) from None


def _source_like(text: str) -> str:
    """What to write instead of a client that is written in a form of other programs."""
    if address := _address(text.removeprefix("net/")):
        return f"write an address outside as net/{address}"
    kind, slash, rest = text.partition("/")
    if slash and (kind in _PREFIXES or kind == "pod") and rest.count("/") == 1:
        return f"write {rest}: the name of a workload stands for its pods"
    if kind == "svc" and rest.count("/") == 1:
        return "a Service sends nothing: write the pod or the workload behind it"
    if not slash:
        return f"write NAMESPACE/NAME, as in {DEFAULT_NAMESPACE}/{text or 'web'}"
    return ""


def _target_like(text: str) -> str:
    """What to write instead of a target that is written in a form of other programs."""
    scheme, is_url, rest = text.partition("://")
    if is_url:
        host = rest.partition("/")[0]
        port = "" if ":" in host else f":{_PORTS.get(scheme, 'PORT')}"
        return f"a flow has no scheme and no path: write name/{host}{port}"
    name, colon, port = text.removeprefix("net/").rpartition(":")
    if address := _address(text.removeprefix("net/")):
        return f"write net/{address}:PORT"
    if address := _address(name):
        return f"write net/{address}:{port}"
    parts = name.split("/")
    if colon and port and not port.partition("/")[0].isdecimal() and len(parts) > 1:
        return f"a port is a number here: write {name}:PORT with that of the port {port}"
    if not colon and text.count("/") == 1:
        return f"write {text}:PORT"
    if parts[0] in _PREFIXES and len(parts) == len(("kind", "namespace", "name")):
        return f"write {'/'.join(parts[1:])}:{port}: the name of a workload stands for its pods"
    if colon and "." in name and len(parts) == 1:
        return f"write name/{name}:{port} for a name of DNS, or NAMESPACE/POD:{port}"
    if colon and len(parts) == 1:
        return f"write NAMESPACE/{name}:{port}"
    return ""


def _name_like(text: str) -> str:
    """What to write instead of a name that is written in a form of other programs."""
    host = text.partition("://")[2].partition("/")[0] or text
    bare = host.partition(":")[0]
    return f"write {bare}: a lookup has neither scheme nor port" if bare != text else ""


def _address(text: str) -> str:
    """An address as `net/` takes it; empty if the text is none."""
    try:
        found = ip_address(text.strip("[]"))
    except ValueError:
        return ""
    return str(found) if found.version == _IPV4 else f"[{found}]"
