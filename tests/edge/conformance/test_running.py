"""Cases on a cluster in memory: an honest CNI passes, and a lie fails the case about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import yaml

from harness.core.conformance.case import Case
from harness.core.conformance.row import Row, Status
from harness.core.target.family import FAMILIES
from harness.edge.conformance.ground import Rules
from harness.edge.conformance.running import Running
from harness.edge.conformance.shipped import shipped
from tests.fakes.cluster import NODES, FakeCluster
from tests.fakes.lies import (
    BlackHole,
    CutsConnections,
    IgnoresPorts,
    IgnoresSctp,
    KeepsRights,
    KnowsNoSctp,
    LetsNobodyIn,
    Lie,
    NoNodePorts,
    TakesSctpForTcp,
)

RULES = Rules(budget_ms=3000.0)
CASES = {case.name: case for case in shipped()}
SENDS_SCTP = [case for case in CASES.values() if case.sends_sctp]


def rows(
    cases: Collection[Case], cluster: FakeCluster | None = None, rules: Rules = RULES
) -> dict[str, Row]:
    cluster = cluster or FakeCluster("calico")
    running = Running(cluster.value(), cluster, lambda: cluster.clock.take(1.0), rules, jobs=1)
    return {row.name: row for row in running.run(cases)}


def chosen(*names: str) -> list[Case]:
    return [CASES[name] for name in names]


def test_an_honest_cni_passes_cases_of_every_kind() -> None:
    found = rows(
        chosen(
            "isolation/deny-both",
            "peers/namespace-by-name",
            "ports/name-with-two-numbers",
            "blocks/except",
            "blocks/outside",
            "changes/relabel-a-namespace",
            "changes/new-pod-as-subject",
            "changes/pod-with-an-old-name",
            "services/udp",
            "services/headless",
            "services/hairpin",
            "hosts/host-network-client",
        )
    )

    assert {row.status for row in found.values()} == {Status.PASSED}
    assert all(row.agreed > 20 for row in found.values())


@pytest.mark.parametrize("family", ["ipv6", "dual"])
def test_cases_about_addresses_are_judged_on_every_family(family: str) -> None:
    cases = [case for case in CASES.values() if "ip-block" in case.features]
    cases.append(CASES["changes/address-used-again"])

    found = rows(cases, FakeCluster("calico", families=FAMILIES[family]))

    assert {name: row.why for name, row in found.items() if row.status is not Status.PASSED} == {}


def test_what_the_api_leaves_open_is_told_and_never_judged() -> None:
    (row,) = rows(chosen("services/hairpin")).values()

    assert row.evidence == ("left open by the API: red/a -> svc/red/web:80 shows timeout",)


def test_cases_of_sctp_are_judged_where_the_kernel_has_it() -> None:
    found = rows(SENDS_SCTP)

    assert len(found) == len(SENDS_SCTP) == 8
    assert {row.status for row in found.values()} == {Status.PASSED}
    assert all(row.agreed == 40 for row in found.values())


@pytest.mark.parametrize("nodes", [NODES, NODES[1:]], ids=["on all nodes", "on one of them"])
def test_cases_of_sctp_are_skipped_with_the_kernels_answer_where_it_has_none(
    nodes: Collection[str],
) -> None:
    cluster = FakeCluster("calico", without_sctp=nodes)
    others = chosen("ports/sctp-is-not-tcp", "ports/sctp-isolates")

    found = rows([*SENDS_SCTP, *others], cluster)

    why = "the kernel of a pod's node has no SCTP (EPROTONOSUPPORT)"
    skipped = {name: row.why for name, row in found.items() if row.status is Status.SKIPPED}
    assert skipped == dict.fromkeys((case.name for case in SENDS_SCTP), why)
    assert [found[case.name].status for case in others] == [Status.PASSED] * 2


def test_the_kernel_is_asked_for_sctp_once() -> None:
    cluster = FakeCluster("calico", without_sctp=NODES)
    apply, made = cluster.apply, list[str]()

    def noted(body: Mapping[str, Any]) -> dict[str, Any]:
        made.append(body["kind"])
        return apply(body)

    cluster.apply = noted  # type: ignore[method-assign]
    found = rows(SENDS_SCTP, cluster)

    assert {row.status for row in found.values()} == {Status.SKIPPED}
    assert made.count("Pod") == 5


def test_a_cni_that_lets_sctp_pass_fails_the_cases_of_sctp() -> None:
    found = rows(SENDS_SCTP, FakeCluster("calico", IgnoresSctp()))

    assert {row.status for row in found.values()} == {Status.FAILED}
    assert all("/sctp" in flow.flow for row in found.values() for flow in row.flows)
    files = found["ports/sctp-deny"].files
    assert " SCTP " in files["reproduce.sh"].splitlines()[-2]
    assert '"SCTP", 8080' in files["manifests.yaml"]


def test_a_cni_that_takes_sctp_for_tcp_fails_the_cases_about_it() -> None:
    cases = chosen("ports/sctp-number", "ports/sctp-is-not-tcp")

    found = rows(cases, FakeCluster("calico", TakesSctpForTcp()))

    assert {row.status for row in found.values()} == {Status.FAILED}


def test_a_cni_that_loses_all_sctp_gives_no_verdict() -> None:
    """As a CNI that does not know the protocol: nobody can say that policies closed a flow."""
    (row,) = rows(chosen("ports/sctp-deny"), FakeCluster("cilium", KnowsNoSctp())).values()

    assert row.status is Status.NO_VERDICT
    assert "no answer without policies either" in row.why


@pytest.mark.parametrize(
    ("lie", "name"),
    [(LetsNobodyIn(), "peers/pods"), (IgnoresPorts(), "ports/number")],
    ids=["lets nobody in", "ignores ports"],
)
def test_a_lie_fails_the_case_about_it(lie: Lie, name: str) -> None:
    (row,) = rows(chosen(name), FakeCluster("calico", lie)).values()

    assert row.status is Status.FAILED
    assert {flow.predicted for flow in row.flows} == {flow.expected for flow in row.flows}
    assert all(flow.observed and flow.observed != flow.expected for flow in row.flows)
    assert row.files["case.yaml"] == CASES[name].text
    words, apply, ask, end = row.files["reproduce.sh"].splitlines()
    assert end.startswith("# `kubectl delete")
    assert words.startswith("# ")
    assert apply.startswith("kubectl apply -f manifests.yaml")
    assert ask.startswith("kubectl -n policylab-conformance-1-red exec ")
    assert any(name.startswith("rules-") for name in row.files)
    kinds = {
        file: {body["kind"] for body in yaml.safe_load_all(row.files[file])}
        for file in ("manifests.yaml", "policies.yaml")
    }
    assert kinds == {"manifests.yaml": {"Namespace", "Pod"}, "policies.yaml": {"NetworkPolicy"}}


def test_policies_that_come_late_fail_by_their_figure() -> None:
    cluster = FakeCluster("calico", delays=iter([0.05] + [5.0] * 50))

    (row,) = rows(chosen("changes/delete"), cluster).values()

    assert row.status is Status.FAILED
    assert "in force after" in row.why
    assert row.files.keys() >= {"case.yaml", "manifests.yaml", "policies.yaml"}
    assert any(name.startswith("rules-") for name in row.files)
    assert "no flow alone shows what failed" in row.files["reproduce.sh"]


def test_a_case_that_was_late_once_has_no_verdict() -> None:
    cluster = FakeCluster("calico", delays=iter([0.05, 5.0, *[0.05] * 50]))

    (row,) = rows(chosen("changes/delete"), cluster).values()

    assert row.status is Status.NO_VERDICT
    assert row.why.startswith("it was late once: in force after: ")


def test_nothing_stays_on_the_cluster() -> None:
    cluster = FakeCluster("calico")

    rows(chosen("isolation/deny-both", "changes/new-namespace"), cluster)

    left = [key for key in cluster.objects if "policylab-conformance" in key[2]]
    assert left == []


def test_nothing_stays_where_the_run_ends_early() -> None:
    cluster = FakeCluster("calico")
    running = Running(cluster.value(), cluster, lambda: None, Rules(None), jobs=1)

    with closing(running.run(list(CASES.values()))) as found:
        next(found)

    assert [key for key in cluster.objects if "policylab-conformance" in key[2]] == []


def test_a_flow_that_is_dead_without_policies_gives_no_verdict() -> None:
    lie = BlackHole("policylab-conformance-1-red", "b")

    (row,) = rows(chosen("isolation/deny-ingress"), FakeCluster("calico", lie)).values()

    assert row.status is Status.NO_VERDICT
    assert {flow.flow.partition(" ->")[0] for flow in row.flows} == {"red/b"}
    assert all(flow.observed == "" for flow in row.flows)
    assert "no answer without policies either" in row.why


def test_each_case_is_run_as_often_as_asked() -> None:
    cluster = FakeCluster("calico")
    running = Running(cluster.value(), cluster, lambda: None, Rules(None, repeat=3), jobs=1)

    found = list(running.run(chosen("isolation/deny-both")))

    assert [row.status for row in found] == [Status.PASSED] * 3


def test_a_connection_that_policies_allow_all_along_must_live_on() -> None:
    (row,) = rows(chosen("changes/established")).values()

    # Calico keeps what it let in once; what the API leaves open is told.
    assert row.status is Status.PASSED
    told = [line for line in row.evidence if "the open connection" in line]
    assert len(told) == 2
    assert told[0] == (
        "left open by the API: the open connection green/a -> pod/red/a:8080 "
        "(a policy lets in red/b alone) is answered"
    )


def test_a_connection_that_is_cut_though_policies_allow_it_fails_the_case() -> None:
    (row,) = rows(chosen("changes/established"), FakeCluster("cilium", CutsConnections())).values()

    assert row.status is Status.FAILED
    assert {flow.flow for flow in row.flows} == {
        "red/b -> pod/red/a:8080, by a connection that was open before"
    }
    assert row.files.keys() >= {"case.yaml", "manifests.yaml", "policies.yaml", "reproduce.sh"}


def test_flows_by_the_port_of_a_node_are_judged_only_where_the_source_does_not_matter() -> None:
    found = rows(chosen("services/node-port", "services/node-port-and-peers"))

    assert {row.status for row in found.values()} == {Status.PASSED}
    open_ones = found["services/node-port-and-peers"].evidence
    assert [line.rpartition(" -> ")[2] for line in open_ones] == [
        *("nodeport/red/web:80 shows connected", "nodeport/red/web:80 shows timeout"),
        *("nodeport/red/near:80 shows connected", "nodeport/red/near:80 shows timeout"),
    ]


def test_a_node_port_that_leads_nowhere_fails_the_case() -> None:
    (row,) = rows(chosen("services/node-port"), FakeCluster("calico", NoNodePorts())).values()

    assert row.status is Status.NO_VERDICT
    assert "no answer without policies either" in row.why


def test_a_pod_with_other_ports_is_another_pod() -> None:
    cluster = FakeCluster("calico")
    found = rows(chosen("hosts/host-network-client", "hosts/host-network-server"), cluster)

    assert {row.status for row in found.values()} == {Status.PASSED}


def test_two_runs_at_the_same_time_touch_nothing_of_each_other() -> None:
    cluster = FakeCluster("calico")
    one, other = (
        Running(cluster.value(), cluster, lambda: None, Rules(None), jobs=1, run=run)
        for run in ("ab12", "cd34")
    )
    cases = chosen("isolation/deny-both", "peers/pods")

    made = set[str]()
    apply = cluster.apply

    def noted(body: Mapping[str, Any]) -> dict[str, Any]:
        made.add(body["metadata"].get("namespace", ""))
        return apply(body)

    cluster.apply = noted  # type: ignore[method-assign]
    with closing(one.run(cases)) as first, closing(other.run(cases)) as second:
        found = [next(rows) for _ in cases for rows in (first, second)]

    assert {row.status for row in found} == {Status.PASSED}
    assert {"policylab-conformance-ab12-1-red", "policylab-conformance-cd34-1-red"} <= made
    assert not [key for key in cluster.objects if "policylab-conformance" in key[2]]


def test_a_sample_probes_fewer_flows_and_says_what_it_left_out() -> None:
    names = ("isolation/deny-ingress", "changes/new-pod-as-subject", "services/cluster-ip")
    whole = rows(chosen(*names))
    found = rows(chosen(*names), rules=replace(RULES, sample=True))

    assert {row.status for row in found.values()} == {Status.PASSED}
    for name in names:
        assert 0 < found[name].agreed < whole[name].agreed
        assert re.match(r"\d+ of \d+ flows are probed, by \d+ classes", found[name].evidence[-1])


def test_a_sample_finds_a_fault_of_a_whole_class() -> None:
    rules = replace(RULES, sample=True)

    (row,) = rows(chosen("peers/pods"), FakeCluster("calico", LetsNobodyIn()), rules).values()

    assert row.status is Status.FAILED


def test_an_address_is_used_again_where_a_pod_can_ask_for_it() -> None:
    case = "changes/address-used-again"
    found = rows(chosen(case, "isolation/deny-ingress"))

    assert {row.status for row in found.values()} == {Status.PASSED}
    (row,) = rows(chosen(case), FakeCluster("cilium")).values()
    assert row.status is Status.SKIPPED
    assert "no address is certain to be used again" in row.why


def test_a_cni_that_takes_the_new_pod_for_the_ended_one_fails_the_case() -> None:
    lie = KeepsRights("policylab-conformance-1-red", new="new", reaches="a")

    (row,) = rows(chosen("changes/address-used-again"), FakeCluster("calico", lie)).values()

    assert row.status is Status.FAILED
    assert row.flows[0].flow == "red/new -> pod/red/a:8080"
