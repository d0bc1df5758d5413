"""A field that is accepted is used, or its being ignored is said: a walk over the whole schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from harness.core.manifests.basis import PLAIN, basis_of
from harness.core.manifests.reader import Resource, parse, topology_of
from harness.core.manifests.schema.kinds import READ, Kind, kind_of
from harness.core.manifests.schema.metadata import META
from harness.core.manifests.schema.shapes import Anything, Beyond, Free, Ignored, Open, check
from harness.errors import ManifestError
from tests.core.manifests.everyfield import EXAMPLES, PORT

Path = tuple[str, ...]
ONLY_CHECKED = {
    "apiVersion": "it says which kind this is",
    "kind": "it says which kind this is",
    "containers.[].name": "the server wants one, and no policy asks for it",
    "initContainers.[].name": "the server wants one, and no policy asks for it",
    "StatefulSet-spec.template.spec.hostname": "the controller sets it to the pod's name",
    "StatefulSet-spec.template.spec.subdomain": "the controller sets it to serviceName",
    "addressType": "each address tells its family itself",
    "spec.selector": "the server holds it against the template, whose labels count",
    "Set-spec.selector.matchLabels": "the server holds it against the template",
    "Deployment-spec.selector.matchLabels": "the server holds it against the template",
    "Set-spec.selector.matchExpressions.[].key": "the server holds it against the template",
    "Set-spec.selector.matchExpressions.[].operator": "the server holds it against the template",
    "Set-spec.selector.matchExpressions.[].values.[]": "the server holds it against the template",
    "Deployment-spec.selector.matchExpressions.[].key": "the server holds it against the template",
    "Deployment-spec.selector.matchExpressions.[].operator": "it is held against the template",
    "Deployment-spec.selector.matchExpressions.[].values.[]": "it is held against the template",
    **dict.fromkeys(
        (
            "headers.[]",
            "headerMatches.[].name",
            "headerMatches.[].value",
            "headerMatches.[].mismatch",
            "headerMatches.[].secret.name",
            "headerMatches.[].secret.namespace",
        ),
        "of an HTTP rule with headers only some requests pass, whichever headers these are",
    ),
    **dict.fromkeys(
        ("listener.envoyConfig.name", "listener.envoyConfig.kind"),
        "what a listener takes is not known, whichever it is",
    ),
    **dict.fromkeys(
        ("aws.labels", "aws.region", "aws.securityGroupsIds.[]", "aws.securityGroupsNames.[]"),
        "whom a group of a cloud means is not known, whichever it is",
    ),
    **dict.fromkeys(
        (
            "cidrGroupSelector.matchLabels",
            "cidrGroupSelector.matchExpressions.[].key",
            "cidrGroupSelector.matchExpressions.[].operator",
            "cidrGroupSelector.matchExpressions.[].values.[]",
        ),
        "which addresses a group of CIDRs has is not known, whichever group it is",
    ),
    **dict.fromkeys(
        (
            "nodeSelector.matchLabels",
            "nodeSelector.matchExpressions.[].key",
            "nodeSelector.matchExpressions.[].operator",
            "nodeSelector.matchExpressions.[].values.[]",
        ),
        "a policy of nodes is not read, and a note says so",
    ),
    "template.metadata.name": "the controller names the pods",
    "template.metadata.namespace": "the pods live where their controller does",
}
"""The ends of paths that are read and decide nothing, each with the reason."""
GONE = object()


def leaves(shape: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The fields that hold a value and no further fields, and those that are ignored whole."""
    match shape:
        case dict() | Open():
            fields = shape.fields if isinstance(shape, Open) else shape
            for name, inner in fields.items():
                yield from leaves(inner, (*path, name))
        case list():
            yield from leaves(shape[0], (*path, "[]"))
        case _:
            yield path, shape


def places(body: Any, path: Path) -> Iterator[tuple[Any, Any]]:
    """Every mapping or list in a body, with the key, that stands at the end of a path."""
    if len(path) == 1:
        keys = range(len(body)) if path[0] == "[]" else [path[0]] if path[0] in body else []
        yield from ((body, key) for key in keys)
        return
    found = body if path[0] == "[]" else [body[path[0]]] if path[0] in body else []
    for inner in found:
        yield from places(inner, path[1:])


def others(value: Any) -> Iterator[Any]:
    """Values that a field could have as well."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, 1, 0)
        case str():
            yield from (
                "other",
                "UDP",
                "ANY",
                "NotIn",
                "81",
                "9",
                "10.1.0.0/16",
                "0.0.0.0/0",
                "10.2.0.0/16",
                "IPv4",
            )
            yield from ("None", "Always", "False", "Egress", "cluster", "LOG", "https", "Pending")
            yield from ("disabled", "*.other.example", "Failed", "Complete", "Default", "ndots")
        case dict():
            yield from ({}, {"other": "value"}, {**value, "other": "value"})


def read(bodies: list[dict[str, Any]]) -> tuple[Resource, ...]:
    text = "\n---\n".join(map(json.dumps, bodies))
    return parse("---\n" + text, origin="f.yaml")


def meaning(found: tuple[Resource, ...]) -> str:
    """All that answers can rest on."""
    topology = topology_of(found)
    return repr([(r.models, r.notes, r.body.get("data")) for r in found] + [topology])


def walked(kind: Kind) -> list[tuple[str, Path, Any]]:
    return [(kind.name, path, shape) for path, shape in leaves(kind.shape)]


EVERY = [field for kind in READ for field in walked(kind)]
USED = [
    (kind, path, shape)
    for kind, path, shape in EVERY
    if not isinstance(shape, Ignored | Beyond | Anything)
    and path[0] != "metadata"
    and "ingress.[].toPorts.[].rules.dns" not in ".".join(path)
    and not (kind == "CiliumNetworkPolicy" and "nodeSelector" in path)
]
IGNORED = [f for f in EVERY if isinstance(f[2], Ignored)]
BEYOND = [f for f in EVERY if isinstance(f[2], Beyond)]


def name_of(value: Any) -> str:
    dotted = isinstance(value, tuple) and all(isinstance(step, str) for step in value)
    return ".".join(value) if dotted else value if isinstance(value, str) else "value"


def changed(body: dict[str, Any], path: Path, number: int, value: Any) -> str:
    """What an example means with another value at a place, or without it; empty: it is refused."""
    body = deepcopy(body)
    where, key = list(places(body, path))[number]
    if value is GONE:
        where.pop(key)
    else:
        where[key] = value
    try:
        return meaning(read([body]))
    except (ManifestError, KeyError):
        return ""


def decides(body: dict[str, Any], path: Path) -> bool:
    as_written = meaning(read([body]))
    return any(
        changed(body, path, number, value) not in ("", as_written)
        for number, (where, key) in enumerate(places(body, path))
        for value in (GONE, *others(where[key]))
    )


@pytest.mark.parametrize(("kind", "path", "shape"), USED, ids=name_of)
def test_a_field_that_is_read_decides_something(kind: str, path: Path, shape: Any) -> None:
    having = [body for body in EXAMPLES[kind] if any(places(body, path))]
    assert having, f"no example of the kind has this field of the shape {shape}"

    excused = [end for end in ONLY_CHECKED if f"{kind}-{name_of(path)}".endswith(end)]
    assert excused or any(decides(body, path) for body in having)


@pytest.mark.parametrize("kind", ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"])
def test_names_in_a_rule_for_ingress_are_refused(kind: str) -> None:
    body = deepcopy(EXAMPLES[kind][0])
    body["spec"]["ingress"] = [{"toPorts": [PORT | {"rules": {"dns": [{"matchName": "a.b"}]}}]}]

    with pytest.raises(ManifestError, match="for egress only"):
        read([body])


def test_a_policy_of_nodes_is_told_or_refused() -> None:
    of_nodes: Any = {"nodeSelector": {}, "ingress": [{}]}
    wide = EXAMPLES["CiliumClusterwideNetworkPolicy"][0] | {"spec": of_nodes}
    (read_one,) = read([wide])

    assert "has a spec about nodes, which is not read" in read_one.notes[0]
    with pytest.raises(ManifestError, match="nodeSelector"):
        read([EXAMPLES["CiliumNetworkPolicy"][0] | {"spec": of_nodes}])


@pytest.mark.parametrize("end", ONLY_CHECKED)
def test_each_excuse_is_about_a_field(end: str) -> None:
    assert any(f"{kind}-{name_of(path)}".endswith(end) for kind, path, _ in USED)


@pytest.mark.parametrize(("kind", "path", "shape"), IGNORED, ids=name_of)
def test_a_field_that_is_ignored_is_told(kind: str, path: Path, shape: Any) -> None:
    assert shape.why
    body: Any = SAMPLE
    for step in reversed(path):
        body = [body] if step == "[]" else {step: body}
    passed = check(body, next(k.shape for k in READ if k.name == kind)).passed_over
    dotted = ".".join(step for step in path if step != "[]")
    assert dotted in passed

    resource = Resource(kind, "v1", "a", "b", {}, "f:1", passed_over=(dotted,))
    told = " ".join(basis_of([resource], topology_of([resource])).notes)
    assert (path[-1] in told) is (path[-1] not in PLAIN)


SAMPLE = "sample"


@pytest.mark.parametrize(("kind", "path", "shape"), BEYOND, ids=name_of)
def test_a_field_whose_effect_is_not_known_is_refused(kind: str, path: Path, shape: Any) -> None:
    body: Any = SAMPLE
    for step in reversed(path):
        body = [body] if step == "[]" else {step: body}
    faults = check(body, next(k.shape for k in READ if k.name == kind)).faults

    assert any(fault.path[-1] == path[-1] and shape.why in fault.text for fault in faults)


def test_every_field_of_metadata_is_read_or_ignored() -> None:
    read_ones = {name for name, shape in META.items() if not isinstance(shape, Ignored)}

    assert read_ones == {"name", "namespace", "labels"}
    assert isinstance(META["labels"], Free)


def test_the_examples_are_of_the_kinds_that_are_read() -> None:
    assert set(EXAMPLES) == {kind.name for kind in READ}
    for kind, bodies in EXAMPLES.items():
        known = kind_of(bodies[0]["apiVersion"], kind)
        assert isinstance(known, Kind)


OTHER_FIELDS = """
podFailurePolicy successPolicy activeDeadlineSeconds backoffLimit backoffLimitPerIndex
maxFailedIndexes selector manualSelector ttlSecondsAfterFinished completionMode podReplacementPolicy
managedBy
"""


@pytest.mark.parametrize("field", OTHER_FIELDS.split())
def test_a_field_of_a_job_is_none_that_is_misspelt(field: str) -> None:
    template = "template: {spec: {containers: [{name: c, image: i}]}}"
    text = (
        "{apiVersion: batch/v1, kind: Job, metadata: {name: j, namespace: shop}, "
        f"spec: {{{field}: {{}}, {template}}}}}"
    )

    assert len(parse(text, origin="job.yaml")) == 1
