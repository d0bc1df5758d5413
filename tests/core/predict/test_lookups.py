"""`policylab dns`: resolver, name servers, lookups and names, worked out from manifests."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness import cli
from harness.core.manifests.reader import parse
from harness.core.outcome import Outcome, Verdict
from harness.core.predict.lookups import PodLookups, lookups_of
from harness.core.predict.scenario import Scenario
from harness.core.target import parse_pod
from harness.exitcode import ExitCode

SCHEMA = Path(cli.__file__).parent / "report" / "templates" / "dns.schema.json"
WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: shop}
spec: {selector: {app: ledger}, clusterIP: 10.96.0.77, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: ring, namespace: shop}
spec: {selector: {app: ring}, clusterIP: None, ports: [{name: peer, port: 7000, targetPort: 7070}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ring, namespace: shop}
spec:
  serviceName: ring
  replicas: 2
  selector: {matchLabels: {app: ring}}
  template:
    metadata: {labels: {app: ring}}
    spec: {containers: [{name: main, image: i, ports: [{name: peer, containerPort: 7070}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: bank, namespace: shop}
spec: {type: ExternalName, externalName: api.bank.example}
"""
TO_DNS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: web}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]
"""
CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: web}
spec: {podSelector: {}, policyTypes: [Egress]}
"""
RULED = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: web}
spec:
  endpointSelector: {}
  egress:
    - toEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system}}]
      toPorts:
        - ports: [{port: "53", protocol: UDP}]
          rules: {dns: [{matchPattern: "*.shop.svc.cluster.local"}]}
"""


def text(spec: str = "", *more: str) -> str:
    pod = f"""
apiVersion: v1
kind: Pod
metadata: {{name: client, namespace: web}}
spec: {{{spec} containers: [{{name: main, image: i}}]}}
"""
    return "---".join((WORLD, pod, *more))


def found(*names: str, spec: str = "", policies: tuple[str, ...] = ()) -> PodLookups:
    scenario = Scenario(parse(text(spec, *policies), origin="test.yaml"))
    return lookups_of(scenario, parse_pod("web/client", where=""), names)


def dots(number: int) -> str:
    return f'dnsConfig: {{options: [{{name: ndots, value: "{number}"}}]}},'


@pytest.mark.parametrize(
    ("name", "spec", "asked", "reading"),
    [
        ("ledger.shop", "", 2, "resolved 10.96.0.77"),
        ("ledger.shop", dots(1), 3, "resolved 10.96.0.77"),
        ("ledger.shop.svc.cluster.local.", "", 1, "resolved 10.96.0.77"),
        ("nobody.shop", "", 4, "None"),
        ("api.bank.example", "", 4, "None"),
        ("api.bank.example", dots(1), 1, "None"),
        ("nobody.shop.svc.cluster.local.", "", 1, "dns_nxdomain"),
        ("ring-1.ring.shop", "", 2, "resolved"),
        ("ring-2.ring.shop.svc.cluster.local.", "", 1, "dns_nxdomain"),
    ],
)
def test_each_name_costs_an_a_and_an_aaaa_question(
    name: str, spec: str, asked: int, reading: str
) -> None:
    [lookup] = found(name, spec=spec).lookups

    assert (len(lookup.steps), lookup.questions) == (asked, 2 * asked)
    assert str(lookup.reading) == reading


def test_a_name_outside_is_not_answered_by_the_cluster_and_what_is_assumed_is_said() -> None:
    told = found("api.bank.example")

    assert told.lookups[0].why.startswith("not answered by the cluster: ")
    assert told.lookups[0].steps[-1].a is None
    assert "api.bank.example. is outside of the cluster and exists" in told.assumed


def test_the_way_to_the_server_is_judged_for_udp_and_tcp() -> None:
    ways = found(policies=(TO_DNS,)).ways

    assert [(way.protocol, way.verdict) for way in ways] == [
        ("UDP", Verdict.ALLOW),
        ("TCP", Verdict.DENY),
    ]


def test_a_closed_way_ends_every_lookup() -> None:
    [lookup] = found("ledger.shop", policies=(CLOSED,)).lookups

    assert lookup.reading
    assert lookup.reading.outcome is Outcome.DNS_TIMEOUT
    assert lookup.questions == 0


def test_a_rule_for_names_refuses_the_others() -> None:
    told = found("ledger.shop.svc.cluster.local.", "kubernetes.io.", policies=(RULED,))

    assert told.askable == ("*.shop.svc.cluster.local",)
    assert [str(lookup.reading) for lookup in told.lookups] == [
        "resolved 10.96.0.77",
        "dns_refused",
    ]


def test_the_server_that_a_pod_names_is_judged_as_an_address() -> None:
    spec = 'dnsPolicy: "None", dnsConfig: {nameservers: [198.51.100.53]},'
    told = found("ledger.shop", spec=spec, policies=(TO_DNS,))

    assert [(way.server, way.verdict) for way in told.ways] == [("198.51.100.53", Verdict.DENY)] * 2
    assert told.lookups[0].why.startswith("not answered by the cluster: ")


def test_the_names_that_exist_are_listed_with_their_records() -> None:
    records = {(r.question.rdtype, r.question.qname): r.answer for r in found().records}

    assert records == {
        ("CNAME", "bank.shop.svc.cluster.local."): "api.bank.example.",
        ("A", "ledger.shop.svc.cluster.local."): "10.96.0.77",
        ("SRV", "_http._tcp.ledger.shop.svc.cluster.local."): (
            "0 100 80 ledger.shop.svc.cluster.local."
        ),
        ("PTR", "77.0.96.10.in-addr.arpa."): "ledger.shop.svc.cluster.local.",
        ("A", "ring.shop.svc.cluster.local."): "",
        ("SRV", "_peer._tcp.ring.shop.svc.cluster.local."): (
            "0 50 7070 ring-0.ring.shop.svc.cluster.local.; "
            "0 50 7070 ring-1.ring.shop.svc.cluster.local."
        ),
        ("A", "ring-0.ring.shop.svc.cluster.local."): "",
        ("A", "ring-1.ring.shop.svc.cluster.local."): "",
        # Every API server makes this Service.
        ("A", "kubernetes.default.svc.cluster.local."): "",
        ("SRV", "_https._tcp.kubernetes.default.svc.cluster.local."): (
            "0 100 443 kubernetes.default.svc.cluster.local."
        ),
    }


@pytest.mark.parametrize(
    ("names", "spec", "code"),
    [
        ([], "", ExitCode.OK),
        (["ledger.shop"], "", ExitCode.OK),
        (["ledger.shop", "nobody.shop.svc.cluster.local"], "", ExitCode.DIFFERS),
        (["ledger.shop"], "dnsPolicy: Default,", ExitCode.NO_VERDICT),
        (["a..b"], "", ExitCode.USAGE),
    ],
)
def test_the_exit_code_and_the_document_say_whether_the_names_resolve(
    names: list[str],
    spec: str,
    code: ExitCode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(text(spec), encoding="utf-8")
    command = ["dns", "--manifests", str(file), "web/client", *names]

    assert cli.main(command) == code
    capsys.readouterr()
    assert cli.main([*command, "--format", "json"]) == code
    if code is not ExitCode.USAGE:
        document = json.loads(capsys.readouterr().out)
        jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_text_counts_the_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(text(), encoding="utf-8")

    cli.main(["dns", "--manifests", str(file), "web/client", "ledger.shop"])

    told = capsys.readouterr().out
    assert "ledger.shop: resolved 10.96.0.77; 4 questions: A and AAAA for 2 names" in told
    assert "  1. ledger.shop.web.svc.cluster.local.  dns_nxdomain" in told
