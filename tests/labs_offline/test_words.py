"""`labs/WORDS.md`: it is up to date, and every word of every table stands in it."""

from __future__ import annotations

from typing import get_args

import pytest

from harness.cli import main
from harness.core.lab.profile import LINES
from harness.core.lab.words import KINDS
from harness.core.outcome import MEANING, Outcome
from harness.core.target import FACTS, FORMS, Target, parse_target
from harness.edge.cni.known import PROFILES
from harness.edge.files.labs import HOME, load_shown
from harness.exitcode import ExitCode
from harness.report.words import UNWRITTEN, entries_of_labs, explain

PAGE = HOME / "WORDS.md"


def test_page_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """After a change: `policylab words > labs/WORDS.md`."""
    assert main(["words"]) == 0

    assert capsys.readouterr().out == PAGE.read_text(encoding="utf-8")


def test_every_outcome_that_a_table_may_use_is_explained() -> None:
    words = PAGE.read_text(encoding="utf-8")

    assert set(MEANING) == set(Outcome)
    assert all(f"| `{word}` | {MEANING[word]} |" in words for word in set(Outcome) - UNWRITTEN)


def test_every_kind_of_target_has_an_example_that_can_be_read() -> None:
    assert list(KINDS) == list(dict.fromkeys(form.partition("/")[0] for form in FORMS))

    read = [parse_target(kind.example, where=word) for word, kind in KINDS.items()]
    assert [str(target) for target in read] == [kind.example for kind in KINDS.values()]
    assert {type(target) for target in read} == set(get_args(Target))


def test_every_line_of_the_profile_is_asked_of_every_cni() -> None:
    for profile in PROFILES.values():
        assert set(profile.__slots__) == {"name", "kinds", "budgets", "variant", *LINES}


def test_every_fact_is_explained_with_what_its_row_needs() -> None:
    words = PAGE.read_text(encoding="utf-8")

    for name, fact in FACTS.items():
        form = "/".join(filter(None, ("fact", name, fact.ends)))
        measures = fact.measures.replace("|", r"\|")
        assert f"| `{form}` | {measures} | {fact.requirements} |" in words


def explained(word: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["explain", word]) == ExitCode.OK
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("timeout", f"timeout: an outcome {MEANING[Outcome.TIMEOUT]}"),
        ("`TIMEOUT`", f"timeout: an outcome {MEANING[Outcome.TIMEOUT]}"),
        ("blocked", KINDS["blocked"].does),
        ("pod/shop/db:6379", KINDS["pod"].does),
        ("policies", FACTS["policies"].measures),
        ("cni:denied", LINES["denied"]),
        (
            "denied",
            "calico: timeout; calico-kp-iptables: timeout; calico-dual: timeout; calico-ipv6: ",
        ),
        ("tutorial says", "the outcome that the tutorial documents"),
        ("ours", "policylab added it"),
        ("not checked", "the status of a row"),
        ("boundary-no-name", "an erratum of lab12-zero-trust the tutorial says: curl"),
    ],
)
def test_command_explains_one_word(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in explained(word, capsys)


def test_every_row_and_every_erratum_is_explained_by_its_id() -> None:
    labs = load_shown()
    known = entries_of_labs(labs)

    for shown in labs.values():
        for each in shown:
            said = [line for entry in explain(each.row.id, known) for line in entry.lines]
            assert f"why: {each.row.why}" in said
            if erratum := each.row.erratum:
                said = [line for entry in explain(erratum.id, known) for line in entry.lines]
                assert f"but: {erratum.why}" in said


@pytest.mark.parametrize(
    ("word", "said"), [("timout", "did you mean `timeout`"), ("xyzzy", "policylab words")]
)
def test_unknown_word_is_bad_usage_and_the_nearest_words_are_named(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", word]) == ExitCode.USAGE
    assert said in capsys.readouterr().err
