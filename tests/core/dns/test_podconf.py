"""Which resolv.conf a pod gets, from its dnsPolicy and dnsConfig."""

from __future__ import annotations

import pytest

from harness.core.dns.podconf import KUBEADM_SERVER, Server, conf_of
from harness.core.model import DnsSettings, Pod

SEARCH = ("web.svc.cluster.local", "svc.cluster.local", "cluster.local")


def pod(
    policy: str = "ClusterFirst",
    *,
    servers: tuple[str, ...] = (),
    searches: tuple[str, ...] = (),
    options: tuple[str, ...] = (),
    host_network: bool = False,
) -> Pod:
    dns = DnsSettings(policy, servers, searches, options)
    return Pod("web", "client", {}, host_network=host_network, dns=dns)


def test_cluster_first_asks_the_cluster_with_its_search_list_and_five_dots() -> None:
    found = conf_of(pod())

    assert found.server is Server.CLUSTER
    assert found.conf.nameservers == (KUBEADM_SERVER,)
    assert found.conf.search == SEARCH
    assert found.conf.options == ("ndots:5",)
    assert found.not_the_clusters == ""


def test_the_cluster_servers_own_address_is_asked() -> None:
    assert conf_of(pod(), cluster_server="10.43.0.10").conf.nameservers == ("10.43.0.10",)


@pytest.mark.parametrize(("host_network", "server"), [(True, Server.NODE), (False, Server.CLUSTER)])
def test_cluster_first_on_the_hosts_network_falls_back_to_the_node(
    host_network: bool, server: Server
) -> None:
    assert conf_of(pod(host_network=host_network)).server is server


def test_cluster_first_with_host_net_asks_the_cluster() -> None:
    found = conf_of(pod("ClusterFirstWithHostNet", host_network=True))

    assert found.server is Server.CLUSTER
    assert found.conf.search == SEARCH


def test_default_leaves_dots_open_unless_the_pod_says_them() -> None:
    assert conf_of(pod("Default")).ndots is None
    assert conf_of(pod("Default", options=("ndots:2",))).ndots == 2


def test_none_has_what_the_pod_says_and_one_dot() -> None:
    found = conf_of(pod("None", servers=("198.51.100.53",), searches=("corp.example",)))

    assert found.server is Server.OWN
    assert found.conf.search == ("corp.example",)
    assert found.ndots == 1
    assert "dnsPolicy None the pod asks 198.51.100.53" in found.not_the_clusters


def test_none_that_names_the_clusters_server_asks_the_cluster() -> None:
    assert conf_of(pod("None", servers=(KUBEADM_SERVER,))).server is Server.CLUSTER


def test_dns_config_is_added_and_an_option_replaces_the_earlier_one() -> None:
    found = conf_of(
        pod(servers=("198.51.100.53",), searches=("corp.example",), options=("ndots:2", "edns0"))
    )

    assert found.server is Server.CLUSTER
    assert found.conf.nameservers == (KUBEADM_SERVER, "198.51.100.53")
    assert found.conf.search == (*SEARCH, "corp.example")
    assert found.conf.options == ("ndots:2", "edns0")


@pytest.mark.parametrize(
    ("options", "ndots"),
    [
        (("ndots:1", "ndots:3"), 3),
        (("ndots:99",), 15),
        (("ndots:99999999999999999999",), 15),
        (("ndots:many",), 0),
        (("ndots:",), 0),
        (("ndots",), 1),
        (("ndots:-1",), 15),
        (("ndots:2x",), 2),
    ],
)
def test_last_number_of_dots_wins_and_is_fifteen_at_most(
    options: tuple[str, ...], ndots: int
) -> None:
    assert conf_of(pod(options=options)).ndots == ndots


def test_what_is_over_a_limit_is_left_out_and_named() -> None:
    servers = tuple(f"198.51.100.{last}" for last in range(1, 5))
    searches = tuple(f"zone{number}.example" for number in range(40))
    found = conf_of(pod(servers=servers, searches=searches))

    assert found.conf.nameservers == (KUBEADM_SERVER, *servers[:2])
    assert len(found.conf.search) == 32
    assert found.left_out == (*servers[2:], *searches[29:])


def test_a_search_list_of_too_many_letters_loses_its_end() -> None:
    searches = tuple(f"{number}{'x' * 60}.{'y' * 60}.example" for number in range(20))
    found = conf_of(pod(searches=searches))

    assert len(" ".join(found.conf.search)) <= 2048
    assert found.left_out == searches[len(found.conf.search) - 3 :]
