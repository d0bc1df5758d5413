"""Every lab against the oracle, without a cluster: this is where a wrong tutorial is found."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from harness.core.lab.documented import Row
from harness.core.lab.profile import LINES
from harness.core.manifests.library import Library, in_force
from harness.core.predict.scenario import Prediction, Scenario
from harness.core.predict.settle import candidates, flips
from harness.edge.cni.known import PROFILES
from harness.edge.files.labs import HOME, load_table
from harness.edge.files.library import load

ROOT = Path(__file__).parents[2]
LABS = sorted(HOME.glob("*/test_*.py"))


table = cache(load_table)


@cache
def library(tutorial: str) -> Library:
    return load(ROOT / "manifests" / tutorial)


def scenario(tutorial: str, apply: tuple[str, ...]) -> Scenario:
    return Scenario(in_force(library(tutorial), apply))


def predict(tutorial: str, row: Row) -> Prediction:
    return scenario(tutorial, row.apply).predict(row.ask)


ROWS = {
    f"{cni}-{path.parent.name}-{path.stem[5:]}-{row.id}": (path, row.on(profile))
    for path in LABS
    for row in table(path).rows
    for cni, profile in PROFILES.items()
    # A row that is the same on every CNI is checked once.
    if table(path).cni in ("", cni) and (any(row.lines) or cni == list(PROFILES)[-1])
    # Where the semantics say nothing, there is nothing to compare.
    if predict(table(path).tutorial, row).reading is not None
}
JUDGED = {name: each for name, each in ROWS.items() if not any(each[1].lines)}
"""Without the rows that say what one CNI does, which need not be what the semantics say."""
REFUTED = {name: each for name, each in ROWS.items() if each[1].erratum}


@pytest.mark.parametrize(("path", "row"), JUDGED.values(), ids=JUDGED)
def test_row_says_what_the_semantics_say(path: Path, row: Row) -> None:
    predicted = predict(table(path).tutorial, row).reading

    assert predicted is not None
    assert predicted.satisfies(row.outcome), f"{row.where}: {row.why}"


@pytest.mark.parametrize(("path", "row"), REFUTED.values(), ids=REFUTED)
def test_erratum_is_needed(path: Path, row: Row) -> None:
    """Under an erratum the semantics must contradict the tutorial."""
    predicted = predict(table(path).tutorial, row).reading

    assert predicted is not None
    assert not predicted.satisfies(row.documented)


@pytest.mark.parametrize("tutorial", sorted({table(path).tutorial for path in LABS}))
def test_every_manifest_is_used(tutorial: str) -> None:
    used = {
        name
        for path in LABS
        if table(path).tutorial == tutorial
        for row in table(path).rows
        for name in row.apply
    }

    assert set(library(tutorial)) == used


@pytest.mark.parametrize("path", LABS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_lab_and_its_manifests_share_a_number(path: Path) -> None:
    """A phase introduces the manifests of its own number, or only re-uses earlier ones."""
    number = path.stem.split("_")[1]
    names = {name for row in table(path).rows for name in row.apply}

    assert max(name[:2] for name in names) <= number


def test_each_denial_has_a_flow_that_shows_when_it_is_in_force() -> None:
    """Entering a step with policies flips at least one flow, so that nobody has to sleep."""
    workloads = scenario("lab12-zero-trust", ("01-workloads",))
    denied = scenario("lab12-zero-trust", ("01-workloads", "02-default-deny"))
    pods = [p.ref for p in denied.topology.pods.values() if p.namespace != "kube-system"]

    changed = flips(workloads, denied, candidates(denied, pods))

    assert len(changed) > 10
    assert all(reading.outcome in ("timeout", "dns_timeout") for reading in changed.values())


def test_every_line_of_the_cni_profile_is_shown_by_a_row() -> None:
    shown = {line for path in LABS for row in table(path).rows for line in row.lines if line}

    assert shown == set(LINES)
