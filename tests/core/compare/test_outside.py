"""Addresses outside: the regions are a partition, and no block cuts one of them in two."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from harness.core.compare.outside import regions
from harness.core.model import IPBlock

addresses = st.integers(0, 2**32 - 1).map(IPv4Address)


@st.composite
def networks(draw: st.DrawFn) -> IPv4Network:
    base = draw(st.sampled_from(["10.0.0.0", "10.0.1.128", "10.255.0.0", "192.0.2.0", "8.0.0.0"]))
    return ip_network(f"{base}/{draw(st.integers(0, 32))}", strict=False)  # type: ignore[return-value]


blocks = st.lists(
    st.builds(IPBlock, networks(), st.lists(networks(), max_size=2).map(tuple)), max_size=4
)


def holds(block: IPBlock, address: IPv4Address) -> bool:
    return address in block.cidr and not any(address in cut for cut in block.except_)


@given(blocks, st.lists(networks(), max_size=2), addresses)
def test_every_address_is_in_one_region_whose_example_all_blocks_treat_alike(
    found: list[IPBlock], cuts: list[IPv4Network], address: IPv4Address
) -> None:
    mine = [r for r in regions(found, cuts) if any(address in net for net in r.networks)]

    assert len(mine) == 1
    example = mine[0].address
    assert isinstance(example, IPv4Address)
    assert [holds(block, example) for block in found] == [holds(block, address) for block in found]
    assert [example in cut for cut in cuts] == [address in cut for cut in cuts]


def test_without_blocks_all_that_is_outside_is_one_region() -> None:
    (region,) = regions([])

    assert region.words == "every address outside"
    assert region.rest


def test_region_is_named_by_its_network_and_its_hole() -> None:
    block = IPBlock(ip_network("203.0.113.0/24"), (ip_network("203.0.113.128/25"),))

    words = [region.words for region in regions([block])]

    assert words == ["every other address outside", "outside: 203.0.113.0/24 in part"]


def test_example_is_not_an_address_that_stands_for_a_name() -> None:
    (region,) = regions([], taken=[ip_address("198.51.100.7")])

    assert region.address == ip_address("203.0.113.7")
