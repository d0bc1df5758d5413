"""Lint on the tutorials' own manifests: it finds each erratum that is a policy's fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.lab.claims import Shown
from harness.core.lint.finding import Finding, Sure
from harness.core.lint.linting import lint
from harness.core.manifests.library import in_force
from harness.core.outcome import Outcome, Verdict
from harness.edge.cni.known import PROFILES
from harness.edge.files.labs import load_shown
from harness.edge.files.library import load

MANIFESTS = Path(__file__).parents[2] / "manifests"

FOUND = {
    ("lab12-zero-trust", "frontend-open"): ("default-deny-missing", "Namespace frontend-zone"),
    ("lab12-zero-trust", "db-ingress"): (
        "void-by-other-side",
        "NetworkPolicy secure-zone/api-network-policy",
    ),
    ("lab12-zero-trust", "dns-tcp"): (
        "dns-without-tcp",
        "NetworkPolicy secure-zone/api-network-policy",
    ),
    ("netpol-by-example", "per-direction"): (
        "policy-types-defaulted",
        "NetworkPolicy prod-nginx/allow-http",
    ),
    ("production-isolation", "one-namespace"): ("default-deny-missing", "Namespace production"),
    ("production-isolation", "frontend-egress"): (
        "void-by-other-side",
        "NetworkPolicy develop/allow-backend-ingress",
    ),
    ("production-isolation", "gateway-backends-only"): (
        "wanted-flow-closed",
        "ConfigMap develop/wanted-flows",
    ),
}
"""The errata that are faults of policies: the rule that finds each, and the object."""

NOT_A_POLICYS = {
    ("lab12-zero-trust", "no-service"): "a Service is missing: the name exists under no policy",
    ("lab12-zero-trust", "srv-no-service"): "a Service is missing",
    ("lab12-zero-trust", "srv-unnamed-port"): "the port of a Service has no name",
    ("lab12-zero-trust", "300-percent"): "the text counts wrongly",
    ("lab12-zero-trust", "boundary-no-name"): "the command asks for a name that does not exist",
    ("lab12-zero-trust", "boundary-port-80"): "the command asks for a port of no Service",
    ("lab12-zero-trust", "loop-words"): "the text cites a line of a log wrongly",
    ("netpol-by-example", "immediately"): "the text is wrong about when a policy comes into force",
    ("production-isolation", "no-such-name"): "the command asks for a name that does not exist",
    ("cilium-fqdn", "piped-exit-code"): "a pipe hides the exit code of the command",
}
"""All other errata, and why no policy is at fault."""

CORRECTED = {
    "lab12-zero-trust": [],
    # The second namespace of the tutorial is that of a client, and the text does not close it.
    "netpol-by-example": ["default-deny-missing Namespace myhackns"],
    "production-isolation": [],
}
"""What lint finds in the corrected manifests of each tutorial."""

ROWS = [(tutorial, shown) for tutorial, rows in load_shown().items() for shown in rows]
REFUTED = [(tutorial, shown) for tutorial, shown in ROWS if shown.row.erratum]


def findings(tutorial: str, step: tuple[str, ...]) -> list[Finding]:
    resources = in_force(load(MANIFESTS / tutorial), step)
    return list(lint(resources, tuple(PROFILES.values())).findings)


def test_every_erratum_is_a_policys_fault_or_not() -> None:
    errata = {(tutorial, shown.row.erratum.id) for tutorial, shown in REFUTED if shown.row.erratum}

    assert errata == FOUND.keys() | NOT_A_POLICYS.keys()
    assert not FOUND.keys() & NOT_A_POLICYS.keys()


@pytest.mark.parametrize(("tutorial", "shown"), REFUTED, ids=[f"{t}-{s.name}" for t, s in REFUTED])
def test_an_erratum_that_is_a_policys_fault_is_found_in_its_step(
    tutorial: str, shown: Shown
) -> None:
    assert shown.row.erratum is not None
    expected = FOUND.get((tutorial, shown.row.erratum.id))
    if expected is None:
        return
    found = findings(tutorial, shown.row.apply)

    matching = [f for f in found if (f.rule, f.spot.object) == expected]
    assert matching
    for finding in matching:
        assert finding.shown is not None
        assert finding.shown.mended is not finding.shown.verdict


def corrected(tutorial: str) -> tuple[str, ...]:
    """The manifests in force at the last step that has the tutorial's corrected policies."""
    steps = [shown.row.apply for name, shown in ROWS if name == tutorial]
    marks = {"production-isolation": "05-default-deny-all", "lab12-zero-trust": "07-api-to-db"}
    mark = marks.get(tutorial, "07-allow-http")
    whole = [step for step in steps if mark in step and not any("08-" in name for name in step)]
    return max((len(step), step) for step in whole)[1]


@pytest.mark.parametrize("tutorial", sorted(CORRECTED))
def test_the_corrected_manifests_of_a_tutorial_have_no_other_findings(tutorial: str) -> None:
    found = [f for f in findings(tutorial, corrected(tutorial)) if f.sure is not Sure.POSSIBLE]

    assert [f"{finding.rule} {finding.spot.object}" for finding in found] == CORRECTED[tutorial]


@pytest.mark.parametrize("tutorial", sorted({tutorial for tutorial, _ in ROWS}))
def test_a_flow_that_lint_shows_is_as_the_row_of_the_same_step_has_it(tutorial: str) -> None:
    rows = [shown.row for name, shown in ROWS if name == tutorial and not any(shown.row.lines)]
    said = {
        (row.apply, str(finding.shown.flow)): finding.shown.verdict
        for row in {row.apply: row for row in rows}.values()
        for finding in findings(tutorial, row.apply)
        if finding.shown is not None
    }
    for row in rows:
        verdict = said.get((row.apply, str(row.ask)))
        if verdict is not None:
            passes = row.outcome.outcome is Outcome.CONNECTED
            assert passes is (verdict is Verdict.ALLOW), row.where
