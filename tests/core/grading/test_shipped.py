"""The shipped assignments, by their reference and by variants that a student may hand in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core.grading.model import Assignment, Grade, Status
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import shipped

Marks = Callable[..., Grade]
Text = Callable[[str], str]
CASES = [
    ("lab12", "calico"),
    ("lab12", "cilium"),
    ("netpol-by-example", "calico"),
    ("netpol-by-example", "cilium"),
    ("production-isolation", "calico"),
    ("production-isolation", "cilium"),
    ("cilium-fqdn", "cilium"),
]


def test_every_tutorial_has_its_assignment() -> None:
    assert sorted(shipped()) == sorted({name for name, _ in CASES})


@pytest.mark.parametrize(("name", "cni"), CASES)
def test_the_reference_has_all_points_on_each_cni(
    name: str, cni: str, marks: Marks, reference: Text
) -> None:
    grade = marks(name, reference(name), cni=cni)

    assert (grade.status, grade.flows) == (Status.GRADED, ())
    assert grade.score == grade.max_score == 100


def test_the_list_of_cases_has_each_cni_of_each_assignment(
    assignment: Callable[[str], Assignment],
) -> None:
    assert {(name, cni) for name in shipped() for cni in assignment(name).cnis} == set(CASES)
    assert {cni for _, cni in CASES} == set(CNIS)


def _lost(grade: Grade) -> set[str]:
    return {flow.row for flow in grade.flows}


DNS_ONE = "        - {protocol: TCP, port: 53}\n"
WRONG = {
    "no DNS over TCP": ("lab12", DNS_ONE, "", {"dns"}),
    "DNS of any pod in kube-system": (
        "lab12",
        "          podSelector:\n            matchLabels: {k8s-app: kube-dns}\n",
        "",
        {"rest"},
    ),
    "any pod that says it is kube-dns": (
        "lab12",
        (
            "        - namespaceSelector:\n            matchLabels: {kubernetes.io/metadata.name: "
            "kube-system}\n          podSelector:\n            matchLabels: {k8s-app: kube-dns}\n"
        ),
        (
            "        - namespaceSelector: {}\n          podSelector:\n            matchLabels: "
            "{k8s-app: kube-dns}\n"
        ),
        {"rest"},
    ),
    "a misspelt label": ("lab12", "{app: secure-db}", "{app: securedb}", {"api-to-db"}),
    "the wrong port": ("lab12", "port: 6379", "port: 5432", {"api-to-db", "rest"}),
    "one namespace by its name": (
        "netpol-by-example",
        "{project: debug}",
        "{kubernetes.io/metadata.name: myhackns}",
        {"new-namespace-to-nginx"},
    ),
    "two entries of from": (
        "netpol-by-example",
        "          podSelector:\n            matchLabels: {mode: debug}\n",
        "        - podSelector:\n            matchLabels: {mode: debug}\n",
        {"rest"},
    ),
    "the deny of one direction": (
        "production-isolation",
        "policyTypes: [Ingress, Egress]",
        "policyTypes: [Egress]",
        {"rest"},
    ),
    "every port of the name": (
        "cilium-fqdn",
        (
            "    - toFQDNs:\n        - matchName: kubernetes.io\n      toPorts:\n        - ports: "
            '[{port: "443", protocol: TCP}]\n'
        ),
        "    - toFQDNs:\n        - matchName: kubernetes.io\n",
        {"backend-is-closed"},
    ),
    "no lookups through the proxy": (
        "cilium-fqdn",
        '          rules:\n            dns: [{matchPattern: "*"}]\n',
        "",
        {"kubernetes-io"},
    ),
    "lookups of another name": (
        "cilium-fqdn",
        'matchPattern: "*"',
        'matchPattern: "*.cilium.io"',
        {"kubernetes-io"},
    ),
    "every pod of the namespace": (
        "cilium-fqdn",
        "endpointSelector:\n    matchLabels: {app: backend}",
        "endpointSelector: {}",
        {"rest"},
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_solution_loses_points_in_the_rows_that_it_breaks(
    what: str, marks: Marks, reference: Text
) -> None:
    name, right, wrong, rows = WRONG[what]
    assert right in reference(name)

    grade = marks(name, reference(name).replace(right, wrong))

    assert grade.status is Status.GRADED
    assert grade.score < grade.max_score
    assert _lost(grade) == rows
    assert sum(flow.points for flow in grade.flows) == grade.max_score - grade.score


def test_pods_that_nobody_deployed_are_judged_as_well(marks: Marks, reference: Text) -> None:
    """Only the deployed pods are selected: a pod without labels stays open."""
    named = reference("lab12").replace(
        "podSelector: {}",
        "podSelector: {matchExpressions: [{key: app, operator: Exists}]}",
    ) + _selecting("frontend-zone", "run", "dns-test")

    grade = marks("lab12", named)

    wrong = {flow.source for flow in grade.flows}
    assert "frontend-zone/no-labels" in wrong
    assert "frontend-zone/web-server" not in {f.source for f in grade.flows if f.row == "dns"}


def _selecting(namespace: str, key: str, value: str) -> str:
    return f"""
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: more, namespace: {namespace}}}
spec: {{podSelector: {{matchLabels: {{{key}: {value}}}}}, policyTypes: [Ingress, Egress]}}
"""


def test_an_address_of_a_pod_is_no_right_answer(marks: Marks, reference: Text) -> None:
    text = reference("lab12").replace(
        "        - podSelector:\n            matchLabels: {app: secure-db}\n",
        "        - ipBlock: {cidr: 10.244.1.7/32}\n",
    )

    grade = marks("lab12", text)

    assert grade.status is Status.GRADED
    assert "api-to-db" in _lost(grade)


def test_a_rule_too_wide_on_one_side_alone_is_no_wrong_flow(marks: Marks, reference: Text) -> None:
    text = reference("lab12").replace(
        "          podSelector:\n            matchLabels: {app: web-server}\n", ""
    )
    assert text != reference("lab12")

    grade = marks("lab12", text)

    assert not grade.flows
    assert grade.score == 100


@pytest.mark.parametrize("peer", ["", "\n          podSelector: {matchLabels: {app: gateway}}"])
def test_another_pod_beside_the_gateway_may_be_let_in_or_not(
    peer: str, marks: Marks, reference: Text
) -> None:
    text = reference("production-isolation")
    start = "            matchLabels: {kubernetes.io/metadata.name: traefik}"
    narrow = (
        text.replace(
            f"{start}\n          podSelector:\n            matchLabels: {{app: gateway}}", start
        )
        .replace(start, start + peer)
        .replace("  podSelector:\n    matchLabels: {app: gateway}", "  podSelector: {}")
    )
    assert narrow != text

    assert marks("production-isolation", narrow).score == 100


def test_nothing_at_all_has_no_marks_and_says_why(marks: Marks) -> None:
    grade = marks("lab12", "# nothing\n")

    assert grade.status is Status.UNGRADABLE
    assert "no policy" in grade.problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Pod", "0.yaml:1"),
        (
            (
                "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: secure-zone}, spec: "
                "{containers: [{name: a, image: b}]}}"
            ),
            "a Pod may not be submitted",
        ),
        (
            (
                "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, "
                "namespace: secure-zon}, spec: {podSelector: {}}}"
            ),
            "did you mean `secure-zone`?",
        ),
        (
            (
                "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, "
                "spec: {podSelector: {}}}"
            ),
            "namespace",
        ),
    ],
)
def test_what_may_not_be_submitted_is_refused_in_words(text: str, words: str, marks: Marks) -> None:
    grade = marks("lab12", text)

    assert grade.status is Status.UNGRADABLE
    assert words in grade.problem
