"""Matrices of verdicts: what they hold, and how two of them are compared."""

from __future__ import annotations

from ipaddress import ip_address

from harness.core.ask import Flow
from harness.core.model import Direction, External, NetworkPolicy, Pod, Protocol, Selector, Topology
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.reachability import Matrix, Mismatch, Port, compare, compute

A = Pod("x", "a", {"pod": "a"})
B = Pod("x", "b", {"pod": "b"})
OUT = External("outside", ip_address("192.0.2.10"))
WORLD = Topology({}, {"x/a": A, "x/b": B}, external={"outside": OUT})
DENY_ALL = NetworkPolicy("x", "deny", Selector(), frozenset({Direction.INGRESS}))
FLOWS = [Flow(one, other, 80) for one in (A, B, OUT) for other in (A, B, OUT)]


def test_matrix_has_a_cell_for_every_source_and_target() -> None:
    matrix = compute(Oracle(WORLD, [DENY_ALL]), [A, OUT], [Port(B, 80), Port(B, 53, Protocol.UDP)])

    assert list(matrix) == [
        ("x/a", "x/b:80/TCP", Verdict.DENY),
        ("x/a", "x/b:53/UDP", Verdict.DENY),
        ("outside", "x/b:80/TCP", Verdict.DENY),
        ("outside", "x/b:53/UDP", Verdict.DENY),
    ]
    assert len(matrix) == 4


def test_compare_names_the_cells_that_differ() -> None:
    targets = [Port(A, 80), Port(OUT, 80)]
    expected = compute(Oracle(WORLD, []), [B], targets)
    observed = compute(Oracle(WORLD, [DENY_ALL]), [B], targets)

    found = compare(expected, observed)

    assert found == (Mismatch("x/b", "x/a:80/TCP", Verdict.ALLOW, Verdict.DENY),)
    assert str(found[0]) == "x/b -> x/a:80/TCP: expected allow, observed deny"


def test_cell_that_was_not_looked_at_is_a_mismatch() -> None:
    expected = compute(Oracle(WORLD, []), [B], [Port(A, 80)])
    nothing: Matrix[Verdict] = Matrix((), (), {})

    assert [str(m) for m in compare(expected, nothing)] == [
        "x/b -> x/a:80/TCP: expected allow, observed nothing"
    ]
    assert [str(m) for m in compare(nothing, expected)] == [
        "x/b -> x/a:80/TCP: expected nothing, observed allow"
    ]
