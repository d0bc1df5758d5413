"""Policies on the live cluster: where they block a flow, and which unwanted flows they allow."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.lab.documented import Row
from harness.core.manifests.library import namespaces_of
from harness.core.manifests.networkpolicy import network_policy
from harness.core.model import Direction, NetworkPolicy
from harness.core.observation import Observation
from harness.core.policy.diagnosis import dropped
from harness.core.policy.privilege import every_flow, flows_reading, privilege_of
from harness.core.probe.attempts import POLL
from harness.core.probe.judge import passes
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.edge.api.livenames import LivePod
from harness.edge.cni.drops import DropCounter, Drops
from harness.edge.cni.known import COUNTED
from harness.edge.machine.wait import NotYet
from harness.edge.probe.flows import ask_of
from harness.edge.stage.bench import Bench
from harness.errors import ProbeError
from harness.listing import few

SHOWN = 6


def blocked(bench: Bench, row: Row, end: PodPort) -> Observation:
    """The end at which the CNI counts the flow's packets as dropped, and the policies there.

    The probe and the counters are two witnesses: if they disagree, there is no verdict.
    """
    ask = Ask(row.source, end)
    names = bench.prober.names
    ends = {Direction.EGRESS: names.live(row.source), Direction.INGRESS: names.live(end.pod)}
    if bench.drops is None:
        raise ProbeError(
            "nobody here can read what this cluster's CNI drops",
            where=row.where,
            try_=f"--lab-cni={'|'.join(COUNTED)}",
        )
    pods = tuple(ends.values())
    before = bench.drops.read(pods)
    seen = bench.observer.read([ask], POLL)[ask].unwrap()
    through = passes(seen)
    grown, after = _grown(bench, bench.drops, ends, before, seen)
    where = [direction for direction in Direction if grown[direction] > 0]
    told_by = ", ".join(f"{direction.lower()} +{count}" for direction, count in grown.items())
    if through == bool(where) or len(where) > 1:
        raise ProbeError(
            "the probe and the CNI's counters disagree, so there is no verdict",
            where=row.where,
            seen=f"the flow {'passes' if through else 'is silent'}; packets dropped: {told_by}",
        )
    direction = where[0] if where else None
    policies = after[ends[direction], direction].policies if direction else ()
    return Observation(
        dropped(direction, (name.rpartition("/")[2] for name in policies)),
        notes=(f"packets that policies dropped during one probe, by the CNI: {told_by}",),
        evidence={"dropped": {d.value: count for d, count in grown.items()}},
    )


def _grown(
    bench: Bench,
    drops: DropCounter,
    ends: Mapping[Direction, LivePod],
    before: Drops,
    seen: Observation,
) -> tuple[dict[Direction, int], Drops]:
    """How many of the probe's packets were dropped at each end, once the numbers stop growing.

    A CNI counts late, so the counters may still grow for the packets of an earlier probe. Where the
    CNI counts by port, this probe's packets are known by the ports that they came from.
    """
    ports = {attempt.port for attempt in seen.attempts}
    silent = not passes(seen)
    last: dict[Direction, int] = {}

    def check() -> tuple[dict[Direction, int], Drops]:
        nonlocal last
        after = drops.read(tuple(ends.values()))
        found = {d: after[pod, d].since(before[pod, d], ports) for d, pod in ends.items()}
        earlier, last = last, found
        if earlier != found:
            raise NotYet(f"the counters still grow: {found}")
        if silent and not any(found.values()):
            raise NotYet("no packet of the probe was counted, though it got no answer")
        return found, after

    what = "the CNI's counters of dropped packets stop growing"
    return bench.kube.wait(what, check, seconds=bench.patience.at_rest)


def unused_rules(bench: Bench, row: Row) -> Observation:
    """The rules, peers and ports of the policies on the cluster that no wanted flow needs."""
    scenario = bench.stage.told(bench.stage.resources(row.apply))
    wanted = scenario.audit.wanted
    found = privilege_of(scenario.topology, _live_policies(bench, row), wanted)
    return Observation(found.unused_reading, evidence={"wanted": len(wanted)})


def wanted_against_allowed(bench: Bench, row: Row) -> Observation:
    """How many unwanted flows pass, and how many wanted flows do not, when every flow is tried."""
    scenario = bench.stage.told(bench.stage.resources(row.apply))
    wanted = scenario.audit.wanted
    listed = set(wanted)
    tried = {ask: f for f in (*wanted, *every_flow(scenario.topology)) if (ask := ask_of(f))}
    found = bench.observer.read(list(tried))
    through = {ask for ask in tried if passes(found[ask].unwrap())}
    unwanted = {a: f for a, f in tried.items() if a in through and f not in listed}
    missing = {a: f for a, f in tried.items() if a not in through and f in listed}
    notes = [f"{len(tried)} flows tried"]
    for word, group in (("unwanted", unwanted), ("missing", missing)):
        if group:
            notes.append(f"{word}: {few(group, SHOWN)}")
    evidence = {
        "unwanted": [str(ask) for ask in unwanted],
        "missing": [str(ask) for ask in missing],
    }
    reading = flows_reading(unwanted.values(), missing.values())
    return Observation(reading, notes=tuple(notes), evidence=evidence)


def _live_policies(bench: Bench, row: Row) -> list[NetworkPolicy]:
    """The policies as the cluster holds them, whatever the manifests say."""
    spaces = namespaces_of({"row": bench.stage.resources(row.apply)})
    return [
        network_policy(body, f"the cluster's {body['metadata']['name']}")
        for space in spaces
        for body in bench.kube.list("networking.k8s.io/v1", "NetworkPolicy", space)
    ]
