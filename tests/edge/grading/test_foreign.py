from __future__ import annotations

import pytest

from harness.core.grading.mutation.trial import Answer
from harness.edge.grading.foreign import foreign, said_of
from harness.edge.machine.bounded import Bounded
from harness.errors import ContentError


def _said(code: int = 0, out: bytes = b"", *, in_time: bool = True) -> Answer:
    return said_of(Bounded(code, out, b"", in_time, cut=False, seconds=1.0)).answer


@pytest.mark.parametrize(
    ("code", "out", "answer"),
    [
        (0, b"", Answer.RIGHT),
        (0, b"all is well", Answer.RIGHT),
        (1, b"", Answer.WRONG),
        (3, b"FAIL", Answer.WRONG),
        (127, b"", Answer.NONE),
        (-9, b"", Answer.NONE),
        (1, b'{"score": 10, "max_score": 10}', Answer.RIGHT),
        (0, b'{"score": 9.5, "max_score": 10}\n', Answer.WRONG),
        (
            0,
            b'{"tests": [{"score": 1, "max_score": 1}, {"score": 0, "max_score": 1}]}',
            Answer.WRONG,
        ),
        (0, b'{"tests": [{"score": 1, "max_score": 1}]}', Answer.RIGHT),
        (0, b'{"tests": []}', Answer.NONE),
        (0, b'{"score": true, "max_score": 1}', Answer.NONE),
        (0, b'{"score": "1", "max_score": "1"}', Answer.NONE),
        (0, b'{"score": 1}', Answer.NONE),
        (0, b'{"score": NaN, "max_score": 1}', Answer.NONE),
        (0, b"{not json", Answer.NONE),
        (0, b'{"a":' * 5_000, Answer.NONE),
    ],
)
def test_the_end_of_a_command_is_an_answer_or_none(code: int, out: bytes, answer: Answer) -> None:
    assert _said(code, out) is answer


def test_a_command_that_was_ended_at_its_deadline_gave_no_answer() -> None:
    assert _said(0, in_time=False) is Answer.NONE


def test_a_command_is_words_and_no_line_of_a_shell() -> None:
    found = foreign("sh -c 'exit 1; echo {dir}' --to={dir}", 5)

    assert found.words == ("sh", "-c", "exit 1; echo {dir}", "--to={dir}")


@pytest.mark.parametrize("command", ["verify.sh", "{dir}", "", "verify.sh '{dir}"])
def test_a_command_without_a_place_for_the_folder_is_refused(command: str) -> None:
    with pytest.raises(ContentError):
        foreign(command, 5)


def test_a_deadline_is_some_seconds() -> None:
    with pytest.raises(ContentError, match="seconds"):
        foreign("verify.sh {dir}", 0)
