"""Matrices of verdicts: what they hold, and how two of them are compared."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from harness.core.model import (
    ContainerPort,
    Direction,
    External,
    NetworkPolicy,
    Pod,
    PodRef,
    PortRule,
    Protocol,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.reachability import Address, Matrix, Mismatch, compare, compute
from harness.core.target import ExternalPort, PodPort
from harness.core.target.ask import Ask
from harness.errors import ManifestError

A, B = PodRef("x", "a"), PodRef("x", "b")
WORLD = Topology(
    {},
    {"x/a": Pod("x", "a", {"pod": "a"}), "x/b": Pod("x", "b", {"pod": "b"})},
    external={"outside": External("outside", ip_address("192.0.2.10"))},
)
DENY_ALL = NetworkPolicy("x", "deny", Selector(), frozenset({Direction.INGRESS}))


def tcp(pod: PodRef, port: int = 80) -> PodPort:
    return PodPort(pod, port, Protocol.TCP)


def test_matrix_has_a_cell_for_every_source_and_target() -> None:
    udp = PodPort(B, 53, Protocol.UDP)
    matrix = compute(Oracle(WORLD, [DENY_ALL]), [A, B], [tcp(B), udp])

    assert list(matrix) == [
        (Ask(A, tcp(B)), Verdict.DENY),
        (Ask(A, udp), Verdict.DENY),
        (Ask(B, tcp(B)), Verdict.ALLOW),
        (Ask(B, udp), Verdict.ALLOW),
    ]
    assert len(matrix) == 4


def test_end_that_is_not_there_is_no_cell() -> None:
    with pytest.raises(ManifestError, match="x/gone"):
        compute(Oracle(WORLD, []), [A], [tcp(PodRef("x", "gone"))])


@pytest.mark.parametrize("declared", [(), (ContainerPort(80),), (ContainerPort(80, name="http"),)])
def test_rule_for_a_number_counts_whether_or_not_the_pod_declares_the_port(
    declared: tuple[ContainerPort, ...],
) -> None:
    world = Topology({}, {**WORLD.pods, "x/b": Pod("x", "b", {"pod": "b"}, declared)})
    only_80 = NetworkPolicy(
        "x",
        "only-80",
        Selector(),
        frozenset({Direction.INGRESS}),
        ingress=(Rule(ports=(PortRule(port=80),)),),
    )
    matrix = compute(Oracle(world, [only_80]), [A], [tcp(B), tcp(B, 81)])

    assert [verdict for _, verdict in matrix] == [Verdict.ALLOW, Verdict.DENY]


def test_compare_names_the_cells_that_differ() -> None:
    targets: list[Address] = [tcp(A), ExternalPort("outside", 80, Protocol.TCP)]
    expected = compute(Oracle(WORLD, []), [B], targets)
    observed = compute(Oracle(WORLD, [DENY_ALL]), [B], targets)

    found = compare(expected, observed)

    assert found == (Mismatch(Ask(B, tcp(A)), Verdict.ALLOW, Verdict.DENY),)
    assert str(found[0]) == "x/b -> pod/x/a:80: expected allow, observed deny"


def test_cell_that_was_not_looked_at_is_a_mismatch() -> None:
    expected = compute(Oracle(WORLD, []), [B], [tcp(A)])
    nothing: Matrix[Verdict] = Matrix((), (), {})

    assert [str(m) for m in compare(expected, nothing)] == [
        "x/b -> pod/x/a:80: expected allow, observed nothing"
    ]
    assert [str(m) for m in compare(nothing, expected)] == [
        "x/b -> pod/x/a:80: expected nothing, observed allow"
    ]
