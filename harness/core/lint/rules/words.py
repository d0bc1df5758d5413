"""The rule about names that YAML reads as something else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.lint.finding import Finding, Fix, Shown, Sure
from harness.core.lint.ground import MAX_TRIES, Ground
from harness.core.lint.places import spot_of
from harness.core.manifests.reader import Resource, parse
from harness.core.manifests.text.documents import FieldPath, Place
from harness.core.model import Direction, Pod, Rule
from harness.core.outcome import Verdict
from harness.core.policy.reasons import same
from harness.core.predict.scenario import Scenario
from harness.core.target.ask import flow_of
from harness.errors import ManifestError

KINDS = frozenset({"NetworkPolicy", "CiliumNetworkPolicy", "Namespace"})
MAX_WORDS = 20
"""Words of one state that are looked into: each costs a second state."""


@dataclass(frozen=True, slots=True)
class _Word:
    """A word without quotes, and what YAML reads; a key, or a value."""

    path: FieldPath
    written: str
    is_key: bool


def yaml_reads_otherwise(ground: Ground) -> Iterator[Finding]:
    """Keys of labels and names of ports without quotes, which others write in quotes."""
    names = _names(ground)
    left = MAX_WORDS
    for resource in ground.resources:
        for word in _words(resource.place, ()):
            if word.written in names and left and _decides(resource, word):
                left -= 1
                found = _finding(ground, resource, word)
                if found is not None:
                    yield found


def _names(ground: Ground) -> frozenset[str]:
    """Keys of labels, and names of ports, that are in use."""
    keys = {key for pod in ground.topology.pods.values() for key in pod.labels}
    keys |= {key for space in ground.topology.namespaces.values() for key in space.labels}
    keys |= {port.name for pod in ground.topology.pods.values() for port in pod.ports}
    for policy in ground.policies:
        rules = [rule for _, rule in _rules(policy)]
        chosen = [policy.pod_selector]
        chosen += [p.pod_selector for rule in rules for p in rule.peers if p.pod_selector]
        chosen += [
            p.namespace_selector for rule in rules for p in rule.peers if p.namespace_selector
        ]
        keys |= {requirement.key for one in chosen for requirement in one.requirements}
        keys |= {str(entry.port) for rule in rules for entry in rule.ports}
    return frozenset(keys)


def _rules(policy: Any) -> Iterator[tuple[int, Rule]]:
    yield from enumerate((*policy.ingress, *policy.egress))


def _decides(resource: Resource, word: _Word) -> bool:
    """Whether a word stands where it decides: in a policy, or among labels and ports."""
    if resource.kind in KINDS:
        return True
    return bool({"labels", "ports"} & set(word.path)) and any(
        isinstance(model, Pod) for model in resource.models
    )


def _words(place: Place, path: FieldPath) -> Iterator[_Word]:
    for step, part in place.parts.items():
        inner = (*path, step)
        if part.key:
            yield _Word(inner, part.key, is_key=True)
        if part.written:
            yield _Word(inner, part.written, is_key=False)
        yield from _words(part, inner)


def _finding(ground: Ground, resource: Resource, word: _Word) -> Finding | None:
    read = word.path[-1] if word.is_key else _value(resource.body, word.path)
    shown = _shown(ground, resource, _mended(resource.body, word.path, word))
    if shown is None:
        return None
    what = "key" if word.is_key else "value"
    return Finding(
        "yaml-reads-otherwise",
        spot_of(resource, word.path),
        Sure.CERTAIN,
        f"The {what} `{word.written}` has no quotes, and YAML reads it as `{json.dumps(read)}`. "
        f"The name `{word.written}`, which is in use elsewhere, is not this {what}",
        shown,
        Fix(f'write "{word.written}", in quotes'),
    )


def _value(body: Any, path: FieldPath) -> Any:
    for step in path:
        body = body[step]
    return body


def _mended(body: Any, path: FieldPath, word: _Word) -> Any:
    """A copy of a value with the word as a text at its place."""
    step, rest = path[0], path[1:]
    if isinstance(body, Mapping):
        if not rest and word.is_key:
            return {word.written if key == step else key: value for key, value in body.items()}
        new = _mended(body[step], rest, word) if rest else word.written
        return {key: new if key == step else value for key, value in body.items()}
    new = _mended(body[step], rest, word) if rest else word.written
    return [new if number == step else value for number, value in enumerate(body)]


def _shown(ground: Ground, resource: Resource, body: Any) -> Shown | None:
    """A flow that has another verdict once the word is a text."""
    try:
        (new,) = parse(json.dumps(body), origin=resource.origin)
    except (ManifestError, ValueError):
        return None
    resources = [new if one is resource else one for one in ground.resources]
    then = Scenario(resources)
    tries = 0
    for source in ground.members(ground.classes & ground.crowd.pods):
        for target in ground.members(ground.classes):
            if same(source, target) or not isinstance(source, Pod):
                continue
            for port in ground.ports(target, Rule()):
                if (tries := tries + 1) > MAX_TRIES * 10:
                    return None
                flow = ground.flow(Direction.EGRESS, source, target, port)
                now = ground.oracle.verdict(flow)
                try:
                    after = then.oracle.verdict(flow_of(source.ref, flow.direct, then.topology))
                except ManifestError:  # a pod that stands in for others
                    continue
                if now is not after and Verdict.UNDEFINED not in (now, after):
                    shown = ground.shown(flow)
                    return Shown(flow, now, shown.reasons, after, shown.made_up)
    return None
