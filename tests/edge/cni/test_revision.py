"""Which endpoints have not put the agent's policies into force yet."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from harness.edge.cni.revision import Revisions, behind, parse
from harness.errors import NotSettled


def endpoint(
    name: str, revision: int, *, state: str = "ready", space: str = "shop"
) -> dict[str, Any]:
    return {
        "id": 1,
        "status": {
            "state": state,
            "labels": {"security-relevant": [f"k8s:io.kubernetes.pod.namespace={space}"]},
            "external-identifiers": {"k8s-pod-name": f"{space}/{name}"},
            "policy": {"realized": {"policy-revision": revision}},
        },
    }


def told(revision: int, *endpoints: dict[str, Any]) -> str:
    policies = json.dumps({"policy": "[]", "revision": revision}, indent=2)
    return f"{policies}\n\n{json.dumps(list(endpoints), indent=2)}\n"


@pytest.mark.parametrize(
    ("found", "late"),
    [
        (endpoint("web", 7), []),
        (endpoint("web", 8), []),
        (endpoint("web", 6), ["shop/web has realised revision 6, not 7"]),
        (endpoint("web", 6, space="bank"), []),
        (endpoint("web", 6, state="disconnecting"), []),
        (endpoint("web", 0, state="regenerating"), ["shop/web has realised revision 0, not 7"]),
    ],
)
def test_endpoint_of_these_namespaces_must_have_the_agents_revision(
    found: dict[str, Any], late: list[str]
) -> None:
    assert behind(*parse(told(7, found)), {"shop"}) == late


def test_endpoint_without_labels_is_nobodys() -> None:
    host = endpoint("host", 1)
    host["status"]["labels"] = None

    assert behind(7, [host], {"shop"}) == []


class Agents(SimpleNamespace):
    def by_node(self) -> dict[str, str]:
        return {"one": "cilium-x"}

    def ask(self, agent: str, command: object) -> str:
        return self.says.pop(0) if len(self.says) > 1 else str(self.says[0])


def test_wait_ends_when_all_have_it() -> None:
    agents = Agents(says=[told(7, endpoint("web", 6)), told(7, endpoint("web", 7))])

    Revisions(agents).realised({"shop"})  # type: ignore[arg-type]

    assert len(agents.says) == 1


def test_wait_that_ends_says_who_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.edge.cni.revision.SECONDS", 0.2)
    agents = Agents(says=[told(7, endpoint("web", 6))])

    with pytest.raises(NotSettled) as caught:
        Revisions(agents).realised({"shop"})  # type: ignore[arg-type]

    assert "shop/web has realised revision 6, not 7" in caught.value.seen
