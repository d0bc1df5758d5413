"""A policy in words: whom it isolates, who may reach whom, and what it leaves unsaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.core.model import Direction, NetworkPolicy, Rule, Topology
from harness.core.policy.selectors import Crowd
from harness.core.policy.words import rule_words, selector_words
from harness.listing import few

SHOWN = 8
"""Pods that a sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a policy: a sentence about it, and a sentence for each of its rules."""

    summary: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """A policy in words. `selects` says whom it means; `pods` are those of them that are known."""

    policy: NetworkPolicy
    selects: str
    pods: tuple[str, ...]
    directions: tuple[Way, ...]


def accounts(topology: Topology, policies: Iterable[NetworkPolicy]) -> tuple[Account, ...]:
    """Each policy in words, in its order."""
    crowd = Crowd(
        (*topology.pods.values(), *topology.external.values()),
        topology.namespaces,
        topology.services,
    )
    return tuple(_account(crowd, policy) for policy in policies)


def _account(crowd: Crowd, policy: NetworkPolicy) -> Account:
    mask = crowd.selected_by(policy)
    pods = tuple(str(end) for end in crowd.ends if mask & crowd.bit(end))
    where = f"in the namespace {policy.namespace}" if policy.namespace else "of all namespaces"
    if policy.namespace_selector is not None:
        where = f"in {selector_words('namespaces', policy.namespace_selector)}"
    who = f"{selector_words('pods', policy.pod_selector)} {where}"
    known = f"{who}: {few(pods, SHOWN)}" if pods else f"{who}: no pod that is known here"
    return Account(policy, known, pods, tuple(_way(crowd, policy, d) for d in Direction))


def _way(crowd: Crowd, policy: NetworkPolicy, direction: Direction) -> Way:
    rules = policy.rules(direction)
    word = direction.lower()
    if direction not in policy.policy_types:
        if rules:
            return Way(
                f"{direction}: policyTypes leaves {direction} out, so the API ignores these rules; "
                "some CNIs enforce them (`policylab explain rules_left_out`)",
                tuple(_rules(crowd, policy, rules)),
            )
        return Way(f"{direction}: the policy says nothing of {word}, so {word} stays as it is")
    if direction in policy.adds_only:
        return Way(
            f"{direction}: the policy isolates nobody; it adds to what other policies let pass:",
            tuple(_rules(crowd, policy, rules)),
        )
    nobody = "may reach them" if direction is Direction.INGRESS else "can be reached by them"
    if not rules:
        return Way(f"{direction}: these pods are isolated, and no rule lets pass: nobody {nobody}")
    return Way(
        f"{direction}: these pods are isolated: nobody {nobody}, except by these rules "
        "or by other policies:",
        tuple(_rules(crowd, policy, rules)),
    )


def _rules(crowd: Crowd, policy: NetworkPolicy, rules: Iterable[Rule]) -> Iterator[str]:
    for number, rule in enumerate(rules, 1):
        mask = 0
        for peer in rule.peers:
            mask |= crowd.peer(peer, policy.namespace).certain
        ends = tuple(str(end) for end in crowd.ends if mask & crowd.bit(end))
        known = f" (here: {few(ends, SHOWN)})" if ends else " (here: nobody)" if rule.peers else ""
        yield f"rule {number}: {rule_words(rule)}{known}"
