"""What a Service selects, and where its ports lead: read once, for DNS, the oracle and probes."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from harness.core.dns.question import Question
from harness.core.dns.zone import Zone
from harness.core.model import (
    ContainerPort,
    Namespace,
    Pod,
    Protocol,
    Service,
    ServicePort,
    Topology,
)
from harness.core.outcome import Outcome, Reading

UDP, TCP = Protocol.UDP, Protocol.TCP
PORTS = (ContainerPort(5353, UDP, "dns"), ContainerPort(5354, TCP, "dns"))
POD = Pod("shop", "server", {"app": "dns", "tier": "back"}, PORTS, IPv4Address("10.0.0.9"))


def service(selector: dict[str, str], *ports: ServicePort, namespace: str = "shop") -> Service:
    return Service(namespace, "names", selector, ports, headless=True)


@pytest.mark.parametrize(
    ("selector", "namespace", "selected"),
    [
        ({"app": "dns"}, "shop", True),
        ({"app": "dns", "tier": "back"}, "shop", True),
        ({"app": "dns", "tier": "front"}, "shop", False),
        ({"app": "dns"}, "other", False),
        ({}, "shop", False),
    ],
)
def test_service_selects_pods_of_its_namespace_with_all_its_labels(
    selector: dict[str, str], namespace: str, *, selected: bool
) -> None:
    assert service(selector, namespace=namespace).selects(POD) is selected


@pytest.mark.parametrize(
    ("port", "number"),
    [
        (ServicePort(53, UDP), 53),
        (ServicePort(53, UDP, target=5300), 5300),
        (ServicePort(53, UDP, target="dns"), 5353),
        (ServicePort(53, TCP, target="dns"), 5354),
        (ServicePort(53, Protocol.SCTP, target="dns"), None),
        (ServicePort(53, TCP, target="web"), None),
    ],
)
def test_named_port_is_the_pods_port_of_that_name_and_protocol(
    port: ServicePort, number: int | None
) -> None:
    assert port.at(POD) == number


def test_srv_record_names_the_port_of_the_services_own_protocol() -> None:
    names = service(
        {"app": "dns"}, ServicePort(53, TCP, "tcp", "dns"), ServicePort(53, UDP, "udp", "dns")
    )

    assert srv("_tcp._tcp", names) == "0 100 5354 10-0-0-9.names.shop.svc.cluster.local."
    assert srv("_udp._udp", names) == "0 100 5353 10-0-0-9.names.shop.svc.cluster.local."


def test_pod_without_the_named_port_is_not_behind_it_but_has_an_address() -> None:
    names = service({"app": "dns"}, ServicePort(80, TCP, "http", "web"))

    assert look("_http._tcp.names", "SRV", names).outcome is Outcome.DNS_NXDOMAIN
    assert look("names", "SRV", names).outcome is Outcome.DNS_NODATA
    assert look("names", "A", names) == Reading(Outcome.RESOLVED, "10.0.0.9")


def look(name: str, rdtype: str, names: Service) -> Reading:
    topology = Topology({"shop": Namespace("shop", {})}, {str(POD): POD}, {str(names): names})
    return Zone(topology).lookup(Question(f"{name}.shop.svc.cluster.local.", rdtype))


def srv(port: str, names: Service) -> str:
    return look(f"{port}.names", "SRV", names).detail
