"""The simulated internet's container, on a network of its own: what clients get, and the faults."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Unpack

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from harness.core.target.internet import INTERNET, SHORT_LIVED, SPARES
from harness.edge.api.kubectl import Kubectl
from harness.edge.internet.container import ensure_internet, remove_internet
from harness.edge.internet.controls import Change, Controls
from harness.edge.internet.engine import Place
from harness.edge.internet.state import TTL_SECONDS, Fault, Internet, WebFault
from harness.edge.machine.process import run
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.gate import CLIENT
from harness.plays import Live
from harness.progress import Quiet

pytestmark = pytest.mark.live

PLACE = Place("policylab-internet-test", "policylab-internet-test")
NAME = "cilium.io"


@pytest.fixture(scope="module")
def image(lab_live: Live) -> str:
    return lab_live.cluster.refs["internet"]


@pytest.fixture(scope="module")
def internet(image: str) -> Iterator[Internet]:
    try:
        yield ensure_internet(image, Quiet(), place=PLACE)
    finally:
        remove_internet(place=PLACE)
        run(["docker", "network", "rm", PLACE.network], timeout=60, check=False)


@pytest.fixture
def controls(internet: Internet) -> Iterator[Controls]:
    with Controls(internet, PLACE) as made:
        yield made


@contextmanager
def changed(controls: Controls, name: str, **change: Unpack[Change]) -> Iterator[None]:
    """One change, undone at the end of the block."""
    controls.set(name, **change)
    try:
        yield
    finally:
        controls.reset()


def ask(internet: Internet, name: str, *, seconds: float = 2.0) -> dns.message.Message:
    return dns.query.udp(dns.message.make_query(name, "A"), internet.dns, timeout=seconds)


def address_of(internet: Internet, name: str) -> tuple[str, int]:
    [records] = ask(internet, name).answer
    return str(records[0]), records.ttl


def page(address: str, name: str) -> tuple[int, str | None]:
    web = http.client.HTTPConnection(address, 80, timeout=3)
    try:
        web.request("HEAD", "/", headers={"Host": name})
        answer = web.getresponse()
        return answer.status, answer.getheader("X-Policylab-Pod")
    finally:
        web.close()


def test_every_name_leads_to_its_address_and_a_page(internet: Internet) -> None:
    for name, documented in INTERNET.items():
        address = internet.addresses[documented]
        assert address_of(internet, name) == (address, SHORT_LIVED.get(name, TTL_SECONDS))
        assert page(address, name) == (200, "internet")


def test_every_address_speaks_http2_with_a_certificate_of_its_own(internet: Internet) -> None:
    blind = ssl.create_default_context()  # who trusts it is asked in a pod, below
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    blind.set_alpn_protocols(["h2"])
    for address in internet.addresses.values():
        with (
            socket.create_connection((address, 443), timeout=3) as plain,
            blind.wrap_socket(plain, server_hostname=NAME) as secure,
        ):
            assert secure.selected_alpn_protocol() == "h2"


def test_curl_in_a_pod_trusts_the_certificate(lab_live: Live) -> None:
    cluster = lab_live.cluster
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, cluster.context)
    replayer = Replayer(kubectl, lab_live.prober.names)
    shown = replayer.run(CLIENT, ["curl", "-sSI", "https://kubernetes.io"])
    assert shown.output.splitlines()[0].strip() == "HTTP/2 200", shown


def test_one_that_runs_is_used_again(image: str, internet: Internet) -> None:
    began = time.monotonic()
    assert ensure_internet(image, Quiet(), place=PLACE) == internet
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("fault", "rcode"),
    [(Fault.SERVFAIL, dns.rcode.SERVFAIL), (Fault.REFUSED, dns.rcode.REFUSED)],
)
def test_name_servers_fault_begins_and_ends_with_the_call(
    internet: Internet, controls: Controls, fault: Fault, rcode: int
) -> None:
    with changed(controls, NAME, fault=fault):
        assert ask(internet, NAME).rcode() == rcode
        assert ask(internet, "docs.cilium.io").rcode() == dns.rcode.NOERROR
    assert ask(internet, NAME).rcode() == dns.rcode.NOERROR


def test_dropped_question_gets_no_reply(internet: Internet, controls: Controls) -> None:
    with changed(controls, NAME, fault=Fault.DROP), pytest.raises(dns.exception.Timeout):
        ask(internet, NAME, seconds=0.5)
    assert ask(internet, NAME).answer


def test_name_moves_with_its_ttl_and_its_page(internet: Internet, controls: Controls) -> None:
    before = internet.names["moving.cilium.io"]
    with changed(controls, "moving.cilium.io", address=SPARES[0], ttl=5):
        spare = internet.addresses[SPARES[0]]
        assert address_of(internet, "moving.cilium.io") == (spare, 5)
        assert page(spare, "moving.cilium.io") == (200, "internet")
    assert address_of(internet, "moving.cilium.io") == (before, SHORT_LIVED["moving.cilium.io"])


def test_web_server_refuses_at_one_address_and_then_no_more(
    internet: Internet, controls: Controls
) -> None:
    address = internet.names[NAME]
    with changed(controls, NAME, web=WebFault.REFUSED):
        with pytest.raises(ConnectionRefusedError):
            page(address, NAME)
        assert page(internet.names["google.com"], "google.com") == (200, "internet")
    assert page(address, NAME) == (200, "internet")


def test_web_server_is_slow_for_one_name(internet: Internet, controls: Controls) -> None:
    with changed(controls, "kubernetes.io", web=WebFault.SLOW, delay_ms=700):
        address = internet.names["kubernetes.io"]
        began = time.monotonic()
        assert page(address, "neighbour.cloudyuga.guru") == (200, "internet")
        assert time.monotonic() - began < 0.7
        assert page(address, "kubernetes.io") == (200, "internet")
        assert time.monotonic() - began >= 0.7
