"""Cells of an observed matrix: what they add up to, and where they differ from the policies."""

from __future__ import annotations

from ipaddress import ip_address
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from harness.core.manifests.liveobjects import pod_of, topology_of
from harness.core.model import PodRef, Protocol
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.reachability import Matrix
from harness.core.probe.cells import Cell, differences, unclear
from harness.core.probe.flips import FlipLog
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.errors import ProbeError
from harness.exitcode import ExitCode
from harness.report.matrix.heatmap import DIFFERS, picture_of, svg
from harness.report.matrix.tables import Verdicts, tables


def cell(outcome: Outcome) -> Cell:
    """What a target that answers itself shows to another pod."""
    return Cell(Answer(Observation(Reading(outcome), own=Reading(Outcome.CONNECTED))))


OPEN, SHUT = cell(Outcome.CONNECTED), cell(Outcome.TIMEOUT)
BROKEN = Cell(Answer(problem=ProbeError("the prober is gone", seen="the stream ended")))
WEB, API = PodRef("shop", "web"), PodPort(PodRef("shop", "api"), 80, Protocol.TCP)
ASK = Ask(WEB, API)


def matrix(cell: Cell) -> Matrix[Cell]:
    return Matrix((WEB,), (API,), {ASK: cell})


def said(verdict: Verdict) -> Matrix[Verdict]:
    return Matrix((WEB,), (API,), {ASK: verdict})


@pytest.mark.parametrize(
    ("cell", "verdict", "code"),
    [
        (OPEN, Verdict.ALLOW, ExitCode.OK),
        (OPEN, Verdict.DENY, ExitCode.DIFFERS),
        (SHUT, Verdict.DENY, ExitCode.OK),
        (SHUT, Verdict.ALLOW, ExitCode.DIFFERS),
        (BROKEN, Verdict.DENY, ExitCode.NO_VERDICT),
        (cell(Outcome.UNSTABLE), Verdict.DENY, ExitCode.NO_VERDICT),
        (cell(Outcome.UNSTABLE), Verdict.UNDEFINED, ExitCode.OK),
        (OPEN, Verdict.UNDEFINED, ExitCode.OK),
        (cell(Outcome.ONE_WAY), Verdict.ALLOW, ExitCode.DIFFERS),
        (cell(Outcome.ONE_WAY), Verdict.DENY, ExitCode.DIFFERS),
        (cell(Outcome.WRONG_PEER), Verdict.ALLOW, ExitCode.DIFFERS),
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
    document = Verdicts(matrix(OPEN), said(Verdict.DENY)).as_json(cluster="x")

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
        for table in tables(Verdicts(matrix(SHUT))):
            console.print(table)

    assert "to port 80/TCP" in shown.get()
    assert shown.get().splitlines()[-1].split() == ["1", "shop/web", "-"]


def test_picture_is_whole_xml_and_tells_each_cell_in_words() -> None:
    picture = svg(picture_of(matrix(SHUT), {ASK}), title="<who> & whom")

    root = ET.fromstring(picture)  # noqa: S314 - our own
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "<who> & whom"
    assert "shop/web to shop/api:80: blocked (timeout)" in titles
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


def test_flips_tell_how_long_the_state_before_lasted() -> None:
    log = FlipLog()

    assert log.note(0.0, matrix(OPEN)) == ()
    assert log.note(0.2, matrix(OPEN)) == ()
    (shut,) = log.note(0.5, matrix(SHUT))
    (again,) = log.note(2.0, matrix(OPEN))

    assert (shut.before, shut.after, shut.held_ms) == ("connected", "timeout", 500.0)
    assert (again.at, again.held_ms) == (2.0, 1500.0)
    track = log.tracks[ASK]
    assert track.flips == 2
    assert track.until(3.0) == {"connected": 1500.0, "timeout": 1500.0}
