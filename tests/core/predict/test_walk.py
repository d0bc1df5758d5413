"""Any flow can be asked: what happens before policies, what they say, and where CNIs differ."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from harness import cli
from harness.core.manifests.reader import parse
from harness.core.outcome import Verdict
from harness.core.predict.scenario import Scenario
from harness.core.predict.walk import Walk, walk
from harness.core.target import parse_source, parse_target
from harness.edge.cni.known import PROFILES
from harness.errors import ContentError
from harness.report.walk import walk_document, walk_text

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: tea}
---
apiVersion: v1
kind: Pod
metadata: {name: cup, namespace: tea, labels: {app: cup}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: pot, namespace: tea, labels: {app: pot}}
spec:
  containers:
    - name: c
      image: i
      ports: [{containerPort: 9000, name: pour}, {containerPort: 9001, protocol: SCTP}]
---
apiVersion: v1
kind: Service
metadata: {name: pot, namespace: tea}
spec: {selector: {app: pot}, clusterIP: 10.0.0.7, ports: [{port: 80, targetPort: pour}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: tea}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: tea}
spec: {clusterIP: 10.0.0.8, ports: [{port: 443, targetPort: 6443}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: far, namespace: tea}
subsets: [{addresses: [{ip: 198.51.100.9}], ports: [{port: 6443}]}]
"""

POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: cup, namespace: tea}}
spec: {spec}
"""


def walked(source: str, target: str, spec: str = "") -> Walk:
    text = WORLD + (f"---{POLICY.format(spec=spec)}" if spec else "")
    scenario = Scenario(parse(text, origin="tea"))
    ends = parse_source(source, where="FROM"), parse_target(target, where="TO")
    return walk(scenario, *ends, PROFILES.values())


SERVICE_PORT = "{podSelector: {matchLabels: {app: cup}}, policyTypes: [Egress], egress: [%s]}"


def test_a_service_is_translated_before_policies_see_its_port() -> None:
    only = SERVICE_PORT % "{to: [{podSelector: {}}], ports: [{port: 80}]}"

    assert walked("tea/cup", "svc/tea/pot:80", only).verdict is Verdict.DENY
    named = SERVICE_PORT % "{to: [{podSelector: {}}], ports: [{port: pour}]}"
    assert walked("tea/cup", "svc/tea/pot:80", named).verdict is Verdict.ALLOW


def test_the_address_of_a_service_is_the_service() -> None:
    assert walked("tea/cup", "net/10.0.0.7:80").parts[0].flow.port == 9000


@pytest.mark.parametrize(
    ("target", "why"),
    [("svc/tea/pot:81", "has no port TCP 81"), ("svc/tea/empty:80", "no pod is behind")],
)
def test_nobody_behind_a_service_is_undefined_with_the_reason(target: str, why: str) -> None:
    found = walked("tea/cup", target)

    assert found.verdict is Verdict.UNDEFINED
    assert why in found.because
    assert "nothing blocks" not in walk_text(found)


def test_an_ip_block_of_a_service_or_of_its_endpoint_is_left_open_and_each_cni_answers() -> None:
    by_service = SERVICE_PORT % "{to: [{ipBlock: {cidr: 10.0.0.8/32}}], ports: [{port: 443}]}"
    found = walked("tea/cup", "svc/tea/far:443", by_service)

    assert found.verdict is Verdict.UNDEFINED
    assert found.answers == {"calico": Verdict.DENY, "cilium": Verdict.DENY}


def test_any_address_can_ask_and_be_asked() -> None:
    block = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/28}}]}]}"

    assert walked("net/198.51.100.3", "pod/tea/pot:9000", block).verdict is Verdict.ALLOW
    assert walked("net/198.51.100.77", "pod/tea/pot:9000", block).verdict is Verdict.DENY
    assert walked("tea/cup", "net/[2001:db8::7]:443").verdict is Verdict.ALLOW


def test_through_a_service_a_client_outside_may_have_the_address_of_a_node() -> None:
    one = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/28}}]}]}"
    every = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"

    for client in ("net/198.51.100.3", "net/198.51.100.77"):
        found = walked(client, "svc/tea/pot:80", one)
        assert found.verdict is Verdict.UNDEFINED
        assert "a node may put its own address" in found.because
        assert not found.answers
    assert walked("net/198.51.100.3", "svc/tea/pot:80", every).verdict is Verdict.ALLOW
    assert walked("net/198.51.100.3", "svc/tea/pot:80", "{podSelector: {}}").verdict is Verdict.DENY


def test_no_cni_is_said_to_know_whether_a_name_exists_outside() -> None:
    found = walked("tea/cup", "name/exmaple.com:443")

    assert found.verdict is Verdict.UNDEFINED
    assert not found.answers


def test_sctp_is_asked_like_tcp() -> None:
    only = "{podSelector: {}, ingress: [{ports: [{port: 9001, protocol: SCTP}]}]}"

    assert walked("tea/cup", "pod/tea/pot:9001/sctp", only).verdict is Verdict.ALLOW
    assert walked("tea/cup", "pod/tea/pot:9001", only).verdict is Verdict.DENY


def test_without_its_lookup_a_flow_by_name_is_blocked() -> None:
    closed = "{podSelector: {}, policyTypes: [Egress]}"
    found = walked("tea/cup", "name/pot.tea:80", closed)

    assert found.verdict is Verdict.DENY
    assert "dns_timeout" in found.steps[0]


def test_a_name_leads_to_its_service_and_a_missing_name_to_nobody() -> None:
    assert walked("tea/cup", "name/pot.tea:80").parts[0].flow.port == 9000
    assert "there is no such name" in walked("tea/cup", "name/kettle.tea:80").because


def test_rules_that_policy_types_leave_out_are_answered_for_each_cni() -> None:
    nobody = "{from: [{podSelector: {matchLabels: {app: none}}}]}"
    shut = f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{}}], ingress: [{nobody}]}}"
    found = walked("tea/cup", "pod/tea/pot:9000", shut)

    assert found.verdict is Verdict.ALLOW
    assert found.answers == {"cilium": Verdict.DENY}


def test_a_lookup_is_not_a_flow() -> None:
    with pytest.raises(ContentError, match="is not a flow"):
        walked("tea/cup", "lookup/pot")


@pytest.mark.parametrize("target", ["pod/tea/pot:9000", "svc/tea/pot:80", "ping/pod/tea/pot"])
def test_the_document_follows_its_schema(target: str) -> None:
    schema = files("harness.report").joinpath("templates/explain.schema.json")

    document = walk_document(walked("tea/cup", target, "{podSelector: {}}"))
    jsonschema.validate(document, json.loads(schema.read_text(encoding="utf-8")))


def test_a_file_of_policies_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shut.yaml"
    file.write_text(WORLD + "---" + POLICY.format(spec="{podSelector: {}}"))

    assert cli.main(["explain", str(file)]) == 0
    said = capsys.readouterr().out
    assert "selects all pods in the namespace tea: tea/cup, tea/pot" in said
    assert "Ingress: these pods are isolated, and no rule lets pass" in said
    assert "Egress: the policy says nothing of egress" in said


def test_explain_without_a_flow_or_a_file_says_what_to_write(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["explain"]) == 2
    assert "policylab explain FILE" in capsys.readouterr().err
