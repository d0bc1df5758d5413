"""What the container serves: its zone as a resolver reads it, and how we judge its answers."""

import http.client
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from harness.core.world import INTERNET
from harness.edge import internet
from harness.edge.images.recipe import recipes_home
from harness.edge.wait import NotYet

ADDRESS = "172.18.0.9"
ROOTFS = recipes_home() / "internet" / "rootfs"


def render(env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOTFS / "usr/local/bin/policylab-zone", ADDRESS],
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )


def zone(env: Mapping[str, str]) -> dns.zone.Zone:
    text = render(env).stdout
    return dns.zone.from_text(text, origin=".", relativize=False, check_origin=False)


def test_zone_has_every_name_at_the_address_with_the_ttl() -> None:
    found = zone(internet._settings() | {"POLICYLAB_TTL": "7"})
    records = list(found.iterate_rdatas("A"))
    assert {(str(name), ttl, str(data)) for name, ttl, data in records} == {
        (f"{name}.", 7, ADDRESS) for name in INTERNET
    }


def test_zone_is_the_root_so_that_every_other_name_does_not_exist() -> None:
    found = zone(internet._settings())
    assert found.origin == dns.name.root
    soa = found.get_soa()
    assert soa.minimum == internet.TTL_SECONDS
    assert soa.serial > 0


def test_zone_without_names_is_refused() -> None:
    done = render({})
    assert done.returncode != 0
    assert "the names to serve" in done.stderr


def test_corefile_serves_that_zone_and_says_what_it_was_asked() -> None:
    lines = [line.strip() for line in (ROOTFS / "etc/policylab/Corefile").read_text().splitlines()]
    assert ".:53 {" in lines
    assert "file /etc/policylab/zone . {" in lines
    assert {"errors", "log"} <= set(lines)
    assert not [line for line in lines if line.startswith(("forward", "cache"))]


def test_corefile_answers_as_a_resolver_does() -> None:
    text = (ROOTFS / "etc/policylab/Corefile").read_text()
    assert "response set ra" in text
    assert "response clear aa" in text


def test_web_server_says_that_it_is_not_in_the_cluster() -> None:
    text = (ROOTFS / "etc/policylab/nginx.conf").read_text()
    assert "add_header X-Policylab-Pod internet always;" in text


@pytest.mark.parametrize("name", ["policylab-internet", "policylab-zone"])
def test_scripts_can_be_run(name: str) -> None:
    path = Path(ROOTFS / "usr/local/bin" / name)
    assert os.access(path, os.X_OK)
    shell = path.read_text().splitlines()[0].removeprefix("#!")
    assert subprocess.run([shell, "-n", path], check=False, timeout=10).returncode == 0


class Web:
    """An HTTP connection with a status, or with an error."""

    def __init__(self, answer: int | OSError) -> None:
        self.answer = answer
        self.status = 0

    def __call__(self, *_: object, **__: object) -> "Web":
        return self

    def request(self, *_: object, **__: object) -> None:
        if isinstance(self.answer, OSError):
            raise self.answer
        self.status = self.answer

    def getresponse(self) -> "Web":
        return self

    def close(self) -> None:
        pass


def answers(monkeypatch: pytest.MonkeyPatch, names: list[str] | None, web: int | OSError) -> None:
    """Let the name server answer with these addresses (None: not at all), the web server so."""

    def udp(question: dns.message.Message, *_: object, **__: object) -> dns.message.Message:
        if names is None:
            raise dns.exception.Timeout
        answer = dns.message.make_response(question)
        if names:
            answer.answer.append(dns.rrset.from_text("google.com.", 30, "IN", "A", *names))
        return answer

    monkeypatch.setattr(dns.query, "udp", udp)
    monkeypatch.setattr(http.client, "HTTPConnection", Web(web))


def test_its_own_address_and_a_page_are_the_right_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, [ADDRESS], 200)
    internet._ask(ADDRESS)


@pytest.mark.parametrize(
    ("names", "web", "seen"),
    [
        (None, 200, "asked for google.com: Timeout"),
        ([], 200, "asked for google.com: no address, not its own"),
        (["172.18.0.3"], 200, "['172.18.0.3'], not its own"),
        ([ADDRESS], 500, "http://172.18.0.9/: status 500"),
        ([ADDRESS], ConnectionRefusedError("refused"), "ConnectionRefusedError: refused"),
    ],
)
def test_every_other_answer_is_the_last_thing_seen(
    monkeypatch: pytest.MonkeyPatch, names: list[str] | None, web: int | OSError, seen: str
) -> None:
    answers(monkeypatch, names, web)
    with pytest.raises(NotYet) as caught:
        internet._ask(ADDRESS)
    assert seen in str(caught.value)
