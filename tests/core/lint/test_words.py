"""Words that YAML reads as something else than the name that they are elsewhere."""

from __future__ import annotations

import pytest

from harness.core.outcome import Verdict
from tests.core.lint.worlds import every, found, line_of, namespace, pod, policy

FROM_ALL = """\
  podSelector: {{matchLabels: {{app: api}}}}
  policyTypes: [Ingress]
  ingress:
    - ports: [{{port: {port}}}]
"""


def test_a_ports_name_that_is_a_number_without_quotes_is_reported_with_the_flow() -> None:
    api = pod("shop/api", "app: api", '8081 "8e1"')
    web = pod("shop/web", "app: web")
    world = (namespace("shop"), web, api, policy("shop/api", FROM_ALL.format(port="8e1")))

    finding = found("yaml-reads-otherwise", *world)

    assert finding.spot.line == line_of("port: 8e1", *world)
    assert "YAML reads it as `80`" in finding.what
    assert finding.shown is not None
    assert finding.shown.verdict is not finding.shown.mended


def test_a_label_key_that_is_a_truth_value_is_reported() -> None:
    api = pod("shop/api", '"on": "1"', "80")
    spec = "  podSelector: {matchLabels: {on: '1'}}\n  policyTypes: [Ingress]\n"
    finding = found(
        "yaml-reads-otherwise", namespace("shop"), pod("shop/web"), api, policy("shop/api", spec)
    )

    assert 'write "on", in quotes' in finding.fix.sentence
    assert finding.shown is not None
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.ALLOW, Verdict.DENY)


@pytest.mark.parametrize("port", ["80", '"8e1"', "0x50"])
def test_words_that_are_read_as_they_are_meant_are_not_reported(port: str) -> None:
    name = '8081 "8e1"' if "8e1" in port else "80"
    world = (namespace("shop"), pod("shop/web"), pod("shop/api", "app: api", name))

    assert every("yaml-reads-otherwise", *world, policy("shop/a", FROM_ALL.format(port=port))) == []


def test_a_key_that_is_read_alike_on_both_sides_is_not_reported() -> None:
    api = pod("shop/api", "on: '1'", "80")
    spec = "  podSelector: {matchLabels: {on: '1'}}\n  policyTypes: [Ingress]\n"

    assert every("yaml-reads-otherwise", namespace("shop"), api, policy("shop/a", spec)) == []
