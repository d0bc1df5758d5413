"""Manifests: the text of files to objects, and what the oracle makes of them.

Everything is checked before anything is applied: the fields of the kinds that decide, and the rules
of the API server. All faults of all files are reported at once, each with its line. Kinds that
decide nothing are kept as objects without a model, so that a reader can be told of them.

    parse(text, origin=...)         one text, whose objects state their namespaces (a lab's)
    read_files(files, namespace=...)  files as people have them; the default namespace is found

What comes out are `Resource`s; `topology_of` and `policies_of` give the oracle's two arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any

from harness.core.manifests.apirules import refusals, unclear
from harness.core.manifests.ciliumpolicy import cilium_policies, notes_of
from harness.core.manifests.networkpolicy import network_policy
from harness.core.manifests.schema.kinds import Kind, NotAKind, Other, kind_of, list_items
from harness.core.manifests.schema.shapes import Fault, check
from harness.core.manifests.services import endpoints_of, service_of, with_endpoints
from harness.core.manifests.text.documents import Document, LineFault, Place, dotted
from harness.core.manifests.text.kustomized import KUSTOMIZATIONS, namespace_in, unlike
from harness.core.manifests.text.reading import decoded, read_all
from harness.core.manifests.workloads import pods_of as workload_pods
from harness.core.model import (
    Endpoints,
    Namespace,
    NetworkPolicy,
    Pod,
    Service,
    Topology,
    Unread,
)
from harness.core.policy.selectors import NAME_LABEL
from harness.errors import ManifestError
from harness.listing import few

MAX_BYTES = 4 * 1024 * 1024
"""Of one file, unless the caller says otherwise: an export of a cluster with hundreds of pods."""
_VERBS = frozenset(["must", "may", "has", "have", "is", "are", "needs", "does", "begins", "of"])
"""The words by which the text of a fault goes on after its path."""
MAX_TOTAL_BYTES = 16 * 1024 * 1024
MAX_OBJECTS = 10_000
MAX_ALL_PODS = 5_000
MAX_ENTRIES = 10_000
"""Peers and ports of all rules together: each is compared with pods and with other rules."""
MAX_ALL_PORTS = 20_000
"""Ports that all pods declare together."""
SHOWN_FAULTS = 200
"""Faults that a message tells; a person mends these first."""
SHOWN_TEXT = 400
"""Characters of one fault that a message tells: a value in it may be as long as the file."""
DEFAULT_NAMESPACE = "default"
_NOT_OBJECTS = ("values", "chart", "requirements", "skaffold", "kustomization")
"""Beginnings of names of files that lie among manifests and seldom are any."""
_TOOLS = ("kustomize.config.k8s.io", "skaffold")
"""Groups of what is written like an object, and is for a program that no cluster gets to see."""
_OBJECT = re.compile(r"^kind:", re.MULTILINE)
_OF_OBJECTS = frozenset({"apiVersion", "kind", "metadata", "spec", "items"})
_KUBECTLS = "kubectl takes it where nothing is said"
_NOT_RUN = "is not run, and what it builds is not what the files of its folder say"
_AGREES = "was passed over: it holds no objects of Kubernetes"
_TEMPLATE = " (`{{` begins a template: read what `helm template` makes of it)"
_NO_OBJECTS = "nothing in it has an apiVersion or a kind (kubectl apply refuses the file)"

Model = Namespace | Pod | Service | Endpoints | NetworkPolicy | Unread


@dataclass(frozen=True, slots=True)
class Resource:
    """One object as written, ready for server-side apply; `origin` is its file and line.

    `models` are the oracle's values that it stands for: none for an object that decides nothing,
    many for a workload with replicas. `passed_over` are fields that were not read, as they decide
    nothing; `notes` say what a reader of an answer should know of the object. `place` is where its
    parts stand in the file.
    """

    kind: str
    api_version: str
    namespace: str
    name: str
    body: Mapping[str, Any]
    origin: str
    models: tuple[Model, ...] = field(default=(), compare=False)
    passed_over: tuple[str, ...] = field(default=(), compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    place: Place = field(default=Place(0), compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same object as another."""
        return (self.kind, self.namespace, self.name)

    @property
    def group(self) -> str:
        """The group of its apiVersion; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def passed_over_whole(self) -> bool:
        """Whether it is of a kind of which nothing is read, because it decides no flow."""
        return not self.models and isinstance(kind_of(self.api_version, self.kind), Other)

    def __str__(self) -> str:
        return " ".join(filter(None, self.key))


@dataclass(frozen=True, slots=True)
class File:
    """A file's name for messages (`folder/name.yaml`), and its bytes."""

    origin: str
    data: bytes

    @property
    def name(self) -> str:
        """The name without folders."""
        return self.origin.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Loaded(Mapping[str, tuple[Resource, ...]]):
    """What files hold, by file name without its suffix, and what to say of the files.

    `namespace` is the one of objects that state none, and `because` says why it is that one; both
    are empty if every object states its own. `guessed` are the origins of these objects where
    nobody said which one it is. `unlike` says of each kustomization.yaml that lies among the files
    why what is built of it is not what they say.
    """

    files: Mapping[str, tuple[Resource, ...]]
    notes: tuple[str, ...] = ()
    namespace: str = ""
    because: str = ""
    guessed: frozenset[str] = frozenset()
    unlike: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> tuple[Resource, ...]:
        return self.files[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def parse(
    text: str,
    *,
    origin: str,
    max_bytes: int = MAX_BYTES,
    namespace: str = "",
    stored: bool = False,
) -> tuple[Resource, ...]:
    """Read one file's text. An object without a namespace gets this one; without any it is refused.

    `stored`: a cluster has the objects. An older server may have let in what none takes today.

    Raises:
        ManifestError: it holds something that is unknown, or that the API server would refuse; the
            message has every fault of the file with its line.
    """
    faults: list[str] = []
    size = len(text.encode(errors="surrogatepass"))
    if size > max_bytes:
        faults.append(f"{origin}: the file has {size} bytes, and at most {max_bytes} are read")
    found = [] if faults else _objects(origin, read_all(text), faults)
    resources = _resources(found, namespace, faults, stored=stored)
    _refuse(faults, origin)
    return resources


def read_files(files: Sequence[File], *, namespace: str = "") -> Loaded:
    """Read files as people have them. `namespace` is that of objects that state none.

    Where it is not given, it is that of a kustomization.yaml among the files, else the only one
    that is declared, else `default`, which kubectl takes.

    Raises:
        ManifestError: a file cannot be read; the message has every fault of all files.
    """
    faults: list[str] = []
    notes: list[str] = []
    found: dict[str, list[_Found]] = {}
    kustomizations: dict[str, str] = {}
    if (total := sum(len(file.data) for file in files)) > MAX_TOTAL_BYTES:
        faults.append(f"{len(files)} files have {total} bytes; {MAX_TOTAL_BYTES} are read at most")
        files = ()
    for file in files:
        if len(file.data) > MAX_BYTES:
            faults.append(f"{file.origin}: has {len(file.data)} bytes; {MAX_BYTES} is the most")
            continue
        text = decoded(file.data)
        if file.name in KUSTOMIZATIONS:
            kustomizations[file.origin] = text
            continue
        read_text = read_all(text)
        if _is_no_manifest(file.name, text, read_text):
            notes.append(f"{file.origin} was passed over: it holds no objects of Kubernetes")
            continue
        if len(files) > 1 and _has_no_objects(read_text):
            notes.append(f"{file.origin} was passed over: {_NO_OBJECTS}")
            continue
        found[_key(file, found)] = _objects(file.origin, read_text, faults, templated="{{" in text)
    everything = [one for objects in found.values() for one in objects]
    kustomized = next(filter(None, map(namespace_in, kustomizations.values())), "")
    default, because = _default(everything, namespace, kustomized)
    read = {key: _resources(objects, default, faults) for key, objects in found.items()}
    _limit(read.values(), faults)
    _refuse(faults, few((file.origin for file in files), 3))
    told = {origin: _told(origin, text, files, read) for origin, text in kustomizations.items()}
    return Loaded(
        read,
        (*notes, *told.values()),
        default if because else "",
        because,
        frozenset(one.place for one in everything if because == _KUBECTLS and one.homeless),
        tuple(words for words in told.values() if _NOT_RUN in words),
    )


def _told(
    origin: str, text: str, files: Iterable[File], read: Mapping[str, Sequence[Resource]]
) -> str:
    """What is to say of a kustomization.yaml."""
    folder, slash, _ = origin.rpartition("/")
    beside = {file.name for file in files if file.origin == f"{folder}{slash}{file.name}"}
    within = [
        resource
        for resources in read.values()
        for resource in resources
        if resource.origin.rpartition(":")[0].rpartition("/")[0] == folder
    ]
    used = {each.origin.rpartition(":")[0].rpartition("/")[2] for each in within}
    spaces = {each.namespace for each in within if each.models}
    reasons = [*unlike(text, beside, used, spaces)]
    if namespace_in(text) and len(within) < sum(map(len, read.values())):
        reasons.append("its namespace is not that of files outside of its folder")
    return f"{origin} {_NOT_RUN}: {'; '.join(reasons)}" if reasons else f"{origin} {_AGREES}"


@dataclass(frozen=True, slots=True)
class _Found:
    """An object of a kind that is served, before its namespace is known."""

    origin: str
    document: Document
    kind: Kind | Other

    @property
    def place(self) -> str:
        """Its file and line."""
        return f"{self.origin}:{self.document.line()}"

    @property
    def homeless(self) -> bool:
        """Whether it lives in a namespace and states none."""
        return isinstance(self.kind, Kind) and self.kind.namespaced and not self.stated

    @property
    def stated(self) -> str:
        """The namespace that it states; empty if it states none."""
        meta = self.document.value.get("metadata")
        stated = meta.get("namespace") if isinstance(meta, dict) else ""
        return stated if isinstance(stated, str) else ""


def _refuse(faults: Sequence[str], origin: str) -> None:
    if faults:
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        shown = [f if len(f) <= SHOWN_TEXT else f"{f[:SHOWN_TEXT]}..." for f in faults]
        if len(shown) > SHOWN_FAULTS:
            count = f"more than {SHOWN_FAULTS} faults"
            shown = [*shown[:SHOWN_FAULTS], f"(only the first {SHOWN_FAULTS} are told)"]
        raise ManifestError(
            "\n  ".join((f"{count} in a manifest:", *shown)),
            where=origin,
            try_="kubectl explain KIND.FIELD",
        )


def _is_no_manifest(
    name: str, text: str, read: tuple[Sequence[Document], Sequence[LineFault]]
) -> bool:
    """Whether a file with such a name is the values of a chart and the like, and no manifest.

    A program may be called chartmuseum, and a policy may be for charts: the name says too little.
    """
    if not name.partition(".")[0].lower().startswith(_NOT_OBJECTS):
        return False
    documents, wrong = read
    objects = [
        body
        for body in (document.value for document in documents)
        if isinstance(body, dict) and isinstance(body.get("apiVersion"), str) and body.get("kind")
    ]
    if not objects:
        return not (wrong and _OBJECT.search(text))
    return all(body["apiVersion"].startswith(_TOOLS) for body in objects)


def _key(file: File, taken: Mapping[str, Any]) -> str:
    """A file's name without its suffix, or as much more of it as tells it from the others."""
    names = (file.name.rpartition(".")[0] or file.name, file.name, file.origin)
    return next((name for name in names if name not in taken), f"{file.origin} {len(taken)}")


def _default(found: Iterable[_Found], given: str, kustomized: str) -> tuple[str, str]:
    """The namespace of objects that state none, and why it is that one."""
    found = list(found)
    if not any(one.homeless for one in found):
        return "", ""
    declared = {
        str((one.document.value.get("metadata") or {}).get("name"))
        for one in found
        if one.kind.name == "Namespace"
    }
    if given:
        return given, "that one was asked for"
    if kustomized:
        return kustomized, "kustomization.yaml says so"
    if len(declared) == 1:
        return declared.pop(), "it is the only one that is declared"
    return DEFAULT_NAMESPACE, _KUBECTLS


def _has_no_objects(read: tuple[Sequence[Document], Sequence[LineFault]]) -> bool:
    """Whether a file is of another kind, such as the values of a chart: it cannot be a slip."""
    documents, wrong = read
    values = [document.value for document in documents]
    return bool(values) and not wrong and all(map(_is_no_object, values))


def _is_no_object(value: object) -> bool:
    return isinstance(value, dict) and not _OF_OBJECTS.intersection(value)


def _objects(
    origin: str,
    read: tuple[Sequence[Document], Sequence[LineFault]],
    faults: list[str],
    *,
    templated: bool = False,
) -> list[_Found]:
    """The objects of a text, those of lists one by one; faults are added to the list."""
    documents, wrong = read
    more = _TEMPLATE if templated else ""
    faults += [f"{origin}:{fault.line}: {fault.text}{more}" for fault in wrong]
    found: list[_Found] = []
    for document in documents:
        for one in _flat(document):
            if isinstance(one, _Found):
                found.append(replace(one, origin=origin))
            else:
                faults.append(f"{origin}:{one[0]}: {one[1]}")
            if len(found) > MAX_OBJECTS:
                faults.append(f"{origin}: has more than {MAX_OBJECTS} objects")
                return found
            if len(faults) > SHOWN_FAULTS:
                return found
    return found


def _flat(document: Document) -> Iterator[_Found | tuple[int, str]]:
    body = document.value
    if not isinstance(body, dict):
        yield document.line(), "the document is not an object"
        return
    version, name = body.get("apiVersion"), body.get("kind")
    if not isinstance(name, str) or not name:
        yield document.line(("kind",)), "the object has no kind"
    elif not isinstance(version, str) or not version:
        yield document.line(("apiVersion",)), f"the {name} has no apiVersion"
    elif list_items(body):
        yield from _items(document, version, name.removesuffix("List"))
    else:
        kind = kind_of(version, name)
        if isinstance(kind, NotAKind):
            yield document.line((kind.field,)), f"{kind.field} {kind.why}"
        else:
            yield _Found("", document, kind)


def _items(document: Document, version: str, name: str) -> Iterator[_Found | tuple[int, str]]:
    """The objects of a list. Those of a typed list may leave out their kind, as the API does."""
    for number in range(len(document.value.get("items") or ())):
        item = document.part(("items", number))
        if name and isinstance(item.value, dict) and not item.value.get("kind"):
            item = replace(item, value={"apiVersion": version, "kind": name, **item.value})
        yield from _flat(item)


def _resources(
    found: Iterable[_Found], namespace: str, faults: list[str], *, stored: bool = False
) -> tuple[Resource, ...]:
    resources: list[Resource] = []
    seen: dict[tuple[str, str, str], int] = {}
    pods = 0
    for one in found:
        if pods > MAX_ALL_PODS or len(faults) > SHOWN_FAULTS:
            break  # the files are refused, so nobody asks what else they hold
        if isinstance(one.kind, Other):
            resources.append(_other(one, one.kind))
            continue
        resource = _resource(one, one.kind, namespace, faults, stored=stored)
        if resource is None:
            continue
        if resource.key in seen:
            # The API server takes both, one after the other.
            place = seen[resource.key]
            note = f"{resource} of {resources[place].origin} is replaced by {resource.origin}"
            pods += len(pods_of(resource)) - len(pods_of(resources[place]))
            resources[place] = replace(resource, notes=(*resource.notes, note))
            continue
        seen[resource.key] = len(resources)
        resources.append(resource)
        pods += len(pods_of(resource))
    return tuple(resources)


def _limit(files: Iterable[Sequence[Resource]], faults: list[str]) -> None:
    models = [model for file in files for r in file for model in r.models]
    pods = sum(isinstance(model, Pod) for model in models)
    if pods > MAX_ALL_PODS:
        faults.append(f"the files have more than {MAX_ALL_PODS} pods, which is the most")
    ports = sum(len(model.ports) for model in models if isinstance(model, Pod))
    if ports > MAX_ALL_PORTS:
        faults.append(f"the pods declare {ports} ports together, and {MAX_ALL_PORTS} is the most")
    entries = sum(_entries(model) for model in models if isinstance(model, NetworkPolicy))
    if entries > MAX_ENTRIES:
        faults.append(
            f"the rules have {entries} peers and ports together, and {MAX_ENTRIES} is the most"
        )


def _entries(policy: NetworkPolicy) -> int:
    rules = (*policy.ingress, *policy.egress, *policy.ingress_deny, *policy.egress_deny)
    cut_out = sum(len(p.ip_block.except_) for r in rules for p in r.peers if p.ip_block)
    return cut_out + sum(1 + len(rule.peers) + len(rule.ports) for rule in rules)


def _other(found: _Found, kind: Other) -> Resource:
    body = found.document.value
    meta = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    name, origin = str(meta.get("name") or ""), f"{found.origin}:{found.document.line()}"
    unread = Unread(kind.name, found.stated, name, kind.decides, origin)
    models = (unread,) if kind.decides else ()
    return Resource(kind.name, body["apiVersion"], found.stated, name, body, origin, models)


def _resource(
    found: _Found, kind: Kind, namespace: str, faults: list[str], *, stored: bool
) -> Resource | None:
    document = found.document
    checked = check(document.value, kind.shape, strict_nulls=kind.custom)
    problems = list(checked.faults)
    if all(fault.readable for fault in problems):
        problems += _unplaced(checked.value, kind, namespace)
        problems += refusals(checked.value)
        problems += () if stored else unclear(checked.value)
    if problems:
        faults += [f"{found.origin}:{document.line(f.path)}: {_words(f)}" for f in problems]
        return None
    meta = checked.value["metadata"]
    resource = Resource(
        kind.name,
        kind.api_version,
        (meta.get("namespace") or namespace) if kind.namespaced else "",
        meta["name"],
        _placed(document.value, namespace) if kind.namespaced else document.value,
        f"{found.origin}:{document.line()}",
        passed_over=tuple(checked.passed_over),
        place=document.place,
    )
    models, notes = _models(resource, checked.value)
    return replace(resource, models=models, notes=notes)


def _unplaced(body: Mapping[str, Any], kind: Kind, namespace: str) -> Iterator[Fault]:
    meta = body.get("metadata") or {}
    if not meta.get("name"):
        yield Fault(("metadata",), "has no name")
    if kind.namespaced and not (meta.get("namespace") or namespace):
        where = "labs state it, so that nothing lands elsewhere"
        yield Fault(("metadata",), f"has no namespace: {where}")
    if not kind.namespaced and meta.get("namespace"):
        yield Fault(("metadata", "namespace"), f"must be left out: a {kind.name} lives in none")


def _placed(body: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    """The object with its namespace stated, so that it is applied where it was judged."""
    if body["metadata"].get("namespace"):
        return body
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


def _models(
    resource: Resource, body: Mapping[str, Any]
) -> tuple[tuple[Model, ...], tuple[str, ...]]:
    placed = _placed(body, resource.namespace) if resource.namespace else body
    match resource.kind:
        case "Namespace":
            labels = body["metadata"].get("labels") or {}
            return (Namespace(resource.name, {**labels, NAME_LABEL: resource.name}),), ()
        case "Service":
            return (service_of(placed),), ()
        case "Endpoints" | "EndpointSlice":
            return endpoints_of(placed), ()
        case "NetworkPolicy":
            return (network_policy(placed, resource.origin),), ()
        case "CiliumNetworkPolicy" | "CiliumClusterwideNetworkPolicy":
            notes = tuple(f"{resource} {note}" for note in dict.fromkeys(notes_of(body)))
            return cilium_policies(placed, resource.origin), notes
    found = workload_pods(resource.kind, resource.namespace, resource.name, body)
    return found.pods, (f"{resource} {found.note}",) if found.note else ()


def topology_of(
    resources: Iterable[Resource], addresses: Mapping[str, str] | None = None
) -> Topology:
    """Who is there: namespaces, pods (a Deployment's are called NAME-1 and so on) and Services.

    `addresses` are those of pods, by NAMESPACE/NAME, as far as they are known.
    """
    models = [model for resource in resources for model in resource.models]
    namespaces = {m.name: m for m in models if isinstance(m, Namespace)}
    pods = {str(m): m for m in models if isinstance(m, Pod)}
    services = with_endpoints(
        {str(m): m for m in models if isinstance(m, Service)},
        [m for m in models if isinstance(m, Endpoints)],
    )
    known = {name: ip_address(text) for name, text in (addresses or {}).items() if name in pods}
    pods.update({name: replace(pods[name], ip=ip) for name, ip in known.items()})
    return Topology(
        namespaces, pods, services, unread=tuple(m for m in models if isinstance(m, Unread))
    )


def pods_of(resource: Resource) -> tuple[Pod, ...]:
    """The pods that an object brings: itself, or a Deployment's replicas as NAME-1 and so on."""
    return tuple(model for model in resource.models if isinstance(model, Pod))


def policies_of(resources: Iterable[Resource]) -> tuple[NetworkPolicy, ...]:
    """The policies among the objects, of either kind."""
    return tuple(m for r in resources for m in r.models if isinstance(m, NetworkPolicy))


def _words(fault: Fault) -> str:
    """The fault as a sentence: its path is the subject, unless the text has its own."""
    predicate = fault.text.partition(" ")[0] in _VERBS
    return f"{dotted(fault.path) or 'the document'}{'' if predicate else ':'} {fault.text}"
