"""All variants of a reference: every rule by its name, in an order that never changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.core.grading.mutation import (
    cilium,
    labels,
    peers,
    policies,
    ports,
    refused,
    right,
    rightcilium,
    whole,
    written,
)
from harness.core.grading.mutation.edits import Document, Maker, Reference

MOST = 2_000
"""Variants of one reference, so that a long reference does not make a grader run for hours."""

WRONG: Mapping[str, Maker] = {
    "policy-dropped": policies.dropped,
    "policy-moved": policies.moved,
    "policy-selects-all": policies.selects_all,
    "policy-on-the-wrong-end": policies.selects_peer,
    "policy-of-the-same-name": policies.same_name,
    "type-missing": policies.type_missing,
    "type-wrong": policies.type_wrong,
    "type-extra": policies.type_extra,
    "types-left-out": policies.types_left_out,
    "direction-opened": policies.opened,
    "direction-turned": policies.turned,
    "nothing": whole.nothing,
    "only-denies": whole.only_denies,
    "no-denies": whole.no_denies,
    "one-direction": whole.one_direction,
    "half-paths": whole.half_paths,
    "names-over-one-protocol": whole.one_protocol,
    "no-names": whole.no_names,
    "no-ports": whole.no_ports,
    "no-peers": whole.no_peers,
    "also-open": whole.also_open,
    "also-inside": whole.also_inside,
    "also-shut": whole.also_shut,
    "rule-dropped": peers.rule_dropped,
    "rule-emptied": peers.rule_emptied,
    "peers-left-out": peers.peers_left_out,
    "peers-emptied": peers.peers_emptied,
    "peer-dropped": peers.peer_dropped,
    "peer-split": peers.split,
    "peers-joined": peers.joined,
    "peer-half": peers.half_left_out,
    "peer-widened": peers.widened,
    "peer-all-namespaces": peers.all_namespaces,
    "peer-addresses": peers.addresses,
    "peer-network-wide": peers.block_widened,
    "peer-more": peers.one_more,
    "ports-left-out": ports.left_out,
    "port-dropped": ports.dropped,
    "protocol-wrong": ports.protocol_wrong,
    "protocol-left-out": ports.protocol_left_out,
    "port-left-out": ports.number_left_out,
    "port-off-by-one": ports.number_wrong,
    "port-of-service": ports.of_service,
    "port-range-wide": ports.too_many,
    "port-more": ports.one_more,
    "port-name-wrong": ports.name_wrong,
    "label-value-misspelt": labels.value_misspelt,
    "label-key-misspelt": labels.key_misspelt,
    "label-case": labels.case_wrong,
    "label-of-another": labels.value_of_another,
    "label-exists": labels.any_value,
    "label-not-in": labels.none_but,
    "label-turned": labels.turned_round,
    "label-left-out": labels.label_left_out,
    "label-added": labels.label_added,
    "expression-wrong": labels.expressions,
    "cilium-rule-dropped": cilium.rule_dropped,
    "cilium-direction-dropped": cilium.direction_dropped,
    "cilium-selects-all": cilium.selects_all,
    "cilium-entity": cilium.entity,
    "cilium-network": cilium.network,
    "cilium-ports-left-out": cilium.ports_left_out,
    "cilium-peers-left-out": cilium.peers_left_out,
    "cilium-rule-emptied": cilium.rule_emptied,
    "cilium-peer-widened": cilium.peer_widened,
    "cilium-name-wrong": cilium.names_wrong,
    "cilium-dns-left-out": cilium.look_left_out,
    "cilium-dns-elsewhere": cilium.look_elsewhere,
    "cilium-port-wrong": cilium.ports_wrong,
    "cilium-adds-only": cilium.no_isolation,
    "cilium-other-direction": cilium.other_direction,
    "cilium-denied": cilium.denied,
}
"""The rules that make mistakes."""

REFUSED: Mapping[str, Maker] = {
    "refused-field": refused.field_misspelt,
    "refused-quoted-port": refused.port_quoted,
    "refused-protocol": refused.protocol_small,
    "refused-peer": refused.peer_empty,
    "refused-version": refused.version_old,
    "refused-type": refused.type_misspelt,
}
"""The rules that make mistakes which the API server refuses."""

RIGHT: Mapping[str, tuple[right.Same, written.Writer]] = {
    "as-it-is": (right.as_is, written.one_file),
    "file-each": (right.as_is, written.file_each),
    "list": (right.as_is, written.yaml_list),
    "json": (right.as_is, written.json_list),
    "json-each": (right.as_is, written.json_each),
    "flow-style": (right.as_is, written.flow_style),
    "double-quotes": (right.as_is, written.double_quotes),
    "single-quotes": (right.as_is, written.single_quotes),
    "anchors": (right.as_is, written.anchors),
    "windows-lines": (right.as_is, written.windows),
    "byte-order-mark": (right.as_is, written.with_mark),
    "comments": (right.as_is, written.commented),
    "reversed": (right.reversed_, written.one_file),
    "other-names": (right.other_names, written.file_each),
    "metadata": (right.with_metadata, written.one_file),
    "expressions": (right.expressions, written.one_file),
    "labels": (right.labels, written.one_file),
    "also-exists": (right.also_exists, written.one_file),
    "empty-words": (right.empty_words, written.one_file),
    "merged": (right.merged, written.one_file),
    "split": (right.split, written.file_each),
    "rule-each": (right.rule_each, written.one_file),
    "default-protocol": (right.without_tcp, written.one_file),
    "range-of-one": (right.with_end, written.one_file),
    "types-inferred": (right.without_types, written.one_file),
    "types-said": (right.with_types, written.one_file),
    "own-namespace-said": (right.named_space, written.one_file),
    "peer-each-value": (right.value_each, written.one_file),
    "policy-each-value": (right.policy_each, written.one_file),
    "twice": (right.twice, written.file_each),
    "denies-more": (right.denies_more, written.one_file),
    "denies-apart": (right.denies_apart, written.one_file),
    "port-names": (right.by_name, written.one_file),
    "cilium-prefixed": (rightcilium.prefixed, written.one_file),
    "cilium-bare": (rightcilium.bare, written.one_file),
    "cilium-policy-each": (rightcilium.rule_each, written.file_each),
    "cilium-specs": (rightcilium.as_specs, written.one_file),
    "cilium-any-split": (rightcilium.any_split, written.one_file),
    "cilium-entry-each": (rightcilium.entry_each, written.one_file),
    "cilium-patterns": (rightcilium.as_patterns, written.one_file),
    "cilium-dotted": (rightcilium.dotted, written.one_file),
    "cilium-denying-said": (rightcilium.said_denying, written.one_file),
    "cilium-reversed": (rightcilium.reversed_, written.one_file),
    "cilium-described": (rightcilium.described, written.one_file),
}
"""The rules that write the same in another way: what they do to the documents, and to the files."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A submission made by rule.

    `name` is unique; `rule` is its key in WRONG, REFUSED or RIGHT. `what` is a sentence: what is
    wrong, or how it is written. `files` are names without folders, and bytes. `refused`: our
    reader takes no such files, on purpose, so that nothing of them can be in force.
    """

    name: str
    rule: str
    what: str
    files: written.Files
    right: bool = False
    refused: bool = False


def wrong_variants(reference: Reference) -> tuple[Variant, ...]:
    """Each mistake that some rule makes, once; some of them may change no flow (`equal`)."""
    found = (*_wrong(reference, WRONG, refused=False), *_wrong(reference, REFUSED, refused=True))
    return _numbered(islice(found, MOST))


def right_variants(reference: Reference) -> tuple[Variant, ...]:
    """The reference written in each way that makes a difference to its text."""
    return _numbered(_right(reference))


def _wrong(reference: Reference, rules: Mapping[str, Maker], *, refused: bool) -> Iterator[Variant]:
    seen = {_text(reference.documents)}
    for rule, make in rules.items():
        for case in make(reference):
            text = _text(case.documents)
            if text not in seen:
                seen.add(text)
                files = written.one_file(case.documents)
                yield Variant(f"{rule}.{case.where}", rule, case.what, files, refused=refused)


def _right(reference: Reference) -> Iterator[Variant]:
    seen: set[written.Files] = set()
    for rule, (same, write) in RIGHT.items():
        files = write(same(reference))
        if files not in seen:
            seen.add(files)
            yield Variant(rule, rule, _sentence(same, write), files, right=True)


def _sentence(same: Callable[..., object], write: Callable[..., object]) -> str:
    words = [one.__doc__ or "" for one in (same, write)]
    return words[1] if same is right.as_is else words[0]


def _numbered(variants: Iterator[Variant]) -> tuple[Variant, ...]:
    """The same, with names that are unique and fit for a file."""
    found: list[Variant] = []
    taken: set[str] = set()
    for variant in variants:
        plain = "".join(c if c.isalnum() or c in ".-" else "-" for c in variant.name)[:200]
        name, count = plain, 1
        while name in taken:
            count += 1
            name = f"{plain}-{count}"
        taken.add(name)
        found.append(
            Variant(name, variant.rule, variant.what, variant.files, variant.right, variant.refused)
        )
    return tuple(found)


def _text(documents: Sequence[Document]) -> str:
    return json.dumps(documents, sort_keys=True, default=str)
