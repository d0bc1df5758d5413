"""The rules of lint: their ids, what each means in one sentence, and the function that looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.core.lint.finding import Finding
from harness.core.lint.ground import Ground
from harness.core.lint.rules import (
    addresses,
    directions,
    names,
    peers,
    ports,
    selectors,
    sides,
    spaces,
    words,
)


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule. `id` is what people type; `meaning` says in one sentence when it reports.

    `finds` looks at a state. `no_flow` says why a finding may have no flow that shows it; where it
    is empty, each finding has one.
    """

    id: str
    meaning: str
    finds: Callable[[Ground], Iterator[Finding]]
    no_flow: str = ""


def _selects_nobody(ground: Ground) -> Iterator[Finding]:
    yield from selectors.policy_selects_nobody(ground)
    yield from peers.peer_picks_nobody(ground)


def _of_comments(_: Ground) -> Iterator[Finding]:
    """Nothing: what is wrong with comments is found once all other findings are known."""
    yield from ()


_A_COMMENT = "a comment decides no flow"

RULES: tuple[LintRule, ...] = (
    LintRule(
        "dns-forgotten",
        "Pods may send to others that they call by name, and may not ask the name server.",
        names.dns_forgotten,
    ),
    LintRule(
        "dns-without-tcp",
        "DNS is open over UDP and closed over TCP, which clients need for long answers.",
        names.dns_without_tcp,
    ),
    LintRule(
        "dns-without-udp",
        "DNS is open over TCP and closed over UDP, over which clients ask first.",
        names.dns_without_udp,
    ),
    LintRule(
        "two-peers",
        "A rule has a peer for namespaces and one for pods, where those pods of those namespaces "
        "were probably meant.",
        peers.two_peers,
    ),
    LintRule(
        "one-peer",
        "A peer has both selectors and picks nobody, where two peers would pick somebody each.",
        peers.one_peer,
    ),
    LintRule(
        "selects-nobody",
        "A policy or a peer selects no pod, in a namespace whose pods were read.",
        _selects_nobody,
        "whoever selects nobody decides no flow; where a near label is there, the flow shows what "
        "it would decide",
    ),
    LintRule(
        "namespace-label-unset",
        "A namespaceSelector asks for a label that no namespace bears.",
        spaces.namespace_label_unset,
        "a peer that picks no namespace decides no flow; where a near label is there, the flow "
        "shows what it would decide",
    ),
    LintRule(
        "port-nobody-listens",
        "A rule has a port on which none of its receivers listens.",
        ports.port_nobody_listens,
    ),
    LintRule(
        "service-port",
        "A rule has the port of a Service where the pods behind it listen on another port.",
        ports.port_of_service,
    ),
    LintRule(
        "policy-types",
        "A policy has rules of a direction that its policyTypes leave out.",
        directions.policy_types_omit,
        "the rules may be such that no flow of the pods that were read hangs on them",
    ),
    LintRule(
        "policy-types-defaulted",
        "A policy has egress rules and no policyTypes, so it closes ingress as well.",
        directions.policy_types_defaulted,
    ),
    LintRule(
        "void-by-other-side",
        "A rule opens one end of a path whose other end is closed, so it lets no flow pass.",
        sides.void_by_other_side,
    ),
    LintRule(
        "wanted-flow-closed",
        "The manifests list a flow as wanted, and the policies deny it.",
        sides.wanted_flow_closed,
    ),
    LintRule(
        "default-deny-missing",
        "No policy selects a pod of a namespace, while other namespaces deny by default.",
        directions.default_deny_missing,
    ),
    LintRule(
        "default-deny-one-way",
        "A policy denies one direction for a whole namespace, and the other one is open.",
        directions.default_deny_one_way,
    ),
    LintRule(
        "ip-block-over-pods",
        "An ipBlock covers addresses of pods, about which CNIs differ.",
        addresses.ip_block_over_pods,
    ),
    LintRule(
        "yaml-reads-otherwise",
        "A word without quotes is a name elsewhere, and YAML reads something else here.",
        words.yaml_reads_otherwise,
    ),
    LintRule(
        "ignore-without-reason",
        "A comment ignores a rule and gives no reason.",
        _of_comments,
        _A_COMMENT,
    ),
    LintRule(
        "ignore-unknown-rule",
        "A comment ignores a rule that does not exist.",
        _of_comments,
        _A_COMMENT,
    ),
    LintRule(
        "ignore-unused",
        "A comment ignores a rule that finds nothing there.",
        _of_comments,
        _A_COMMENT,
    ),
)

BY_ID: Mapping[str, LintRule] = {rule.id: rule for rule in RULES}


def findings(ground: Ground, rules: Iterable[LintRule] = RULES) -> Iterator[Finding]:
    """All that the rules find in a state, rule by rule."""
    for rule in rules:
        yield from rule.finds(ground)
