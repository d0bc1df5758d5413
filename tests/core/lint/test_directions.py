"""policyTypes, and default deny that is missing or is for one direction."""

from __future__ import annotations

import pytest

from harness.core.lint.finding import Sure
from harness.core.model import External
from harness.core.outcome import Verdict
from tests.core.lint.worlds import DENY, every, found, line_of, linted, namespace, pod, policy

WORLD = (
    namespace("way"),
    pod("way/quiet", "app: quiet", "80"),
    pod("way/any", "app: any", "80"),
)
OTHER = (namespace("far"), pod("far/away", "app: away", "80"))
LEFT_OUT = """\
  podSelector: {matchLabels: {app: quiet}}
  policyTypes: [Ingress]
  egress:
    - to: [{podSelector: {matchLabels: {app: nobody}}}]
"""
NO_TYPES = """\
  podSelector: {matchLabels: {app: quiet}}
  egress:
    - to: [{podSelector: {}}]
"""


def test_rules_that_policy_types_leave_out_are_reported_with_the_cni_that_enforces_them() -> None:
    world = (*WORLD, policy("way/odd", LEFT_OUT))

    finding = found("policy-types", *world)

    assert (finding.spot.field, finding.spot.line) == ("spec.egress", line_of("egress:", *world))
    assert finding.sure is Sure.CERTAIN
    assert "cilium enforces them all the same" in finding.what
    assert finding.shown is not None
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.ALLOW, Verdict.DENY)


def test_left_out_rules_on_which_no_flow_hangs_are_reported_without_one() -> None:
    both = LEFT_OUT.replace("matchLabels: {app: quiet}", "matchLabels: {app: gone}")
    finding = found("policy-types", *WORLD, policy("way/odd", both))

    assert finding.shown is None


@pytest.mark.parametrize("types", ["[Egress]", "[Ingress, Egress]"])
def test_policy_types_that_have_the_direction_of_the_rules_are_not_reported(types: str) -> None:
    spec = LEFT_OUT.replace("[Ingress]", types)

    assert every("policy-types", *WORLD, policy("way/odd", spec)) == []


def test_egress_rules_without_policy_types_close_ingress() -> None:
    finding = found("policy-types-defaulted", *WORLD, policy("way/quiet", NO_TYPES))

    assert finding.sure is Sure.LIKELY
    assert finding.shown is not None
    assert str(finding.shown.flow) == "way/any -> pod/way/quiet:80"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("  policyTypes: [Egress]\n", id="policyTypes are written"),
        pytest.param("  ingress: []\n", id="ingress is written"),
    ],
)
def test_a_policy_that_says_its_directions_is_not_reported(more: str) -> None:
    assert every("policy-types-defaulted", *WORLD, policy("way/quiet", NO_TYPES + more)) == []


def test_ingress_that_is_closed_anyway_is_not_closed_by_the_way() -> None:
    world = (*WORLD, policy("way/deny", DENY))

    assert every("policy-types-defaulted", *world, policy("way/quiet", NO_TYPES)) == []


def test_ingress_rules_without_policy_types_leave_egress_open_which_is_possibly_a_fault() -> None:
    spec = NO_TYPES.replace("egress", "ingress").replace("- to", "- from")
    finding = found("policy-types-defaulted", *WORLD, policy("way/quiet", spec))

    assert finding.sure is Sure.POSSIBLE
    assert finding.shown is not None
    assert finding.shown.verdict is Verdict.ALLOW


def test_a_namespace_that_is_open_beside_one_that_denies_by_default_is_reported() -> None:
    world = (*WORLD, *OTHER, policy("way/deny", DENY))

    finding = found("default-deny-missing", *world)

    assert finding.sure is Sure.LIKELY
    assert str(finding.spot.object) == "Namespace far"
    assert finding.spot.line == line_of("name: far", *world)
    assert finding.shown is not None
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.ALLOW, Verdict.DENY)


def test_the_suggested_default_deny_ends_the_finding() -> None:
    world = (*WORLD, *OTHER, policy("way/deny", DENY))

    assert (
        every("default-deny-missing", *world, found("default-deny-missing", *world).fix.yaml) == []
    )


def test_namespaces_without_any_policy_are_not_reported() -> None:
    assert linted(*WORLD, *OTHER).findings == ()


def test_a_policy_for_some_pods_elsewhere_is_no_default_deny() -> None:
    spec = "  podSelector: {matchLabels: {app: quiet}}\n  policyTypes: [Ingress]\n"
    reports = every("default-deny-missing", *WORLD, *OTHER, policy("way/quiet", spec))

    assert [(finding.spot.object, finding.sure) for finding in reports] == [
        ("Namespace way", Sure.POSSIBLE)
    ]


def test_pods_on_the_host_network_are_not_missed_by_default_deny() -> None:
    node = (namespace("far"), pod("far/node", "app: node", "80", "hostNetwork: true"))

    assert every("default-deny-missing", *WORLD, *node, policy("way/deny", DENY)) == []


ONE_WAY = "  podSelector: {}\n  policyTypes: [Ingress]\n"


@pytest.mark.parametrize(
    ("name", "sure"),
    [
        ("default-deny-all", Sure.LIKELY),
        ("default-deny", Sure.LIKELY),
        ("default-deny-ingress", Sure.POSSIBLE),
        ("closed", Sure.POSSIBLE),
    ],
)
def test_default_deny_of_one_direction_is_likely_a_fault_where_the_name_says_more(
    name: str, sure: Sure
) -> None:
    world = (*WORLD, policy(f"way/{name}", ONE_WAY))

    finding = found("default-deny-one-way", *world)

    assert finding.sure is sure
    assert finding.spot.line == line_of("policyTypes", *world)
    assert finding.shown is not None
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.ALLOW, Verdict.DENY)


def test_two_policies_of_one_direction_each_are_default_deny() -> None:
    other = ONE_WAY.replace("Ingress", "Egress")
    world = (*WORLD, policy("way/default-deny-a", ONE_WAY), policy("way/default-deny-b", other))

    assert every("default-deny-one-way", *world) == []


def test_a_policy_with_rules_is_no_default_deny() -> None:
    spec = ONE_WAY + "  ingress: [{}]\n"

    assert every("default-deny-one-way", *WORLD, policy("way/default-deny", spec)) == []


def test_a_lonely_pod_shows_an_open_egress_to_the_outside() -> None:
    finding = found("default-deny-one-way", *WORLD[:2], policy("way/default-deny", ONE_WAY))

    assert finding.shown is not None
    assert isinstance(finding.shown.flow.target, External)
