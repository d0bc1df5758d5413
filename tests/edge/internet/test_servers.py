"""What the container serves: the name server as clients see it, and the web server's settings."""

import contextlib
import http.client
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import ModuleType

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from harness.core.target.internet import INTERNET, SHORT_LIVED, SPARES
from harness.edge.images.recipe import recipes_home
from harness.edge.internet import container as internet
from harness.edge.internet.engine import Place
from harness.edge.internet.servers import NetworkServers
from harness.edge.internet.state import (
    DOCUMENTED,
    STATE_NAME,
    TTL_SECONDS,
    Fault,
    Internet,
    Site,
    WebFault,
    beside,
    digest,
    initial_sites,
    state_bytes,
)
from harness.edge.machine.wait import NotYet, wait_for

ROOTFS = recipes_home() / "internet" / "rootfs"
LIB = ROOTFS / "usr/local/lib/policylab"
OWN = "172.18.0.9"
ADDRESSES = {known: f"172.18.255.{n}" for n, known in enumerate(DOCUMENTED, 1)}
PREFIX = "fc00::"
HERE = Internet(OWN, OWN, {}, ADDRESSES, prefix=PREFIX, dns_six="fc00::9")
SITES = initial_sites(ADDRESSES)


@dataclass
class NameServer:
    """The container's name server, on this machine's loopback."""

    state: Path
    log: Path
    port: int
    sites: dict[str, Site] = field(default_factory=lambda: dict(SITES))

    def set(self, name: str, site: Site) -> None:
        self.sites[name] = site
        fresh = self.state.with_suffix(".new")
        fresh.write_bytes(state_bytes(ADDRESSES, self.sites, PREFIX))
        fresh.replace(self.state)

    def ask(
        self, name: str, kind: str = "A", *, tcp: bool = False, seconds: float = 2.0
    ) -> dns.message.Message:
        query = dns.message.make_query(name, kind)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, "127.0.0.1", port=self.port, timeout=seconds)


PORTS = count(20_000 + os.getpid() % 10_000)
"""Below those that the kernel hands out, which tests beside this one may be given at any time."""


def free_port() -> int:
    """A port that nobody has, neither over UDP nor over TCP."""
    while True:
        port = next(PORTS)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            contextlib.suppress(OSError),
        ):
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
            return port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NameServer]:
    port = free_port()
    found = NameServer(tmp_path / "state.json", tmp_path / "log", port)
    found.set("google.com", SITES["google.com"])
    argv: list[str | Path] = [
        sys.executable,
        LIB / "nameserver.py",
        "localhost",
        str(port),
        found.state,
    ]
    with (
        found.log.open("w") as log,
        subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT) as child,
    ):

        def ready() -> None:
            if "names are answered" not in (told := found.log.read_text()):
                raise NotYet(told)

        try:
            wait_for("the name server listens", ready, seconds=10, every=0.02)
            yield found
        finally:
            child.terminate()
            assert child.wait(timeout=5) == 0, found.log.read_text()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_every_name_is_at_its_address_with_its_ttl(server: NameServer, tcp: bool) -> None:
    for name in (*INTERNET, "KubernetES.io"):
        [records] = server.ask(name, tcp=tcp).answer
        assert [str(record) for record in records] == [ADDRESSES[INTERNET[name.lower()]]]
        assert records.ttl == SHORT_LIVED.get(name, TTL_SECONDS)


def test_every_name_has_an_address_of_ipv6_beside_that_of_ipv4(server: NameServer) -> None:
    for name in INTERNET:
        [records] = server.ask(name, "AAAA").answer
        assert [str(record) for record in records] == [beside(ADDRESSES[INTERNET[name]], PREFIX)]
        assert records.ttl == SHORT_LIVED.get(name, TTL_SECONDS)


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("google.com", "MX", dns.rcode.NOERROR),
        ("nobody.io", "AAAA", dns.rcode.NXDOMAIN),
        ("io", "A", dns.rcode.NOERROR),
        ("nobody.io", "A", dns.rcode.NXDOMAIN),
        ("sub.google.com", "A", dns.rcode.NXDOMAIN),
        ("google.com.cluster.local", "A", dns.rcode.NXDOMAIN),
    ],
)
def test_what_is_not_there_is_told_with_how_long_to_remember_it(
    server: NameServer, name: str, kind: str, rcode: int
) -> None:
    reply = server.ask(name, kind)
    assert reply.rcode() == rcode
    assert not reply.answer
    [soa] = reply.authority
    assert (soa.rdtype, soa.ttl, soa[0].minimum) == (dns.rdatatype.SOA, TTL_SECONDS, TTL_SECONDS)


@pytest.mark.parametrize("name", ["google.com", "nobody.io"])
def test_it_answers_as_a_resolver_does(server: NameServer, name: str) -> None:
    flags = server.ask(name).flags
    assert flags & dns.flags.RA
    assert not flags & dns.flags.AA


def test_a_name_can_move_and_its_ttl_change(server: NameServer) -> None:
    server.set("moving.cilium.io", Site(ADDRESSES[SPARES[0]], ttl=3))
    [records] = server.ask("moving.cilium.io").answer
    assert (str(records[0]), records.ttl) == (ADDRESSES[SPARES[0]], 3)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize(
    ("fault", "rcode"),
    [(Fault.SERVFAIL, dns.rcode.SERVFAIL), (Fault.REFUSED, dns.rcode.REFUSED)],
)
def test_fault_of_one_name_is_its_rcode_alone(
    server: NameServer, fault: Fault, rcode: int, tcp: bool
) -> None:
    server.set("cilium.io", replace(SITES["cilium.io"], fault=fault))
    reply = server.ask("cilium.io", tcp=tcp)
    assert (reply.rcode(), reply.answer) == (rcode, [])
    assert server.ask("docs.cilium.io").answer


def test_dropped_question_gets_no_reply_and_others_do(server: NameServer) -> None:
    server.set("cilium.io", replace(SITES["cilium.io"], fault=Fault.DROP))
    with pytest.raises(dns.exception.Timeout):
        server.ask("cilium.io", seconds=0.3)
    assert server.ask("google.com").answer
    assert "cilium.io. A: no reply" in server.log.read_text()


def test_slow_answer_is_held_back_and_no_other(server: NameServer) -> None:
    server.set("cilium.io", replace(SITES["cilium.io"], fault=Fault.SLOW, delay_ms=400))
    late = dns.message.make_query("cilium.io", "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        began = time.monotonic()
        client.sendto(late, ("127.0.0.1", server.port))
        assert server.ask("google.com").answer
        assert time.monotonic() - began < 0.4
        client.settimeout(2)
        assert dns.message.from_wire(client.recv(512)).answer
        assert time.monotonic() - began >= 0.4


def test_it_tells_which_state_is_in_force(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    udp = dns.query.udp
    here = ("127.0.0.1", server.port)
    monkeypatch.setattr(
        dns.query, "udp", lambda query, _, **more: udp(query, here[0], port=here[1], **more)
    )
    for ttl in (TTL_SECONDS, 1):
        server.set("cilium.io", replace(SITES["cilium.io"], ttl=ttl))
        told = digest(state_bytes(ADDRESSES, server.sites, PREFIX))
        assert NetworkServers().state("ours", 1.0) == told


def test_bytes_that_are_no_question_do_not_end_it(server: NameServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"no question", ("127.0.0.1", server.port))
    assert server.ask("google.com").answer
    assert "no question" in server.log.read_text()


@pytest.fixture(scope="module")
def control() -> ModuleType:
    spec = importlib.util.spec_from_file_location("control", LIB / "control.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def servers(control: ModuleType, changed: Mapping[str, Site]) -> list[str]:
    """Return nginx's servers for a state: the one of every name, then the slow ones."""
    names = {
        name: {
            "address": site.address,
            "web": site.web,
            "delay_ms": site.delay_ms,
        }
        for name, site in {**SITES, **changed}.items()
    }
    six = {each: beside(each, PREFIX) for each in ADDRESSES.values()}
    told = {"addresses": ADDRESSES, "names": names, "six": six}
    text: str = control.sites(told, [OWN, "fc00::9"])
    return text.split("server {")[1:]


def test_every_address_is_served_with_and_without_tls(control: ModuleType) -> None:
    [site] = servers(control, {})
    six = [f"[{beside(each, PREFIX)}]" for each in ADDRESSES.values()]
    for address in (OWN, "[fc00::9]", *ADDRESSES.values(), *six):
        assert f"listen {address}:80;" in site
        assert f"listen {address}:443 ssl http2;" in site


def test_refusing_site_is_an_address_without_a_listener(control: ModuleType) -> None:
    gone = SITES["cilium.io"].address
    [site] = servers(control, {"cilium.io": replace(SITES["cilium.io"], web=WebFault.REFUSED)})
    assert f"listen {gone}:" not in site
    assert beside(gone, PREFIX) not in site
    assert f"listen {OWN}:80;" in site
    assert SITES["google.com"].address in site


def test_slow_site_waits_and_no_other(control: ModuleType) -> None:
    slow = replace(SITES["cilium.io"], web=WebFault.SLOW, delay_ms=250)
    [every, late] = servers(control, {"cilium.io": slow})
    assert "echo_sleep" not in every
    assert "server_name cilium.io;" in late
    assert "echo_sleep 0.250;" in late


def test_file_is_replaced_in_one_move_and_only_if_it_changed(
    control: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    assert control.replace(path, b"one")
    before = path.stat().st_ino
    assert not control.replace(path, b"one")
    assert path.stat().st_ino == before
    assert control.replace(path, b"two")
    assert path.stat().st_ino != before
    assert path.read_bytes() == b"two"


def test_web_server_says_that_it_is_not_in_the_cluster() -> None:
    text = (ROOTFS / "etc/policylab/site.conf").read_text()
    assert "add_header X-Policylab-Pod internet always;" in text


def test_start_script_can_be_run() -> None:
    path = ROOTFS / "usr/local/bin/policylab-internet"
    assert os.access(path, os.X_OK)
    assert subprocess.run(["/bin/bash", "-n", path], check=False, timeout=10).returncode == 0


class Web:
    """An HTTP connection with a status, or with an error, by address."""

    def __init__(self, answers: Mapping[str, int | OSError]) -> None:
        self.answers = answers
        self.status = 0
        self.answer: int | OSError = 200

    def __call__(self, address: str, *_: object, **__: object) -> "Web":
        self.answer = self.answers.get(address, 200)
        return self

    def request(self, *_: object, **__: object) -> None:
        if isinstance(self.answer, OSError):
            raise self.answer
        self.status = self.answer

    def getresponse(self) -> "Web":
        return self

    def close(self) -> None:
        pass


def answers(
    monkeypatch: pytest.MonkeyPatch, state: str | None, web: Mapping[str, int | OSError]
) -> None:
    """Let the name server tell this state (None: no answer), the web server answer so."""

    def udp(question: dns.message.Message, *_: object, **__: object) -> dns.message.Message:
        if state is None:
            raise dns.exception.Timeout
        reply = dns.message.make_response(question)
        if state:
            name = question.question[0].name
            reply.answer.append(dns.rrset.from_text(name, 0, "IN", "TXT", f'"{state}"'))
        return reply

    monkeypatch.setattr(dns.query, "udp", udp)
    monkeypatch.setattr(http.client, "HTTPConnection", Web(web))


RIGHT = digest(state_bytes(ADDRESSES, SITES, PREFIX))


def test_its_state_and_a_page_at_each_address_are_the_right_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers(monkeypatch, RIGHT, {})
    internet._ask(HERE, Place())


@pytest.mark.parametrize(
    ("state", "web", "seen"),
    [
        (None, {}, f"asked for {STATE_NAME}: Timeout"),
        ("", {}, "no state"),
        ("another", {}, f"state another, not {RIGHT}"),
        (RIGHT, {OWN: 500}, f"http://{OWN}/: status 500"),
        (
            RIGHT,
            {ADDRESSES[SPARES[0]]: ConnectionRefusedError("refused")},
            "ConnectionRefusedError",
        ),
    ],
)
def test_every_other_answer_is_the_last_thing_seen(
    monkeypatch: pytest.MonkeyPatch,
    state: str | None,
    web: Mapping[str, int | OSError],
    seen: str,
) -> None:
    answers(monkeypatch, state, web)
    with pytest.raises(NotYet) as caught:
        internet._ask(HERE, Place())
    assert seen in str(caught.value)
