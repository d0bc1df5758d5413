"""A rule of a policy, and the policy with a change in this rule."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.core.model import Direction, NetworkPolicy, Peer, Rule


@dataclass(frozen=True, slots=True)
class Where:
    """A rule of a policy: its direction, its number from 1, and the rule."""

    policy: NetworkPolicy
    direction: Direction
    number: int
    rule: Rule

    def __str__(self) -> str:
        return f"{self.direction.lower()} rule {self.number}"

    def instead(self, rule: Rule) -> NetworkPolicy:
        """The policy with another rule in the place of this one."""
        rules = list(self.policy.rules(self.direction))
        rules[self.number - 1] = rule
        if self.direction is Direction.EGRESS:
            return replace(self.policy, egress=tuple(rules))
        return replace(self.policy, ingress=tuple(rules))

    def with_peers(self, count: int, *peers: Peer) -> NetworkPolicy:
        """The policy with others in the place of one peer, which is counted from 1."""
        found = self.rule.peers
        new = (*found[: count - 1], *peers, *found[count:])
        return self.instead(replace(self.rule, peers=new))
