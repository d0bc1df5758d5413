"""Until when a version is supported: the data has its sources, and nothing is guessed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import yaml

from harness.edge.cni.known import CNIS
from harness.edge.support import support_of
from harness.edge.support.dates import FILE

DAY = date(2026, 11, 26)
ENTRIES = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def told(program: str, version: str, today: date = DAY) -> str:
    found = support_of(program, version)
    return found.told(today) if found else ""


def test_a_version_that_has_ended_is_told_with_day_and_source() -> None:
    assert told("kubernetes", "v1.34.4") == (
        "The support of Kubernetes 1.34 ended on 2026-10-27 (https://kubernetes.io/releases/1.34/)."
    )
    assert "The support of Calico 3.30 ended on 2026-04-30 (" in told("calico", "v3.30.1")


def test_the_last_day_itself_is_still_supported() -> None:
    found = support_of("kubernetes", "1.37")

    assert found
    assert found.ends
    assert not found.ended(found.ends)
    assert found.ended(found.ends + timedelta(days=1))
    assert "Kubernetes 1.37 is supported until 2027-10-28" in told("kubernetes", "1.37")


def test_a_day_that_was_not_found_is_not_told_as_if_it_was() -> None:
    assert "Cilium 1.17 ended on 2026-09-15 or earlier" in told("cilium", "1.17.4")
    assert "Cilium 1.16 ended on 2026-09-15 or earlier" in told("cilium", "v1.16.1")
    assert "Cilium 1.15 ended on 2025-08-07 or earlier" in told("cilium", "v1.15.19")
    assert "Kubernetes 1.31 ended on 2026-06-28 or earlier" in told("kubernetes", "1.31")
    assert "no last day is published yet" in told("cilium", "v1.20.2")


@pytest.mark.parametrize(
    ("program", "version"),
    [("kubernetes", "v1.38.0"), ("flannel", "0.28.10"), ("kubernetes", ""), ("cilium", "main")],
)
def test_of_what_the_data_lacks_nothing_is_known(program: str, version: str) -> None:
    assert support_of(program, version) is None


def test_every_entry_says_who_says_so_and_when_somebody_looked() -> None:
    assert {"kubernetes", *CNIS} <= ENTRIES.keys()
    for entry in ENTRIES.values():
        assert entry.keys() - {"newest"} == {"title", "rule", "source", "checked", "lines"}
        assert isinstance(entry["checked"], date)
        for source in (
            entry["source"],
            *(f.get("source", "https://") for f in entry["lines"].values()),
        ):
            assert source.startswith("https://")
        for facts in entry["lines"].values():
            assert facts.keys() <= {"ends", "by", "source"}
            assert isinstance(facts.get("ends", DAY), date)


def test_the_newest_version_is_told_of_a_program_that_cannot_be_built_so_new() -> None:
    calico, cilium = support_of("calico", "v3.30.1"), support_of("cilium", "v1.20.2")

    assert calico
    assert cilium
    assert (calico.newest, cilium.newest) == ("v3.33.0", "")
    newest = support_of("calico", calico.newest)
    assert newest
    assert newest.ends is None
