"""policyTypes written out as the API server would: what is applied does not hang on what was."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.manifests.networkpolicy import network_policy, with_types

NAMED = {"kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "x"}}


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({"podSelector": {}}, ["Ingress"]),
        ({"podSelector": {}, "egress": []}, ["Ingress"]),
        ({"podSelector": {}, "egress": [{}]}, ["Ingress", "Egress"]),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, ["Egress"]),
        ({"podSelector": {}, "policyTypes": ["Ingress"], "egress": [{}]}, ["Ingress"]),
    ],
)
def test_types_are_written_out_and_mean_the_same(spec: dict[str, Any], types: list[str]) -> None:
    before = network_policy({**NAMED, "spec": spec}, "here")

    body = with_types({**NAMED, "spec": dict(spec)})

    assert body["spec"]["policyTypes"] == types
    assert network_policy(body, "here") == before
