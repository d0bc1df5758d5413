from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.core.compare.ports import Ports
from harness.core.model import ContainerPort, Protocol

PORTS = st.integers(1, 30)
SPANS = st.lists(st.tuples(PORTS, PORTS).map(lambda pair: (min(pair), max(pair))), max_size=8)


@given(SPANS, st.sets(PORTS, max_size=4))
def test_every_port_that_a_range_or_a_receiver_names_is_in_exactly_one_class(
    spans: list[tuple[int, int]], declared: set[int]
) -> None:
    ports = Ports((), [(first, last, Protocol.TCP) for first, last in spans])
    found = [
        port
        for port in ports.of(ContainerPort(number, Protocol.TCP) for number in declared)
        if port.protocol is Protocol.TCP and not port.rest
    ]

    members = [n for port in found for n in range(port.number, port.last + 1)]
    named = {n for first, last in spans for n in range(first, last + 1)} | declared
    assert sorted(members) == sorted(named)
    for port in found:
        inside = [[a <= n <= b for a, b in spans] for n in range(port.number, port.last + 1)]
        assert all(one == inside[0] for one in inside), "a class is cut by a range"
