"""Rolls out a change of policy, watches the flows, and rolls back if the watch finds trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from harness.core.manifests.reader import Resource
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading
from harness.core.policy.privilege import every_flow
from harness.core.predict.scenario import Scenario
from harness.core.probe.attempts import POLL
from harness.core.probe.judge import passes
from harness.core.probe.rollback import Look, Trouble, noticed, over, resolution, window
from harness.core.target.ask import Ask
from harness.edge.api.kube import Kube
from harness.edge.machine.clock import Clock
from harness.edge.machine.wait import NotYet, wait_for
from harness.edge.probe.flows import ask_of
from harness.edge.probe.observe import Reader
from harness.edge.stage.settling import POLL_EVERY
from harness.edge.stage.stage import Stage
from harness.errors import NotSettled
from harness.listing import few

SHOWN = 4


@dataclass(slots=True)
class Watch:
    """Looks at the flows that must pass and at those that must not, one look after another."""

    observer: Reader
    wanted: Sequence[Ask]
    unwanted: Sequence[Ask]
    clock: Clock
    looks: list[Look] = field(default_factory=list)

    def look(self) -> None:
        """Ask every flow once.

        Raises:
            ProbeError: there is no verdict for a flow.
        """
        began = self.clock.monotonic()
        found = self.observer.read([*self.wanted, *self.unwanted], POLL)
        ended = self.clock.monotonic()
        closed = frozenset(str(ask) for ask in self.wanted if not _is(found[ask].unwrap(), True))
        opened = frozenset(str(ask) for ask in self.unwanted if not _is(found[ask].unwrap(), False))
        self.looks.append(Look(began, ended, closed, opened))

    def until_good(self, seconds: float) -> None:
        """Look until several looks running show no trouble.

        Raises:
            NotSettled: they do not within `seconds`.
        """
        since = len(self.looks)

        def check() -> None:
            self.look()
            if not over(self.looks[since:]):
                raise NotYet(_state(self.looks[-1]))

        wait_for("nothing is amiss", check, seconds=seconds, every=POLL_EVERY, clock=self.clock)

    def until_trouble(self, seconds: float) -> dict[Trouble, frozenset[str]]:
        """Look until several looks running show the same trouble; nothing if none comes in time."""

        def check() -> dict[Trouble, frozenset[str]]:
            self.look()
            if not (found := noticed(self.looks)):
                raise NotYet(_state(self.looks[-1]))
            return found

        try:
            return wait_for(
                "there is trouble", check, seconds=seconds, every=POLL_EVERY, clock=self.clock
            )
        except NotSettled:
            return {}


def roll_out(stage: Stage, kube: Kube, good: Sequence[str], manifest: str) -> Observation:
    """Roll a manifest of policies out over a good state, watch it, and roll back at trouble.

    The cluster is in the good state afterwards; if that fails, the stage applies everything again.

    Raises:
        ContentError: the manifest has more than policies.
        ManifestError: the state has no list of wanted flows.
        ProbeError: a flow gives no verdict.
        NotSettled: the state is not good to begin with, or does not come back before its deadline.
    """
    watch = _watch(stage, stage.enter(good).scenario, kube.clock)
    forth = stage.rolled_out(manifest)
    last_good = {resource.key: resource for resource in stage.resources(good)}
    watch.until_good(stage.patience)
    with stage.disturbed():
        marks = {"began": kube.clock.monotonic()}
        try:
            for resource in forth:
                kube.apply(resource.body)
            found = watch.until_trouble(stage.patience)
            marks["noticed"] = kube.clock.monotonic()
        finally:
            for resource in forth:
                _put_back(kube, resource, last_good.get(resource.key))
        marks["rolled_back"] = kube.clock.monotonic()
        watch.until_good(stage.patience)
    return _observation(watch, found, marks)


def _is(seen: Observation, open_: bool) -> bool:
    """Whether the flow is open, or shut, over every family: a change may reach one before another.

    Raises:
        ProbeError: there is no verdict.
    """
    return seen.reading.outcome is not Outcome.FAMILIES_DIFFER and passes(seen) is open_


def _put_back(kube: Kube, tried: Resource, good: Resource | None) -> None:
    if good is None:
        kube.delete(tried.body)
    else:
        kube.apply(good.body)


def _watch(stage: Stage, scenario: Scenario, clock: Clock) -> Watch:
    wanted = {ask: None for flow in scenario.audit.wanted if (ask := ask_of(flow))}
    others = {ask: None for flow in every_flow(scenario.topology) if (ask := ask_of(flow))}
    return Watch(stage.observer, list(wanted), [ask for ask in others if ask not in wanted], clock)


def _observation(
    watch: Watch, found: dict[Trouble, frozenset[str]], marks: dict[str, float]
) -> Observation:
    windows = {kind: window(watch.looks, kind) for kind in Trouble}
    steps = {name: round((at - marks["began"]) * 1000, 1) for name, at in marks.items()}
    notes = [
        f"{kind} of {few(sorted(flows), SHOWN)}: {windows[kind]}" for kind, flows in found.items()
    ]
    notes.append(
        f"noticed {steps['noticed']:.0f} ms after the change began, rolled back by "
        f"{steps['rolled_back']:.0f} ms; one look at {len(watch.wanted)} wanted and "
        f"{len(watch.unwanted)} unwanted flows every {resolution(watch.looks):.0f} ms at most"
    )
    trouble = " and ".join(found) or "no trouble"
    evidence = {
        "windows_ms": {kind.value: asdict(w) if w else None for kind, w in windows.items()},
        "steps_ms": steps,
        "resolution_ms": resolution(watch.looks),
        "looks": len(watch.looks),
        "flows": {kind.value: sorted(flows) for kind, flows in found.items()},
    }
    reading = Reading(Outcome.SHOWS, f"{trouble}, restored")
    return Observation(reading, notes=tuple(notes), evidence=evidence)


def _state(look: Look) -> str:
    return f"{len(look.closed)} wanted flows silent, {len(look.opened)} unwanted ones pass"
