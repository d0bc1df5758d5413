"""How a failed case is repeated: its two programs over loopback, and its lines in a shell."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from harness.core.conformance.placing import Place
from harness.core.outcome import Outcome, Reading
from harness.edge.conformance.reproducing import _CLIENT, _SERVER, REUSED, Reproduction
from harness.edge.conformance.shipped import shipped
from harness.edge.machine.wait import NotYet, wait_for

KINDS = {"TCP": (1, 6), "UDP": (2, 17), "SCTP": (1, 132)}


def free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has(protocol: str) -> bool:
    try:
        socket.socket(socket.AF_INET, *KINDS[protocol]).close()
    except OSError:
        return False
    return True


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A server of one protocol, and its port."""
    protocol, port = str(request.param), free_port()
    if not has(protocol):
        pytest.skip(f"this kernel has no {protocol}")
    words = [sys.executable, "-c", _SERVER, json.dumps([[protocol, port]])]
    with subprocess.Popen(words) as made:
        yield protocol, port
        made.kill()


@pytest.mark.parametrize("server", ["TCP", "UDP", "SCTP"], indirect=True)
def test_client_prints_open_where_the_server_answers(server: tuple[str, int]) -> None:
    protocol, port = server
    words = [sys.executable, "-c", _CLIENT, protocol, "127.0.0.1", str(port)]

    def answered() -> None:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
        if "ConnectionRefusedError" in done.stderr:
            raise NotYet("the server has not begun")
        assert (done.stdout, done.stderr) == ("open\n", "")

    wait_for("the server answers", answered, seconds=20)


KUBECTL = """#!/bin/sh
echo "kubectl $*" >> "$LOG"
case "$*" in
  *" get pod "*) echo 10.9.9.9 ;;
  "apply -f -") cat > "$LOG.stdin" ;;
  *"-f "*) for file; do :; done; cat "$file" >> "$LOG" ;;
  *" exec "*) echo open ;;
esac
"""
CASES = {case.name: case for case in shipped()}
PLACE = Place(1)


def files_of(name: str, number: int) -> dict[str, str]:
    """The files of a case whose state with this number fails."""
    states = CASES[name].states
    state, before = states[number - 1], states[number - 2] if number > 1 else None
    pods = [key for each in (before, state) if each for key in each.cast.pods]
    addresses = {key: (f"10.244.1.{n}",) for n, key in enumerate(dict.fromkeys(pods), 2)}
    wrong = {PLACE.ask(next(iter(state.expected))): Reading(Outcome.CONNECTED)}
    return Reproduction(PLACE, "toolbox", addresses).files(before, state, wrong)


def repeated(files: Mapping[str, str], home: Path) -> tuple[str, str]:
    """What the lines of `reproduce.sh` print, and what kubectl was given."""
    programs, log = home / "bin", home / "log"
    programs.mkdir()
    for name, text in {"kubectl": KUBECTL, "sleep": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    for name, text in files.items():
        (home / name).write_text(text, encoding="utf-8")
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "LOG": str(log)}
    done = subprocess.run(
        ["/bin/sh", "-e", "reproduce.sh"],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, log.read_text(encoding="utf-8")


def order(log: str) -> list[str]:
    words = [line.split() for line in log.splitlines() if line.startswith("kubectl ")]
    return [f"{each[1]} {each[-1]}" for each in words if each[1] in ("apply", "delete")]


def test_a_case_of_one_state_is_applied_and_asked(tmp_path: Path) -> None:
    said, log = repeated(files_of("peers/pods", 1), tmp_path)

    assert said == "open\n"
    assert order(log) == ["apply manifests.yaml", "apply policies.yaml"]


def test_a_fault_of_a_change_is_repeated_with_the_state_before(tmp_path: Path) -> None:
    files = files_of("changes/delete-one-of-two", 2)

    _, log = repeated(files, tmp_path)

    assert order(log) == [
        *("apply manifests.yaml", "apply before-policies.yaml"),
        *("delete gone.yaml", "apply policies.yaml"),
    ]
    (gone,) = yaml.safe_load_all(files["gone.yaml"])
    assert (gone["kind"], gone["metadata"]["name"]) == ("NetworkPolicy", "from-green")


def test_a_change_of_pods_is_repeated_with_the_pods_before(tmp_path: Path) -> None:
    files = files_of("changes/pod-with-an-old-name", 2)

    _, log = repeated(files, tmp_path)

    assert order(log) == [
        *("apply before.yaml", "apply before-policies.yaml", "delete gone.yaml"),
        *("apply manifests.yaml", "apply policies.yaml"),
    ]
    (gone,) = yaml.safe_load_all(files["gone.yaml"])
    assert (gone["kind"], gone["metadata"]["name"]) == ("Pod", "c")


def test_a_policy_gets_the_address_that_a_pod_has_now(tmp_path: Path) -> None:
    _, log = repeated(files_of("blocks/except", 1), tmp_path)

    assert order(log) == ["apply manifests.yaml", "apply -"]
    applied = (tmp_path / "log.stdin").read_text(encoding="utf-8")
    (policy,) = yaml.safe_load_all(applied)
    (peer,) = policy["spec"]["egress"][0]["to"]
    assert peer == {"ipBlock": {"cidr": "0.0.0.0/4", "except": ["10.9.9.9/32"]}}


def test_all_policies_gone_leave_no_empty_file() -> None:
    files = files_of("changes/delete", 2)

    assert "policies.yaml" not in files
    assert all(files.values())


def test_an_address_that_is_used_again_is_told() -> None:
    assert files_of("changes/address-used-again", 2)["reproduce.sh"].startswith(REUSED)
