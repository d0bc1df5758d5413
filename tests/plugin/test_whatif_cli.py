"""`policylab whatif`: what it prints, and the exit code by which a CI job decides."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness import cli
from harness.exitcode import ExitCode
from tests.core.compare.test_change import LISTED, PODS, POLICY, WEB
from tests.plugin.test_matrix_cli import schema

SHUT = POLICY.replace("[FROM]", "[{podSelector: {matchLabels: {a: b}}}]")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return written(tmp_path / "old", WEB)


def written(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "all.yaml").write_text(text)
    return folder


def test_equal_behaviour_is_one_sentence(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = written(tmp_path / "new", WEB.replace("{app: web}}}", "{app: web, }}}"))

    assert cli.main(["whatif", str(other), "--against", str(old), "-q"]) == ExitCode.OK

    assert capsys.readouterr().out.startswith("Both states behave alike: no flow opens, closes")


def test_policy_alone_is_applied_over_the_state_and_a_wanted_flow_closes(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = written(tmp_path / "new", SHUT.removeprefix("\n---"))
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(LISTED)

    command = ["whatif", str(new), "--against", str(old), "--wanted", str(wanted)]

    assert cli.main(command) == ExitCode.DIFFERS
    said = capsys.readouterr().out
    assert "applied over it" in said
    assert "  wanted: shop/web -> shop/api: TCP 8080\n" in said


def test_seen_flow_that_closes_counts_as_a_wanted_one(old: Path, tmp_path: Path) -> None:
    new = written(tmp_path / "new", SHUT.removeprefix("\n---"))
    seen = tmp_path / "seen.yaml"
    seen.write_text(LISTED)

    assert cli.main(["whatif", str(new), "--against", str(old)]) == ExitCode.OK
    assert cli.main(["whatif", str(new), "--against", str(old), "--seen", str(seen)]) == 1


def test_folder_with_pods_takes_the_place_and_a_missing_policy_opens(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = written(tmp_path / "new", PODS)

    assert cli.main(["whatif", str(new), "--against", str(old)]) == ExitCode.OK
    assert "opens:" in capsys.readouterr().out
    assert cli.main(["whatif", str(new), "--against", str(old), "--over", "-q"]) == ExitCode.OK
    assert "Both states behave alike" in capsys.readouterr().out


def test_policy_that_selects_nobody_is_no_quiet_success(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SHUT.removeprefix("\n---").replace("{app: api}", "{app: apy}")
    text = text.replace("name: api", "name: x")
    new = written(tmp_path / "new", text)

    assert cli.main(["whatif", str(new), "--against", str(old)]) == ExitCode.OK
    assert "note: shop/x selects no pod that was read" in capsys.readouterr().out


def test_document_is_valid_by_its_schema(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = written(tmp_path / "new", PODS)

    cli.main(["whatif", str(new), "--against", str(old), "--format", "json"])

    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema("whatif")).validate(document)
    assert {one["turn"] for one in document["changes"]} == {"opens"}
    assert document["equal"] is False


def test_list_that_cannot_be_read_is_a_wrong_command_line(old: Path) -> None:
    command = ["whatif", str(old), "--against", str(old), "--seen", "/nowhere/seen.yaml"]

    assert cli.main(command) == ExitCode.USAGE


BLOCK = POLICY.replace("[FROM]", "[{ipBlock: {cidr: 0.0.0.0/0}}]")


@pytest.mark.parametrize(
    ("turn", "code", "said"),
    [
        ((BLOCK, BLOCK), ExitCode.NO_VERDICT, "nobody can say that all seen flows pass"),
        ((BLOCK, SHUT), ExitCode.NO_VERDICT, "on Calico: passes -> does not pass"),
        ((SHUT, BLOCK), ExitCode.OK, "not pass -> not known; on Calico: does not pass -> passes"),
        ((SHUT, SHUT), ExitCode.OK, "is listed, and passes neither before nor after"),
    ],
    ids=["unknown-twice", "perhaps-closes", "perhaps-opens", "shut-twice"],
)
def test_unknown_is_no_good_news_for_a_seen_flow(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    turn: tuple[str, str],
    code: ExitCode,
    said: str,
) -> None:
    old = written(tmp_path / "old", PODS + turn[0])
    new = written(tmp_path / "new", PODS + turn[1])
    seen = tmp_path / "seen.yaml"
    seen.write_text(LISTED)

    assert cli.main(["whatif", str(new), "--against", str(old), "--seen", str(seen)]) == code
    assert said in capsys.readouterr().out


def test_rules_that_only_one_cni_enforces_are_a_change_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left_out = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{}], egress: []}
"""
    ruled = left_out.replace(
        "egress: []", "egress: [{to: [{podSelector: {matchLabels: {tier: none}}}]}]"
    )
    old, new = written(tmp_path / "old", PODS + left_out), written(tmp_path / "new", PODS + ruled)
    seen = tmp_path / "seen.yaml"
    seen.write_text(LISTED)

    command = ["whatif", str(new), "--against", str(old), "--seen", str(seen)]

    assert cli.main(command) == ExitCode.NO_VERDICT
    said = capsys.readouterr().out
    assert (
        "seen: shop/web -> shop/api: TCP 8080 (passes, before and after; on Cilium: passes -> "
        in said
    )
    assert "Both states behave alike" not in said


@pytest.mark.parametrize("how", ["--over", "--replace"])
def test_what_was_not_read_stays_unread_in_the_state_after(
    how: str, old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    above = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
    above += "metadata: {name: above}\nspec: {priority: 1}\n"
    (old / "above.yaml").write_text(above)
    new = written(tmp_path / "new", SHUT.removeprefix("\n---"))
    seen = tmp_path / "seen.yaml"
    seen.write_text(LISTED)
    command = ["whatif", str(new), "--against", str(old), "--seen", str(seen), how]

    assert cli.main(command) == ExitCode.NO_VERDICT
    assert "not known: AdminNetworkPolicy above" in capsys.readouterr().out
