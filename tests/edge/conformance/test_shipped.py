"""Folders of cases of somebody else's: what is wrong in them is said before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.edge.conformance.shipped import MAX_DEPTH, cases_in
from harness.errors import ContentError

OPEN = (
    "about: Nothing happens.\nsource: https://example.org/\nlevel: core\nfeatures: [ingress]\n"
    "topology: grid\n"
)
DENY = "policies: [{metadata: {namespace: red, name: p}, spec: {podSelector: {}}}]\n"


def put(home: Path, name: str, text: str = OPEN) -> Path:
    file = home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def fault(folder: Path) -> ContentError:
    with pytest.raises(ContentError) as caught:
        cases_in(folder)
    return caught.value


def test_a_folder_that_is_not_there_or_is_a_file_is_a_fault(tmp_path: Path) -> None:
    assert fault(tmp_path / "nowhere").what == "the folder of cases cannot be read"
    assert fault(put(tmp_path, "file.yaml")).seen == "Not a directory"


def test_a_folder_without_a_case_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path, "README.md")

    assert fault(tmp_path).what == "there is no case"


def test_a_case_is_named_as_its_file_whatever_its_suffix(tmp_path: Path) -> None:
    put(tmp_path, "group/one.yaml")
    put(tmp_path, "two.yml")

    assert [case.name for case in cases_in(tmp_path)] == ["group/one", "two"]


@pytest.mark.parametrize(("first", "second"), [("a.yaml", "a.yml"), ("a/b-c.yaml", "a-b/c.yaml")])
def test_two_cases_that_a_report_could_not_tell_apart_are_a_fault(
    first: str, second: str, tmp_path: Path
) -> None:
    put(tmp_path, first)
    put(tmp_path, second)

    assert "have one name, or one folder in a report" in fault(tmp_path).what


@pytest.mark.parametrize("name", ["made-up/1/case-1.yaml", "latency/closes.yaml", "a b.yaml"])
def test_a_name_that_is_no_name_of_a_case_is_a_fault(name: str, tmp_path: Path) -> None:
    file = put(tmp_path, name)

    found = fault(tmp_path)
    assert "cannot be the name of a case" in found.what
    assert found.where == str(file)


def test_a_mounted_config_map_has_each_case_once(tmp_path: Path) -> None:
    put(tmp_path, "..2026_11_27/own.yaml")
    (tmp_path / "..data").symlink_to("..2026_11_27")
    (tmp_path / "own.yaml").symlink_to("..data/own.yaml")

    assert [case.name for case in cases_in(tmp_path)] == ["own"]


def test_a_link_that_leads_back_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path, "a/own.yaml")
    (tmp_path / "a" / "back").symlink_to("..")

    assert f"more than {MAX_DEPTH} deep" in fault(tmp_path).what


def test_a_case_that_the_oracle_contradicts_is_a_fault(tmp_path: Path) -> None:
    file = put(tmp_path, "wrong.yaml", OPEN + DENY)

    found = fault(tmp_path)
    assert found.what == "the case and the oracle say different things, so one of them is wrong"
    assert found.where == str(file)
    assert "red/a -> pod/red/b:8080 is allow, and the oracle says timeout" in found.seen


def test_a_case_may_be_about_one_family_alone(tmp_path: Path) -> None:
    six = DENY.replace("{podSelector: {}}", "{podSelector: {}, ingress: [{from: [BLOCK]}]}")
    put(tmp_path, "six.yaml", OPEN + six.replace("BLOCK", '{ipBlock: {cidr: "fd00::/8"}}'))

    assert [case.name for case in cases_in(tmp_path)] == ["six"]


def test_an_object_that_the_api_would_refuse_is_a_fault_of_its_file(tmp_path: Path) -> None:
    file = put(tmp_path, "own.yaml", OPEN + DENY.replace("podSelector", "podSelectr"))

    found = fault(tmp_path)
    assert found.where == str(file)
    assert "NetworkPolicy red/p:1: spec.podSelectr is an unknown field" in found.seen
