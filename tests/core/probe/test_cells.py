"""Cells of an observed matrix: what they add up to, and where they differ from the policies."""

from __future__ import annotations

from ipaddress import ip_address
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from harness.core.manifests.liveobjects import pod_of, topology_of, with_ports
from harness.core.model import ContainerPort, Protocol
from harness.core.observation import Attempt, Phase
from harness.core.outcome import Outcome, Verdict
from harness.core.policy.reachability import Matrix
from harness.core.probe.cells import Cell, Wanted, cell_of, differences, judged, unclear
from harness.core.probe.flips import FlipLog
from harness.exitcode import ExitCode
from harness.report.heatmap import DIFFERS, svg
from harness.report.matrix import Verdicts, tables

SILENCE = [Attempt(Phase.TIMEOUT, 1250.0)] * 3
OURS = Wanted(3, nonce="n1", peer="shop/api")
REPLY = b"X-Policylab-Pod: shop/api\r\nX-Policylab-Nonce: n1\r\n"
OPEN, SHUT = Cell(Outcome.CONNECTED, 1.0), Cell(Outcome.TIMEOUT)
KEY = ("shop/web", "shop/api:80/TCP")


def answered(data: bytes = REPLY) -> list[Attempt]:
    return [Attempt(Phase.ANSWERED, 1.5, data)]


def matrix(cell: Cell) -> Matrix[Cell]:
    return Matrix((KEY[0],), (KEY[1],), {KEY: cell})


def said(verdict: Verdict) -> Matrix[Verdict]:
    return Matrix((KEY[0],), (KEY[1],), {KEY: verdict})


def test_answer_of_the_expected_pod_to_this_nonce_is_connected() -> None:
    cell = cell_of(answered(), OURS, heard=False, where="x")

    assert cell == Cell(Outcome.CONNECTED, 1.5, "shop/api")


@pytest.mark.parametrize(
    "reply",
    [
        b"X-Policylab-Pod: shop/other\r\nX-Policylab-Nonce: n1\r\n",
        b"X-Policylab-Pod: shop/api\r\nX-Policylab-Nonce: of-another-probe\r\n",
    ],
)
def test_answer_of_somebody_else_or_to_another_probe_is_a_wrong_peer(reply: bytes) -> None:
    assert cell_of(answered(reply), OURS, heard=False, where="x").outcome is Outcome.WRONG_PEER


def test_handshake_without_a_name_is_no_verdict_where_a_name_is_due() -> None:
    cell = cell_of([Attempt(Phase.CONNECTED, 0.4)], OURS, heard=False, where="x")

    assert cell.outcome is Outcome.UNSTABLE
    assert "nobody said who" in cell.problem


def test_handshake_is_enough_where_no_name_is_due() -> None:
    cell = cell_of([Attempt(Phase.CONNECTED, 0.4)], Wanted(3), heard=False, where="x")

    assert cell.outcome is Outcome.CONNECTED


def test_silence_that_the_listener_heard_is_one_way() -> None:
    assert cell_of(SILENCE, OURS, heard=True, where="x").outcome is Outcome.ONE_WAY
    assert cell_of(SILENCE, OURS, heard=False, where="x").outcome is Outcome.TIMEOUT


def test_fault_of_the_tool_is_no_verdict_with_its_words() -> None:
    cell = cell_of([Attempt(Phase.ERROR, 0.1, error="EMFILE")], OURS, heard=False, where="x")

    assert cell.outcome is Outcome.UNSTABLE
    assert "EMFILE" in cell.problem


@pytest.mark.parametrize(
    ("seen", "control", "verdict"),
    [
        (Outcome.CONNECTED, Outcome.CONNECTED, Verdict.ALLOW),
        (Outcome.TIMEOUT, Outcome.CONNECTED, Verdict.DENY),
        (Outcome.TIMEOUT, Outcome.REFUSED, Verdict.DENY),
        (Outcome.TIMEOUT, Outcome.TIMEOUT, None),
        (Outcome.TIMEOUT, Outcome.UNSTABLE, None),
        (Outcome.REFUSED, Outcome.REFUSED, Verdict.ALLOW),
        (Outcome.REFUSED, Outcome.CONNECTED, Verdict.DENY),
        (Outcome.REFUSED, Outcome.TIMEOUT, None),
        (Outcome.WRONG_PEER, Outcome.CONNECTED, None),
        (Outcome.ONE_WAY, Outcome.CONNECTED, None),
    ],
)
def test_verdict_depends_on_what_the_target_shows_itself(
    seen: Outcome, control: Outcome, verdict: Verdict | None
) -> None:
    assert judged(Cell(seen), Cell(control)).verdict is verdict


@pytest.mark.parametrize(
    ("cell", "verdict", "code"),
    [
        (judged(OPEN, OPEN), Verdict.ALLOW, ExitCode.OK),
        (judged(OPEN, OPEN), Verdict.DENY, ExitCode.DIFFERS),
        (judged(SHUT, OPEN), Verdict.DENY, ExitCode.OK),
        (judged(SHUT, OPEN), Verdict.ALLOW, ExitCode.DIFFERS),
        (judged(SHUT, SHUT), Verdict.DENY, ExitCode.NO_VERDICT),
        (Cell(Outcome.UNSTABLE), Verdict.DENY, ExitCode.NO_VERDICT),
        (Cell(Outcome.UNSTABLE), Verdict.UNDEFINED, ExitCode.OK),
        (judged(OPEN, OPEN), Verdict.UNDEFINED, ExitCode.OK),
        (Cell(Outcome.ONE_WAY), Verdict.ALLOW, ExitCode.DIFFERS),
        (Cell(Outcome.ONE_WAY), Verdict.DENY, ExitCode.DIFFERS),
        (Cell(Outcome.WRONG_PEER), Verdict.ALLOW, ExitCode.DIFFERS),
    ],
)
def test_exit_code_says_agrees_differs_or_no_verdict(
    cell: Cell, verdict: Verdict, code: ExitCode
) -> None:
    assert Verdicts(matrix(cell), said(verdict)).exit_code is code


def test_flow_that_was_not_looked_at_is_no_agreement() -> None:
    nothing: Matrix[Cell] = Matrix((), (), {})

    assert differences(said(Verdict.DENY), nothing) == ()
    assert [cell.problem for *_, cell in unclear(nothing, said(Verdict.DENY))] == [
        "it was not looked at"
    ]
    assert Verdicts(nothing).exit_code is ExitCode.NO_VERDICT


def test_json_says_what_was_predicted_and_whether_it_agrees() -> None:
    document = Verdicts(matrix(judged(OPEN, OPEN)), said(Verdict.DENY)).as_json(cluster="x")

    assert document["cluster"] == "x"
    assert document["summary"]["differ"] == 1
    (cell,) = document["cells"]
    assert (cell["outcome"], cell["verdict"], cell["predicted"], cell["agrees"]) == (
        "connected",
        "allow",
        "deny",
        False,
    )


def test_table_has_a_letter_for_every_cell() -> None:
    console = Console(width=100, record=True, file=None, quiet=True)
    console.quiet = False
    with console.capture() as shown:
        for table in tables(Verdicts(matrix(judged(SHUT, OPEN)))):
            console.print(table)

    assert "80/TCP" in shown.get()
    assert shown.get().splitlines()[-1].split() == ["1", "shop/web", "-"]


def test_picture_is_whole_xml_and_tells_each_cell_in_words() -> None:
    picture = svg(matrix(judged(SHUT, OPEN)), title="<who> & whom", differing={KEY})

    root = ET.fromstring(picture)  # noqa: S314 - our own
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "<who> & whom"
    assert "shop/web to shop/api:80/TCP: blocked (timeout)" in titles
    assert picture.count(DIFFERS) == 1


def test_live_pod_keeps_what_decides_a_verdict() -> None:
    body = {
        "metadata": {"namespace": "shop", "name": "web", "labels": {"app": "web"}},
        "spec": {
            "initContainers": [
                {"name": "once", "ports": [{"containerPort": 1}]},
                {"name": "mesh", "restartPolicy": "Always", "ports": [{"containerPort": 15001}]},
            ],
            "containers": [
                {"ports": [{"containerPort": 53, "protocol": "UDP", "name": "dns"}]},
                {"ports": [{"containerPort": 53, "protocol": "UDP", "name": "dns"}]},
            ],
        },
        "status": {"podIP": "10.0.0.1"},
    }

    pod = pod_of(body)

    assert pod.ip == ip_address("10.0.0.1")
    assert [(p.number, p.protocol) for p in pod.ports] == [(15001, "TCP"), (53, "UDP")]
    assert topology_of([{"metadata": {"name": "shop"}}], [body]).pods["shop/web"] == pod
    more = with_ports(pod, [ContainerPort(53, Protocol.UDP), ContainerPort(80)])
    assert [(p.number, p.name) for p in more.ports] == [(15001, ""), (53, "dns"), (80, "")]


def test_flips_tell_how_long_the_state_before_lasted() -> None:
    log = FlipLog()

    assert log.note(0.0, matrix(OPEN)) == ()
    assert log.note(0.2, matrix(OPEN)) == ()
    (shut,) = log.note(0.5, matrix(SHUT))
    (again,) = log.note(2.0, matrix(OPEN))

    assert (shut.before, shut.after, shut.held_ms) == ("connected", "timeout", 500.0)
    assert (again.at, again.held_ms) == (2.0, 1500.0)
    track = log.tracks[KEY]
    assert track.flips == 2
    assert track.until(3.0) == {"connected": 1500.0, "timeout": 1500.0}
