"""Felix's counters: whose chain, which rule, which policies."""

from __future__ import annotations

import pytest

from harness.core.model import Direction
from harness.edge.api.livenames import LivePod
from harness.edge.cni.calico import CALICO
from harness.edge.cni.calico.felix import Table, dropped, interface, parse_iptables, parse_nftables
from harness.errors import ProbeError
from tests.fakes.kube import FakeKube, agent_pod
from tests.fakes.kubectl import FakeExec, Said

POD = LivePod("develop", "backend")
LINK = interface(POD)
SAVED = f"""
*filter
:cali-tw-{LINK} - [0:0]
[9:540] -A cali-tw-{LINK} -m comment --comment "cali:a" -m conntrack --ctstate ESTABLISHED -j ACCEPT
[4:240] -A cali-tw-{LINK} -m conntrack --ctstate INVALID -j DROP
[3:180] -A cali-tw-{LINK} -m comment --comment "cali:b" -m mark --mark 0x0/0x20000 -j cali-pi-one
[3:180] -A cali-tw-{LINK} -m comment --comment "cali:c" -m mark --mark 0x0/0x20000 -j cali-gi-two
[3:180] -A cali-tw-{LINK} -m comment --comment "End of tier default. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP
[0:0] -A cali-pi-one -m comment --comment "Policy develop/knp.default.default-deny-all ingress"
[3:180] -A cali-gi-two -j cali-pi-three
[0:0] -A cali-pi-three -p tcp -m comment --comment "Policy develop/knp.default.allow-backend ingress" -j MARK
[0:0] -A cali-pi-other -m comment --comment "Policy develop/knp.default.elsewhere ingress"
[7:420] -A cali-fw-{LINK} -m comment --comment "Drop if no profiles matched" -j DROP
COMMIT
"""  # noqa: E501 - lines as iptables-save prints them

LISTED = f"""
table ip calico {{
	map cali-tw {{
		elements = {{ "{LINK}" comment "cali:m;" : goto filter-cali-tw-{LINK} }}
	}}

	chain filter-cali-tw-{LINK} {{
		ct state established,related counter packets 9 bytes 540 accept comment "cali:a;"
		ct state invalid counter packets 4 bytes 240 drop comment "cali:d;"
		meta mark & 0x00020000 == 0x00000000 counter packets 3 bytes 180 jump filter-cali-pi-one comment "cali:b;"
		meta mark & 0x00020000 == 0x00000000 counter packets 3 bytes 180 jump filter-cali-gi-two comment "cali:c;"
		meta mark & 0x00020000 == 0x00000000 counter packets 3 bytes 180 drop comment "cali:e; End of tier default. Drop if no policies passed packet"
		counter packets 2 bytes 120 drop comment "cali:f; Drop if no profiles matched"
	}}

	chain filter-cali-fw-{LINK} {{
		counter packets 7 bytes 420 drop comment "cali:g; Drop if no profiles matched"
	}}

	chain filter-cali-pi-one {{
		continue comment "cali:h; Policy develop/knp.default.default-deny-all ingress"
	}}

	chain filter-cali-gi-two {{
		counter packets 3 bytes 180 jump filter-cali-pi-three comment "cali:i;"
	}}

	chain filter-cali-pi-three {{
		ip saddr @cali40s-u461 tcp dport 8080 counter packets 0 bytes 0 meta mark set meta mark | 0x00010000 comment "cali:j; Policy develop/knp.default.allow-backend ingress"
	}}

	chain filter-cali-pi-other {{
		continue comment "cali:k; Policy develop/knp.default.elsewhere ingress"
	}}
}}
"""  # noqa: E501 - lines as `nft list table` prints them
TABLES = [parse_iptables(SAVED), parse_nftables(LISTED)]
each_dataplane = pytest.mark.parametrize("table", TABLES, ids=["iptables", "nftables"])


def test_interface_is_the_digest_that_calico_gives() -> None:
    assert interface(LivePod("policylab-gate", "canary-server-0")) == "cali2b77ef268b8"


@each_dataplane
def test_only_the_end_of_the_tier_counts(table: Table) -> None:
    assert dropped(table, POD, Direction.INGRESS).packets == 3


@each_dataplane
def test_policies_are_found_through_every_jump(table: Table) -> None:
    found = dropped(table, POD, Direction.INGRESS).policies

    assert found == ("develop/allow-backend", "develop/default-deny-all")


@each_dataplane
def test_end_that_no_policy_isolates_drops_nothing(table: Table) -> None:
    found = dropped(table, POD, Direction.EGRESS)

    assert (found.packets, found.policies) == (0, ())


@each_dataplane
def test_pod_without_a_chain_is_no_zero(table: Table) -> None:
    with pytest.raises(ProbeError, match="no chain"):
        dropped(table, LivePod("develop", "nobody"), Direction.INGRESS)


@pytest.mark.parametrize(
    ("ips", "saves"),
    [
        (["10.244.0.2"], ["iptables-nft-save"]),
        (["fd00::2"], ["ip6tables-nft-save"]),
        (["10.244.0.2", "fd00::2"], ["iptables-nft-save", "ip6tables-nft-save"]),
    ],
)
def test_calico_is_counted_on_the_node_where_the_pod_runs_in_each_of_its_families(
    ips: list[str], saves: list[str]
) -> None:
    kube = FakeKube()
    meta = {"namespace": POD.namespace, "name": POD.name}
    kube.put(
        {
            "kind": "Pod",
            "metadata": meta,
            "spec": {"nodeName": "two"},
            "status": {"podIPs": [{"ip": ip} for ip in ips]},
        },
        agent_pod("calico-1", "calico-node", "one"),
        agent_pod("calico-2", "calico-node", "two"),
    )
    kubectl = FakeExec(lambda *_: Said(SAVED + f":cali-fw-{LINK} - [0:0]\n"))
    assert CALICO.drops is not None

    drops = CALICO.drops(kube, kubectl).read([POD])

    assert drops[POD, Direction.INGRESS].packets == 3 * len(saves)
    assert {pod for _, pod, _ in kubectl.ran} == {"calico-2"}
    assert [command[0] for _, _, command in kubectl.ran] == saves
