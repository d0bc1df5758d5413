"""A step of rows on the cluster: what breaks for one row is not the other rows' fault."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from harness.core.lab.documented import parse_table
from harness.core.outcome import Outcome, Reading
from harness.edge.play import Play
from harness.errors import ProbeError
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import lab, library_of

BASE = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
""" + "".join(
    f"""---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop}}
spec: {{containers: [{{name: c, image: nginx, ports: [{{containerPort: 80}}]}}]}}
"""
    for name in ("web", "api")
)
TABLE = """
step a: base

| from     | to              | tutorial says            | why |
|----------|-----------------|--------------------------|-----|
| shop/web | pod/shop/api:80 | connected                | why |
| shop/web | fact/policies   | shows none               | why |
| shop/web | fact/name-label | shows on every namespace | why |
"""
FLOW, BROKEN, GOOD = parse_table(TABLE, source="t#1").rows


class Breaks(FakeCluster):
    """Lists no policies: it raises the fault or, without a fault, shows a body without a spec."""

    def __init__(self, fault: Exception | None) -> None:
        super().__init__()
        self.fault = fault

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, selector: str = ""
    ) -> list[dict[str, Any]]:
        if kind != "NetworkPolicy":
            return super().list(api_version, kind, namespace, selector=selector)
        if self.fault:
            raise self.fault
        return [{"metadata": {}}]


def played(fault: Exception | None) -> Play:
    made = lab(library_of({"base": BASE}), Breaks(fault))
    play = Play(made.stage, made.bench.replayer, made.bench, (FLOW, BROKEN, GOOD))
    play.run(Event())
    return play


@pytest.mark.parametrize("fault", [ProbeError("no answer"), KeyError("spec")])
def test_one_fact_that_breaks_leaves_the_other_rows_their_verdicts(fault: Exception) -> None:
    play = played(fault)

    assert play.observe(FLOW).reading == Reading(Outcome.CONNECTED)
    assert play.observe(GOOD).reading == Reading(Outcome.SHOWS, "on every namespace")
    with pytest.raises(ProbeError) as caught:
        play.observe(BROKEN)
    assert str(fault) in str(caught.value)


def test_fault_of_a_measurement_itself_names_the_row_and_keeps_its_cause() -> None:
    with pytest.raises(ProbeError, match="the measurement of `fact/policies` broke") as caught:
        played(None).observe(BROKEN)

    assert caught.value.where == BROKEN.where
    assert isinstance(caught.value.__cause__, KeyError)
