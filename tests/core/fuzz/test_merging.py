"""The reports of shards add up to the report of the whole run, or are refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.fuzz.merging import merged
from harness.errors import ContentError


def part(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "policylab": "0.1",
        "lane": "calico on Kubernetes 1.37",
        "key": "calico",
        "cni": "calico",
        "kubernetes": "1.37",
        "variant": "",
        "seed": 1,
        "n": 200,
        "shard": {"number": number, "of": 2},
        "seconds": 10.0 * number,
        "cases": 3,
        "policies": 9,
        "agreed": 100,
        "open": 0,
        "no_verdict": 1,
        "disagreed": 0,
        "cells": 101,
        "in_force_ms": [20.0 + number],
        "late_seconds": 3.0,
        "late": [],
        "lost": [],
        "no_verdicts": [f"a flow of shard {number}"],
        "findings": [],
        **changes,
    }


def test_counts_add_up_and_the_longest_time_counts() -> None:
    found = merged({"b": part(2), "a": part(1)})

    assert (found["cases"], found["agreed"], found["cells"]) == (6, 200, 202)
    assert found["seconds"] == 20.0
    assert found["in_force_ms"] == [21.0, 22.0]
    assert found["no_verdicts"] == ["a flow of shard 1", "a flow of shard 2"]
    assert (found["shard"], found["missing"]) == (None, [])


def test_missing_shard_is_named_and_stays_missing_if_the_user_goes_on() -> None:
    with pytest.raises(ContentError, match="of 2 shards these are missing: 2"):
        merged({"a": part(1)})

    assert merged({"a": part(1)}, missing_ok=True)["missing"] == [2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 2}, "the seed differs"),
        ({"n": 100}, "the number of policies to draw differs"),
        ({"kubernetes": "1.36"}, "the version of Kubernetes differs"),
        ({"shard": {"number": 2, "of": 3}}, "the number of shards differs"),
        ({"shard": {"number": 1, "of": 2}}, "shard 1 of 2 is there twice"),
        ({"shard": None}, "not the report of a shard"),
    ],
)
def test_what_does_not_belong_together_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContentError, match=words):
        merged({"a": part(1), "b": part(2, **changes)})


def test_half_a_report_is_refused() -> None:
    half = {key: value for key, value in part(2).items() if key != "agreed"}

    with pytest.raises(ContentError, match="not the report of a shard"):
        merged({"a": part(1), "b": half})
