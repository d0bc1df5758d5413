"""A flow as a person asks for it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from harness.core.model import ContainerPort, External, Pod, Protocol, Topology
from harness.core.target import ExternalPort, Ping, PodPort, PodRef, parse_pod, parse_target
from harness.core.target.ask import Ask, Flow, flow_of
from harness.errors import ManifestError

WEB = PodRef("shop", "web")


def test_ask_prints_itself_as_tables_write_it() -> None:
    ask = Ask(WEB, parse_target("svc/shop/api:53/udp", where="x"))

    assert str(ask) == "shop/web -> svc/shop/api:53/udp"


def test_equal_asks_are_one_key() -> None:
    asks = [Ask(WEB, parse_target(text, where="x")) for text in ("dns/A/api", "dns/A/api.")]

    assert len(set(asks)) == 1


API = Pod("shop", "api", {"app": "api"}, (ContainerPort(80), ContainerPort(53, Protocol.UDP)))
OUTSIDE = External("google.com", ip_address("192.0.2.10"))
TOPOLOGY = Topology(
    {}, {"shop/web": Pod("shop", "web", {}), "shop/api": API}, external={"google.com": OUTSIDE}
)


@pytest.mark.parametrize(
    "text",
    [
        "pod/shop/api:80",
        "pod/shop/api:53/udp",
        "net/google.com:443",
        "net/google.com:123/udp",
        "ping/pod/shop/api",
        "ping/net/google.com",
    ],
)
def test_flow_is_the_ask_with_its_ends_and_prints_like_it(text: str) -> None:
    target = parse_target(text, where="x")
    assert isinstance(target, PodPort | ExternalPort | Ping)

    flow = flow_of(WEB, target, TOPOLOGY)

    assert flow.target in (API, OUTSIDE)
    assert flow.direct == target
    assert str(flow) == str(Ask(WEB, target))


def test_equal_flows_are_one_key_though_labels_are_a_mapping() -> None:
    one, other = (Flow(Pod("shop", "web", {"app": "web"}), API, 80) for _ in range(2))

    assert len({one, other}) == 1


@pytest.mark.parametrize(
    ("source", "target", "said", "nearest"),
    [
        ("shop/wep", "pod/shop/api:80", "no manifest in force has the pod shop/wep", "shop/web"),
        ("shop/web", "pod/shop/apy:80", "no manifest in force has the pod shop/apy", "shop/api"),
        (
            "shop/web",
            "net/gogle.com:80",
            "`gogle.com` is neither an address nor",
            "google.com",
        ),
    ],
)
def test_an_end_that_is_not_there_is_named_with_its_place(
    source: str, target: str, said: str, nearest: str
) -> None:
    direct = parse_target(target, where="x")
    assert isinstance(direct, PodPort | ExternalPort)

    with pytest.raises(ManifestError, match=said) as raised:
        flow_of(parse_pod(source, where="x"), direct, TOPOLOGY, where="f.yaml:3")
    assert raised.value.where == "f.yaml:3"
    assert raised.value.try_ == f"did you mean `{nearest}`?"
