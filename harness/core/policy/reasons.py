"""Why a side of a flow is allowed, denied or open, for people who are new to NetworkPolicy.

A denial names the rule that comes nearest to the flow, and what that rule lacks.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.model import Direction, NetworkPolicy, Pod, Protocol, Rule, Unread
from harness.core.outcome import Verdict
from harness.core.policy.fqdn import matches
from harness.core.policy.nearest import Nearest, Numbered, ends
from harness.core.policy.selectors import End
from harness.core.policy.words import name_words, port_words, rule_words, who
from harness.core.target.ask import Flow


def same(one: End, other: End) -> bool:
    """Whether both are the same end; a pod is known by its name, because its labels may change."""
    return one is other or (
        one.name == other.name and str(one) == str(other) and type(one) is type(other)
    )


def to_itself(end: End) -> str:
    """Why a pod's flow to its own address passes (docs: "a Pod cannot block access to itself")."""
    return f"allowed: {end} talks to itself, and no policy can block that"


def hairpin_note(end: End, verdict: Verdict) -> str:
    """Why a pod's flow to itself through a Service has this verdict, though policies deny it."""
    itself = f"through the Service, {end} talks to itself"
    if verdict is Verdict.ALLOW:
        return f"allowed: {itself}, and this CNI lets that pass whatever policies say"
    return (
        f"undefined: {itself}, but its packets leave the pod on the way; CNIs differ on whether "
        "policies apply to them"
    )


def node_note(flow: Flow) -> str:
    """Why a flow is open that does not pass for certain, and of which an end is at its node."""
    on_host = [e for e in (flow.source, flow.target) if isinstance(e, Pod) and e.host_network]
    names = " and ".join(map(str, on_host))
    return f"undefined: {names} is on the host network, and CNIs differ about such pods"


def unread_note(unread: Sequence[Unread]) -> str:
    """Why a flow is open that objects could decide which were not read."""
    first, more = unread[0], len(unread) - 1
    others = f" (and {more} more)" if more else ""
    return f"undefined: {first}{others} was not read, and {first.why}"


def not_isolated(own: End, direction: Direction, adding: Sequence[NetworkPolicy]) -> str:
    """The reason of a side that no policy isolates; `adding` select it but only add."""
    traffic = direction.lower()
    if adding:
        return (
            f"{traffic} allowed: {own} is selected by {_names(adding)}, with enableDefaultDeny "
            f"false for {traffic}, so flows that no rule allows pass too"
        )
    return f"{traffic} allowed: no policy for {traffic} selects {own}"


def let_pass(other: End, direction: Direction, rules: Sequence[Numbered]) -> str:
    """The reason of an isolated side with these rules that let the flow pass."""
    # A rule by label or address says more: it needs no lookup before.
    policy, number, rule = next((r for r in rules if not any(p.fqdn for p in r[2].peers)), rules[0])
    traffic = direction.lower()
    text = f"{traffic} allowed: {policy}, {traffic} rule {number} ({rule_words(rule)})"
    blocks_only = all(rule.peers and all(p.ip_block for p in rule.peers) for _, _, rule in rules)
    if blocks_only and isinstance(other, Pod):
        text += "; but ipBlock is meant for addresses outside of the cluster: CNIs differ on pods"
    return text + _by_address(other, rule)


def _by_address(other: End, rule: Rule) -> str:
    """What a reader must know about a rule by name that lets an end pass."""
    names = [peer.fqdn for peer in rule.peers if peer.fqdn]
    if not names:
        return ""
    if any(matches(name, other.name) for name in names):
        return (
            "; toFQDNs works by address: Cilium opens those that its DNS proxy saw in the answer "
            "to the pod's lookup, so the pod must look the name up first, under rules.dns"
        )
    return (
        f"; {other.name} has another name, but toFQDNs works by address, and {other.ip} is also "
        "that of an allowed name: once that name is looked up, both are open"
    )


def name_refused(question: str, names: Sequence[str]) -> str:
    """The reason why a question is not answered; `names` are the names that may be asked about."""
    return (
        f"DNS REFUSED: Cilium's DNS proxy answers {question} itself, for rules.dns lets this pod "
        f"ask about {' or '.join(map(name_words, names))} only"
    )


def pass_in_part(other: End, direction: Direction, rules: Sequence[Numbered]) -> str:
    """The reason of a side on which these rules let only some of the requests pass."""
    policy, number, rule = next((r for r in rules if any(p.requests for p in r[2].ports)), rules[0])
    return (
        f"{direction.lower()} allowed in part: {policy}, {direction.lower()} rule {number} "
        f"({rule_words(rule)}): some requests of or to {other} pass"
    )


def left_open(
    flow: Flow, direction: Direction, policies: Sequence[NetworkPolicy], missing: Sequence[str]
) -> str:
    """The reason of a side that the API, or something unknown, leaves undefined."""
    own, _ = ends(flow, direction)
    what = f"it hangs on {' and on '.join(missing)}"
    if flow.protocol is Protocol.ICMP and not missing:
        what = "NetworkPolicy speaks of TCP, UDP and SCTP only"
    selected = f"{own} is selected by {_names(policies)}, and " if policies else ""
    return f"{direction.lower()} undefined: {selected}{what}"


def forbidden(flow: Flow, direction: Direction, rule: Numbered) -> str:
    """The reason of a side on which a denying rule matches the flow."""
    policy, number, found = rule
    own, _ = ends(flow, direction)
    traffic = direction.lower()
    return (
        f"{traffic} DENIED: {policy}, {traffic}Deny rule {number} ({rule_words(found)}) is about "
        f"{own}, and no rule that allows counts beside it"
    )


def denied(
    flow: Flow,
    direction: Direction,
    policies: Sequence[NetworkPolicy],
    nearest: Nearest | None,
) -> str:
    """The reason of an isolated side whose rules all miss the flow; None: it has no rule."""
    own, other = ends(flow, direction)
    traffic = direction.lower()
    side = "to" if direction is Direction.EGRESS else "from"
    no_rule = f"there is no {traffic} rule at all, which lets nobody pass"
    return (
        f"{traffic} DENIED: {own} is selected by {_names(policies)}; no rule allows {traffic} "
        f"{side} {who(other)}{port_words(flow)}; {f'nearest: {nearest}' if nearest else no_rule}"
    )


def _names(policies: Sequence[NetworkPolicy]) -> str:
    return " and ".join(map(str, policies))
