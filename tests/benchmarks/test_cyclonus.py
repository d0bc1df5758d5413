"""Cyclonus beside policylab: what is read from its text, and how verdicts are counted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.cyclonus.cases import TOPOLOGY, fits, name_of, text_of, topology_of
from benchmarks.cyclonus.comparing import Both, compared, differing
from benchmarks.cyclonus.output import Cell, Mark, Printed, Ran, printed, table
from benchmarks.cyclonus.running import alone, run
from harness.core.conformance.case import Case, Said
from harness.core.conformance.offline import disagreements
from harness.edge.conformance.shipped import cases_in
from harness.errors import ContentError, EnvironmentFault
from tests.fakes.kube import FakeKube

PORTS = ("TCP/80", "UDP/81")
PODS = ("x/a", "x/b", "y/a")
POLICY = """Network policy:

metadata:
  creationTimestamp: null
  name: Only B
  namespace: x
spec:
  ingress:
  - from:
    - podSelector:
        matchLabels:
          pod: b
    ports:
    - port: 80
      protocol: TCP
  podSelector:
    matchLabels:
      pod: a
  policyTypes:
  - Ingress
"""
RIGHT = {
    ("x/a", "x/a"): "X X",
    ("x/b", "x/a"): ". X",
    ("y/a", "x/a"): "X X",
}
"""What the policy makes of the pods; all other flows pass."""


def drawn(marks: dict[tuple[str, str], str]) -> str:
    """A table as Cyclonus prints it, with two ports."""
    rule = "+--------+-------+-------+-------+"
    names = " | ".join(name.upper() for name in PODS)
    lines = [rule, f"| {PORTS[0]} | {names} |", f"| {PORTS[1]} |       |       |       |", rule]
    for source in PODS:
        cells = " | ".join(marks.get((source, target), ". .") for target in PODS)
        lines += [f"|  {source}  | {cells} |", rule]
    return "\n".join(lines) + "\n"


def case(number: int, *looks: dict[tuple[str, str], str], wrong: int = 0) -> str:
    """The lines of one case with one step; `looks` are what the probes showed."""
    tries = "".join(f"kube results, try {n}:\n{drawn(look)}\n" for n, look in enumerate(looks))
    found = "Discrepancy found:" if wrong else ""
    return (
        f"starting test case #{number}\n"
        "evaluating test case: words\n"
        "step 1 on all available ports/protocols:\n"
        "Policy explanation:\n+---+\n| a |\n+---+\n\n\n"
        f"Results for network policies:\n{POLICY}\n"
        f"{found}{wrong} wrong, 0 ignored, {9 - wrong} correct\n"
        f"Expected ingress:\n{drawn({})}\nExpected egress:\n{drawn({})}\n"
        f"Expected combined:\n{drawn(RIGHT)}\n"
        f"{tries}\nActual vs expected (last round):\n{drawn({})}\n\n\n"
        f"finished policy #{number}\n"
    )


def heard(*cases: str, planned: int = 3) -> Printed:
    plan = "".join(f"test #{n}: words\n - tags: ingress, target\n" for n in range(1, planned + 1))
    lines = (plan + "".join(cases)).splitlines()
    return printed((float(number), line) for number, line in enumerate(lines))


def test_a_case_is_read_with_its_policy_its_model_and_each_look() -> None:
    found = heard(case(1, RIGHT))
    assert found.planned == 3
    (tested,) = found.tested
    assert (tested.number, tested.tags, tested.passed) == (1, ("ingress", "target"), True)
    assert tested.seconds > 0
    (step,) = tested.steps
    assert step.policies[0]["metadata"]["name"] == "Only B"
    assert step.expected == step.tries[0]
    assert len(step.expected) == 18
    assert step.expected[Cell("x/b", "x/a", "TCP/80")] is Mark.ALLOWED
    assert step.expected[Cell("x/b", "x/a", "UDP/81")] is Mark.BLOCKED


def test_a_case_that_was_cut_off_does_not_count() -> None:
    found = heard(case(1, RIGHT), case(2, RIGHT).rpartition("finished")[0])
    assert [tested.number for tested in found.tested] == [1]


def test_a_table_of_one_port_has_the_port_of_its_step() -> None:
    lines = ["+---+-----+", "|   | X/A |", "+---+-----+", "| x/a | . |", "+---+-----+"]
    assert table(lines, "TCP/81") == {Cell("x/a", "x/a", "TCP/81"): Mark.ALLOWED}


def test_a_row_without_a_mark_for_each_port_is_refused() -> None:
    lines = drawn({("x/a", "x/b"): "."}).splitlines()
    with pytest.raises(ContentError, match="lacks marks"):
        table(lines, "")


def test_a_case_that_was_never_named_is_refused() -> None:
    with pytest.raises(ContentError, match="did not name"):
        heard(case(7, RIGHT))


def cases_of(found: Printed, folder: Path) -> dict[str, Case]:
    (folder / "topologies").mkdir()
    (folder / "topologies" / f"{TOPOLOGY}.yaml").write_text(topology_of(found.tested[0]))
    for tested in found.tested:
        (folder / f"{name_of(tested)}.yaml").write_text(text_of(tested))
    return {each.name: each for each in cases_in(folder)}


def test_the_same_policy_is_a_case_of_policylab_about_which_the_oracle_agrees(
    tmp_path: Path,
) -> None:
    (found,) = cases_of(heard(case(1, RIGHT)), tmp_path).values()
    assert disagreements(found) == []
    said = [*found.states[0].expected.values()]
    assert (len(said), said.count(Said.DENY)) == (12, 3)
    port = found.states[0].policies[0]["spec"]["ingress"][0]["ports"][0]
    assert port == {"port": 8080, "protocol": "TCP"}


def test_a_case_whose_steps_the_text_does_not_show_is_left_out() -> None:
    (tested,) = heard(case(1, RIGHT)).tested
    assert fits(tested)
    relabelled = Ran(1, "words", ("set-pod-labels",), 0.0, steps=tested.steps)
    assert not fits(relabelled)


def row(name: str, status: str = "passed", *flows: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "status": status, "agreed": 12 - len(flows), "flows": [*flows]}


def seen(flow: str, shown: str | None) -> dict[str, Any]:
    return {"state": "", "flow": flow, "observed": shown}


def both(found: Printed, folder: Path, *rows: dict[str, Any]) -> Both:
    return compared(found, cases_of(found, folder), rows, 2.0)


def test_a_flow_that_only_cyclonus_has_otherwise_is_its_wrong_verdict(tmp_path: Path) -> None:
    lost = {**RIGHT, ("y/a", "x/b"): "X ."}
    found = both(heard(case(1, lost, lost, wrong=1)), tmp_path, row("cyclonus-001"))
    assert (found.theirs.wrong, found.theirs.failed, found.theirs.failed_wrongly) == (1, 1, 1)
    assert (found.theirs.again, found.theirs.flows, found.theirs.probes) == (1, 18, 36)
    assert (found.ours.wrong, found.theirs.as_the_cni, found.theirs.model_differs) == (0, 0, 0)


def test_a_flow_that_both_have_otherwise_is_the_cnis(tmp_path: Path) -> None:
    leak = {**RIGHT, ("y/a", "x/a"): ". X"}
    ours = row("cyclonus-001", "failed", seen("y/a -> pod/x/a:8080", "connected"))
    run_ = heard(case(1, leak, leak, wrong=1))
    cases = cases_of(run_, tmp_path)
    ask = next(
        str(ask)
        for ask, said in cases["cyclonus-001"].states[0].expected.items()
        if said is Said.DENY and str(ask.source) == "y/a"
    )
    ours["flows"][0]["flow"] = ask
    found = compared(run_, cases, [ours], 2.0)
    assert (found.theirs.wrong, found.theirs.as_the_cni, found.ours.wrong) == (0, 1, 0)
    assert (found.theirs.failed, found.theirs.failed_wrongly, found.ours.failed) == (1, 0, 1)

    # Where Cyclonus saw what the oracle says, the same row is a wrong verdict of policylab.
    right = compared(heard(case(1, RIGHT)), cases, [ours], 2.0)
    assert (right.theirs.wrong, right.theirs.as_the_cni, right.ours.wrong) == (0, 0, 1)


def test_a_flow_without_a_verdict_of_ours_proves_nothing(tmp_path: Path) -> None:
    lost = {**RIGHT, ("y/a", "x/b"): "X X"}
    found = both(heard(case(1, lost, lost, wrong=1)), tmp_path)
    assert (found.theirs.wrong, found.theirs.as_the_cni, found.ours.wrong) == (0, 0, 0)
    assert found.ours.without_verdict == 1


def test_a_pods_way_to_itself_is_counted_apart(tmp_path: Path) -> None:
    hairpin = {**RIGHT, ("x/a", "x/a"): ". ."}
    run_ = heard(case(1, hairpin, hairpin, wrong=1))
    found = both(run_, tmp_path, row("cyclonus-001"))
    assert (found.theirs.own_flows_wrong, found.theirs.wrong) == (2, 0)
    assert {cell for _, _, cell in differing(run_)} == {Cell("x/a", "x/a", port) for port in PORTS}


def test_a_second_look_that_mends_the_first_is_counted(tmp_path: Path) -> None:
    lost = {**RIGHT, ("y/a", "x/b"): "X ."}
    found = both(heard(case(1, lost, RIGHT)), tmp_path, row("cyclonus-001"))
    assert (found.theirs.unstable, found.theirs.wrong, found.theirs.failed) == (1, 0, 0)


def test_times_faster_is_of_the_whole_runs(tmp_path: Path) -> None:
    found = both(heard(case(1, RIGHT)), tmp_path, row("cyclonus-001"))
    assert found.times_faster == pytest.approx(found.theirs.seconds / 2.0)
    assert found.as_json()["policylab"]["seconds"] == 2.0


def test_a_program_is_ended_at_its_deadline_and_what_it_said_counts(tmp_path: Path) -> None:
    text = f"test #1: words\n - tags: target\n{case(1, RIGHT)}"
    program = f"print({text!r}, flush=True); import time; time.sleep(60)"
    argv = [sys.executable, "-c", program]
    told: list[str] = []
    found = run(argv, tmp_path / "none", tmp_path / "log", seconds=5.0, heard=told.append)
    assert [tested.number for tested in found.tested] == [1]
    assert "starting test case #1" in told
    assert "finished policy #1" in (tmp_path / "log").read_text()


def _space(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


def test_a_namespace_of_somebody_else_is_never_taken(kube: FakeKube) -> None:
    kube.apply(_space("y"))
    with pytest.raises(EnvironmentFault, match="namespace that is there"), alone(kube):
        pytest.fail("it began")
    assert kube.get("v1", "Namespace", "y") is not None


def test_the_namespaces_of_cyclonus_go_also_after_a_failure(kube: FakeKube) -> None:
    def broken() -> None:
        with alone(kube):
            kube.apply(_space("x"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert kube.get("v1", "Namespace", "x") is None


def test_the_report_of_a_case_survives_yaml(tmp_path: Path) -> None:
    (tested,) = heard(case(1, RIGHT)).tested
    assert yaml.safe_load(text_of(tested))["about"] == "words"
