"""The reader takes what the API server takes, and refuses what it refuses, with words that help."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.core.manifests.reader import parse
from harness.errors import ManifestError
from tests.core.manifests.cases import Case, cases

CASES = list(cases())


def test_the_corpus_is_large_and_every_case_is_distinct() -> None:
    counted = Counter(case.list for case in CASES)

    assert counted["accepted"] >= 300
    assert counted["refused"] >= 150
    assert len({case.text for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case.read], ids=lambda case: case.id)
def test_what_the_server_takes_is_read(case: Case) -> None:
    assert parse(case.text, origin=case.id), case.text


@pytest.mark.parametrize("case", [case for case in CASES if not case.read], ids=lambda c: c.id)
def test_what_is_refused_is_refused_with_its_line_and_the_reason(case: Case) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(case.text, origin="f.yaml")

    assert case.fault in str(caught.value), case.text
    assert "f.yaml:" in str(caught.value)
