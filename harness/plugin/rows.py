"""The rows among pytest's items: which rows are left out, and the prediction for each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.core.lab.documented import Row, Table
from harness.core.lab.profile import UNTOLD, reading_of
from harness.core.manifests.library import in_force, rolled_out
from harness.core.predict.scenario import Scenario
from harness.core.target import Blocked, Rollout
from harness.edge.cni import Cni
from harness.edge.cni.known import cni_of
from harness.edge.files.labs import phase_of
from harness.edge.files.library import load
from harness.errors import ContentError
from harness.plugin.options import lane_of
from harness.plugin.state import State, state_of


def row_of(item: pytest.Item) -> Row | None:
    """The row of a lab's test; None for another test with a parameter of the same name."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    row = params.get("row")
    return row if _table(item) is not None and isinstance(row, Row) else None


def tutorial_of(item: pytest.Item) -> str:
    """The tutorial of a lab's test."""
    table = _table(item)
    assert table is not None  # noqa: S101 - the item has a row
    return table.tutorial


def collect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the manifests of all collected rows and predict each row, before a cluster is touched.

    Rows of labs for another CNI are taken out of `items`.

    Raises:
        pytest.UsageError: a manifest or a table is wrong (the message has the file and line), or
            only labs for another CNI were asked for.
    """
    state = state_of(config)
    collected = [(item, row) for item in items if (row := row_of(item)) is not None]
    state.recorder.partial = _is_partial([item for item, _ in collected])
    # Without a cluster, each row is predicted for the CNI that its lab is for.
    any_cni = state.options.offline
    cni = lane_of(state.options).value
    others = {item for item, _ in collected if not any_cni and _cni(item) not in ("", cni.name)}
    if others and len(others) == len(items):
        raise pytest.UsageError(f"this lab needs --lab-cni={_cni(items[0])}: {items[0].path}")
    untold = [item for item, row in collected if not _cni(item) and _is_untold(row, cni)]
    config.hook.pytest_deselected(items=untold)
    others.update(untold)
    items[:] = [item for item in items if item not in others]
    for item, row in collected:
        if item not in others:
            _expect(config.rootpath, state, item, row)


def _expect(root: Path, state: State, item: pytest.Item, row: Row) -> None:
    tutorial, families = tutorial_of(item), lane_of(state.options).families
    try:
        profile = lane_of(state.options).value.profile
        if _cni(item) not in ("", profile.name):
            profile = cni_of(_cni(item)).profile
        row = row.on(profile)
        if tutorial not in state.libraries:
            state.libraries[tutorial] = load(root / "manifests" / tutorial, families)
        resources = in_force(state.libraries[tutorial], row.apply, where=row.where)
        if isinstance(row.target, Rollout):
            rolled_out(state.libraries[tutorial], row.target.manifest, where=row.where)
        prediction = Scenario(resources, families=families).predict(row.ask)
    except ContentError as error:
        raise pytest.UsageError(f"{error}\n  row:   {row.id} ({row.where})") from error
    item.callspec.params["row"] = row  # type: ignore[attr-defined]
    state.rows.setdefault(tutorial, []).append(row)
    state.recorder.expect(item.nodeid, tutorial, phase_of(item.path), row, prediction)


def _is_untold(row: Row, cni: Cni) -> bool:
    """Whether somebody else's CNI does not tell what the row needs.

    It follows a line that the profile does not tell, or it asks for the CNI's count of drops.
    """
    counted = cni.drops is not None or not isinstance(row.target, Blocked)
    return not counted or any(reading_of(line, cni.profile) == UNTOLD for line in row.lines if line)


def _is_partial(items: Sequence[pytest.Item]) -> bool:
    """Whether a row, or a whole phase, of the tutorials was left out."""
    modules = {item.path: _table(item) for item in items}
    counts = Counter(item.path for item in items)
    phases = {file for path in modules for file in path.parent.glob("test_*.py")}
    return bool(phases - modules.keys()) or any(
        table is not None and counts[path] < len(table.rows) for path, table in modules.items()
    )


def _table(item: pytest.Item) -> Table | None:
    table = getattr(getattr(getattr(item, "module", None), "OUTCOMES", None), "table", None)
    return table if isinstance(table, Table) else None


def _cni(item: pytest.Item) -> str:
    table = _table(item)
    return table.cni if table else ""
