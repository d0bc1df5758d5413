"""Which family of addresses a cluster of somebody else has: its pods say so."""

from __future__ import annotations

import pytest

from harness.edge.cluster.foreign import family_on
from tests.fakes.kube import FakeKube


def pod(name: str, *addresses: str, host: bool = False) -> dict[str, object]:
    meta = {"namespace": "kube-system", "name": name}
    status = {"podIPs": [{"ip": address} for address in addresses]}
    return {"kind": "Pod", "metadata": meta, "spec": {"hostNetwork": host}, "status": status}


@pytest.mark.parametrize(
    ("addresses", "family"),
    [
        (["10.0.0.1"], "ipv4"),
        (["fd00::1"], "ipv6"),
        (["10.0.0.1", "fd00::1"], "dual"),
        (["fd00::1", "10.0.0.1"], "dual"),
        ([], "ipv4"),
    ],
)
def test_pods_of_the_cluster_say_it_and_those_on_their_nodes_do_not(
    addresses: list[str], family: str
) -> None:
    kube = FakeKube()
    kube.put(pod("coredns", *addresses), pod("proxy", "172.18.0.2", "fc00::2", host=True))

    assert family_on(kube) == family
