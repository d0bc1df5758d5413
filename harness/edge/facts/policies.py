"""Facts about policies that no single flow shows: what the API server stores, and when it acts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harness.core.lab.documented import Row
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.reader import pods_of
from harness.core.model import Protocol
from harness.core.observation import Observation
from harness.core.outcome import SILENT, Outcome, Reading
from harness.core.policy.selectors import NAME_LABEL
from harness.core.predict.settle import candidates, flips
from harness.core.probe.attempts import POLL
from harness.core.probe.spread import Spread
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.facts.logs import logged_since
from harness.edge.machine.wait import NotYet, wait_for
from harness.edge.stage.bench import Bench
from harness.edge.stage.settling import POLL_EVERY, Poll
from harness.errors import ProbeError

POLICY = "networking.k8s.io/v1", "NetworkPolicy"
TIMES = 5
"""How often the policies are applied again: once would be luck, not a measurement."""
HTTP = 80
ANSWERED = "answered"


def policies(bench: Bench, row: Row) -> Observation:
    """The policies of the client's namespace, each with the policyTypes that the API server keeps.

    It fills in what a manifest leaves out (API reference, NetworkPolicySpec.policyTypes).
    """
    found = bench.kube.list(*POLICY, row.source.namespace)
    kept = {body["metadata"]["name"]: body["spec"]["policyTypes"] for body in found}
    told = "; ".join(f"{name} ({', '.join(types)})" for name, types in sorted(kept.items()))
    return Observation(Reading(Outcome.SHOWS, told or "none"), evidence={"policies": kept})


def name_label(bench: Bench, row: Row) -> Observation:  # noqa: ARG001 - of the whole cluster
    """Whether every namespace has its own name as a label, which nobody put there (KEP-2161)."""
    names = {
        body["metadata"]["name"]: body["metadata"].get("labels", {}).get(NAME_LABEL, "")
        for body in bench.kube.list("v1", "Namespace")
    }
    without = sorted(name for name, label in names.items() if label != name)
    word = f"not on {', '.join(without)}" if without else "on every namespace"
    return Observation(Reading(Outcome.SHOWS, word), evidence={"labels": names})


def unrestarted(bench: Bench, row: Row) -> Observation:
    """Whether the pods of the client's namespace are older than its policies, without restarts."""
    found = bench.kube.list(*POLICY, row.source.namespace)
    if not found:
        return Observation(Reading(Outcome.SHOWS, "no policy"))
    applied = min(body["metadata"]["creationTimestamp"] for body in found)
    statuses = {
        body["metadata"]["name"]: body["status"]["containerStatuses"][0]
        for body in bench.kube.list("v1", "Pod", row.source.namespace)
    }
    restarts = sum(status["restartCount"] for status in statuses.values())
    # The API writes times as RFC 3339 in UTC and whole seconds: they can be compared as texts.
    started = {name: s["state"]["running"]["startedAt"] for name, s in statuses.items()}
    age = "older" if max(started.values()) <= applied else "younger"
    return Observation(
        Reading(Outcome.SHOWS, f"pods {age} than the policies, {restarts} restarts"),
        evidence={"started": started, "applied": applied},
    )


def client_address(bench: Bench, row: Row) -> Observation:
    """Whether the web servers log the client's own address, which nothing has translated."""
    servers = [
        pod.ref
        for resource in bench.stage.resources(row.apply)
        for pod in pods_of(resource)
        if any(port.number == HTTP for port in pod.ports)
    ]
    since = bench.kube.clock.now()
    seen = bench.observer.read(
        [Ask(row.source, PodPort(ref, HTTP, Protocol.TCP)) for ref in servers if ref != row.source]
    )
    for ask, answer in seen.items():
        if answer.unwrap().reading.outcome is not Outcome.CONNECTED:
            raise ProbeError(
                "a web server was not reached, so its log cannot name the client", where=str(ask)
            )
    own = list(bench.addresses.pod(row.source).values())

    def logged() -> dict[str, list[str]]:
        found = {str(ref): _clients(bench, ref, since) for ref in servers if ref != row.source}
        if silent := [ref for ref, clients in found.items() if not clients]:
            raise NotYet(f"nothing is logged yet by {', '.join(silent)}")
        return found

    found = bench.kube.wait("the web servers log the requests", logged, seconds=bench.patience.log)
    same = all(clients == sorted(own) for clients in found.values())
    return Observation(
        Reading(Outcome.SHOWS, "the client's own address" if same else "another address"),
        evidence={"own": ", ".join(own), "logged": found},
    )


def _clients(bench: Bench, server: PodRef, since: datetime) -> list[str]:
    """The addresses of the clients whose HEAD requests the server logged."""
    name = bench.addresses.host_name(server)
    lines = logged_since(bench.kube, server.namespace, name, since)
    words = (line.split() for _, line in lines if "HEAD /" in line)
    # In the same round the server asked itself, as the control of the probe.
    return sorted({found[0] for found in words} - set(bench.addresses.pod(server).values()))


def established_connection(bench: Bench, row: Row, server: PodPort) -> Observation:
    """Whether a connection that was open when the row's policies came still answers.

    Raises:
        ProbeError: the connection does not answer before the policies are there.
    """
    bench.stage.enter(row.apply, policies=False)
    address = next(iter(bench.addresses.pod(server.pod).values()))
    with bench.replayer.hold(row.source, address, server.port) as held:
        before = held.ask()
        if before != ANSWERED:
            raise ProbeError("the open connection does not answer", where=row.where, seen=before)
        bench.stage.enter(row.apply)
        after = held.ask()
    note = f"after the policies were in force: {after}"
    word = "kept" if after == ANSWERED else "cut"
    return Observation(Reading(Outcome.SHOWS, word), notes=(note,), evidence={"after": after})


def takes_effect(bench: Bench, row: Row) -> Observation:
    """Whether new connections were still made after the API server had accepted the policies.

    The policies are removed and applied again, `TIMES` times. One connection that is made after the
    API server's answer, and is closed later, refutes "at once".

    Raises:
        ProbeError: the run applies no policies, or none of the policies closes a connection.
    """
    if not bench.stage.keeps_policies:
        raise ProbeError("this run applies no policies", try_="--lab-policies=apply")
    resources = bench.stage.resources(row.apply)
    bodies = [r.body for r in resources if r.kind in POLICY_KINDS]
    opened = bench.stage.told(r for r in resources if r.kind not in POLICY_KINDS)
    closed = bench.stage.told(resources)
    asks = candidates(closed, bench.stage.pods.known, internet=False)
    silenced = flips(opened, closed, asks)
    flow = next((ask for ask in silenced if _is_web(ask)), None)
    if flow is None:
        raise ProbeError("no policy of this state closes a connection", where=row.where)
    clock = bench.kube.clock
    with bench.stage.disturbed():
        last = [_last_passed(bench, flow, bodies) for _ in range(TIMES)]
        # The next row must find the state of its step again.
        back = Poll(bench.observer, silenced, clock=clock.monotonic)
        wait_for("the policies are back", back, seconds=bench.patience.settle, clock=clock)
    late = [ms for ms in last if ms is not None]
    note = f"{len(late)} of {TIMES} times a new connection was still made after the API's answer"
    spread = Spread.of(late) if late else None
    return Observation(
        Reading(Outcome.SHOWS, "connections made later" if late else "no connection made later"),
        notes=(note, f"the last one began {spread} after it") if spread else (note,),
        evidence={"spread": {"last connection": spread.as_evidence()}} if spread else {},
    )


def _is_web(ask: Ask) -> bool:
    return isinstance(ask.target, PodPort) and ask.target.port == HTTP


def _last_passed(bench: Bench, flow: Ask, bodies: list[Mapping[str, Any]]) -> float | None:
    """When the last connection began that was made, in ms after the API server's answer."""
    clock = bench.kube.clock
    for body in bodies:
        bench.kube.delete(body)

    def passes() -> None:
        if _outcome(bench, flow) is not Outcome.CONNECTED:
            raise NotYet(f"{flow} still gets no answer")

    wait_for(
        "the flow is open again",
        passes,
        seconds=bench.patience.settle,
        every=POLL_EVERY,
        clock=clock,
    )
    for body in bodies:
        bench.kube.apply(bench.stage.pods.as_applied(dict(body)))
    answered = clock.monotonic()
    last: float | None = None

    while (began := clock.monotonic()) < answered + bench.patience.settle:
        if _outcome(bench, flow) in SILENT:
            return last
        last = round((began - answered) * 1000, 1)
    raise ProbeError(
        f"the policies did not close the flow within {bench.patience.settle:g} s",
        where=str(flow),
    )


def _outcome(bench: Bench, flow: Ask) -> Outcome:
    return bench.observer.read([flow], POLL)[flow].unwrap().reading.outcome
