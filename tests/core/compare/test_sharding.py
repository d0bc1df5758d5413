from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.compare.sharding import Shard, parse_shard, ranges, shard_of
from harness.errors import ContentError


@given(st.text(max_size=30), st.integers(1, 50))
def test_a_student_is_in_exactly_one_shard(student: str, of: int) -> None:
    assert [n for n in range(1, of + 1) if Shard(n, of).has(student)] == [shard_of(student, of)]


def test_shards_are_the_same_on_every_machine_and_of_nearly_one_size() -> None:
    names = [f"student-{n}" for n in range(400)]
    sizes = [sum(Shard(n, 4).has(name) for name in names) for n in range(1, 5)]

    assert [shard_of(name, 4) for name in ("alice", "bob", "carol", "dora")] == [4, 3, 3, 1]
    assert all(70 < size < 130 for size in sizes)


def test_a_shard_is_written_as_it_is_read() -> None:
    assert f"{parse_shard('2/4')}" == "2/4"


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/0", "-1/4", "1/20000", "a/b", "1/2/3"])
def test_what_is_no_shard_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ContentError) as error:
        parse_shard(text)

    assert "--shard 2/4" in error.value.try_


def test_numbers_are_told_in_few_words() -> None:
    assert ranges([5, 3, 1, 4]) == "1, 3 to 5"
