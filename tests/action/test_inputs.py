"""The inputs of the action: what is refused before a command begins, and what is no command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.job import Job

CHECK = {"command": "check", "assignment": "lab12", "path": "policies"}
LABS = {"command": "labs"}
CONFORMANCE = {"command": "conformance", "context": "kind-kind"}
GRADE = {"command": "grade", "assignment": "lab12", "path": "submissions"}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job.begin(tmp_path)


def refused(job: Job, inputs: dict[str, str]) -> str:
    """What a refusal says; no command was begun."""
    code, said = job.run(**inputs)

    assert code == 2, said
    assert said.startswith("::error title=policylab::")
    assert job.outputs == {"exit-code": "2"}
    assert job.commands == []
    return said.partition("policylab::")[2].strip()


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "the input command is one of labs, conformance, grade and check"),
        ({"command": "lint"}, "the input command is one of labs, conformance, grade and check"),
        ({"command": "conformance"}, "conformance needs the input context"),
        ({"command": "grade", "path": "in"}, "grade needs the input assignment"),
        ({"command": "check", "assignment": "lab12"}, "check needs the input path"),
    ],
)
def test_missing_input_is_refused_in_words(job: Job, inputs: dict[str, str], words: str) -> None:
    assert refused(job, inputs) == words


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({**CONFORMANCE, "path": "cases"}, "conformance has no use for the input path"),
        ({**CONFORMANCE, "k8s": "1.37"}, "conformance has no use for the input k8s"),
        ({**CHECK, "context": "mine"}, "check has no use for the input context"),
        ({**CHECK, "predict": "true"}, "check has no use for the input predict"),
        ({**GRADE, "images": "build"}, "grade has no use for the input images"),
        ({**LABS, "assignment": "lab12"}, "labs has no use for the input assignment"),
        (
            {**LABS, "context": "mine", "k8s": "1.36"},
            "labs with a context has no use for the input k8s",
        ),
        (
            {**GRADE, "context": "mine", "predict": "true"},
            "grade with predict has no use for the input context",
        ),
    ],
)
def test_input_that_would_not_be_read_is_refused(
    job: Job, inputs: dict[str, str], words: str
) -> None:
    assert refused(job, inputs) == words


@pytest.mark.parametrize("name", ["path", "assignment", "cni"])
def test_name_that_would_be_an_option_is_refused(job: Job, name: str) -> None:
    # With `--help`, the command would end with 0, and nothing would be checked.
    said = refused(job, {**CHECK, name: "--help"})

    assert said == f"the input {name} begins with a dash; the file -x is ./-x"


@pytest.mark.parametrize("more", ["\nexit-code=0", "\n", "\rx"])
@pytest.mark.parametrize("name", ["path", "out"])
def test_line_break_in_a_name_is_refused(job: Job, name: str, more: str) -> None:
    assert (
        refused(job, {**CHECK, name: f"here{more}"}) == f"the input {name} has more than one line"
    )


@pytest.mark.parametrize("word", ["yes", "True", "1"])
def test_other_words_for_predict_are_refused(job: Job, word: str) -> None:
    # Such a word would else mean that a cluster is asked.
    assert refused(job, {**GRADE, "predict": word}) == "the input predict is true or false"


@pytest.mark.parametrize("out", ["/tmp/x", "../x", "a/../../x", ".."])
def test_results_stay_below_the_workspace(job: Job, out: str) -> None:
    assert refused(job, {**CHECK, "out": out}) == "the input out is a folder below the workspace"


def test_folder_that_cannot_be_made_is_refused(job: Job) -> None:
    (job.workspace / "file").touch()

    code, said = job.run(**CHECK, out="file/results")

    assert code == 2
    assert "::error title=policylab::the folder of the input out cannot be made" in said
    assert job.outputs == {"exit-code": "2"}


def test_no_text_of_an_input_is_a_command(job: Job) -> None:
    evil = '$(touch hit) `touch hit` "; touch hit; * ' + "'"

    job.run(command="check", assignment=evil, path=f"{evil}/p", cni=evil, args=f"{evil}\n{evil}")

    [[_, _, *arguments]] = job.commands
    assert arguments == ["check", evil, f"{evil}/p", "--cni", evil, evil, evil]
    assert not list(job.folder.rglob("hit"))


def test_results_may_have_blanks_in_their_name(job: Job) -> None:
    job.run(**GRADE, predict="true", out="my results")

    assert job.outputs["results"] == f"{job.workspace}/my results"
    assert (job.workspace / "my results" / "output.txt").is_file()
