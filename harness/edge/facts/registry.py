"""What is not a flow: counts, times, options and the last words of a program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.core.dns.wire import parse_query_log
from harness.core.lab.documented import Row
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import count_of
from harness.core.spread import Spread
from harness.core.target import PodRef, Questions, ResolverOption
from harness.edge.facts.commands import COMMANDS, run_command
from harness.edge.facts.names import (
    name_server_fails,
    new_address_asked,
    new_address_unasked,
    web_server_refuses,
)
from harness.edge.facts.policies import (
    client_address,
    name_label,
    policies,
    takes_effect,
    unrestarted,
)
from harness.edge.machine.wait import NotYet
from harness.edge.stage.bench import Bench
from harness.errors import ProbeError

LOG_SECONDS = 5.0
LOG_WINDOW = 20
CRASH_SECONDS = 60.0
REPEAT = 40
NAME = "google.com"
PERCENT = 100
SERVER = "server"
HTTP_PORT = 80
ANSWERED = "answered"


def resolver_option(bench: Bench, row: Row) -> Observation:
    """The option as the pod's own resolv.conf has it."""
    assert isinstance(row.target, ResolverOption)  # noqa: S101 - FACTS is keyed by the type
    conf = bench.observer.resolv_conf(row.source)
    shown = conf.option(row.target.name) or f"no {row.target.name}"
    evidence = {
        "nameservers": list(conf.nameservers),
        "search": list(conf.search),
        "options": list(conf.options),
    }
    return Observation(Reading(Outcome.SHOWS, shown), evidence=evidence)


def questions(bench: Bench, row: Row) -> Observation:
    """The A questions that CoreDNS really received for one `nslookup` in the pod, from its log."""
    assert isinstance(row.target, Questions)  # noqa: S101 - FACTS is keyed by the type
    asked, transcript = _asked(bench, row.source, row.target.name)
    addresses = [q for q in asked if q["type"] == "A"]
    return Observation(
        Reading(Outcome.SHOWS, count_of(len(addresses))),
        transcripts=(transcript,),
        notes=tuple(f"{q['type']} {q['name']}: {q['rcode']}" for q in asked),
        evidence={"questions": asked},
    )


def questions_saved(bench: Bench, row: Row) -> Observation:
    """How much of the name server's work the trailing dot saves, in percent of the questions."""
    counts = []
    for name in (NAME, f"{NAME}."):
        asked, _ = _asked(bench, row.source, name)
        counts.append(sum(q["type"] == "A" for q in asked))
    without, with_dot = counts
    saved = round((without - with_dot) / without * PERCENT)
    note = f"{without} questions without the dot, {with_dot} with it"
    return Observation(
        Reading(Outcome.SHOWS, f"{saved} % fewer questions"),
        notes=(note,),
        evidence={"counts": counts},
    )


def lookup_time(bench: Bench, row: Row) -> Observation:
    """Whether the trailing dot is faster by the clock: medians of the C library's lookups."""
    bench.addresses.allow_question(NAME)
    taken = bench.prober.time_lookups(row.source, [NAME, f"{NAME}."], repeat=REPEAT)
    plain, dotted = Spread.of(taken[NAME]), Spread.of(taken[f"{NAME}."])
    word = "faster" if dotted.median < plain.median else "not faster"
    note = f"without the dot {plain}; with it {dotted}; {plain.median / dotted.median:.1f} times"
    return Observation(
        Reading(Outcome.SHOWS, word),
        notes=(note,),
        evidence={
            "spread": {NAME: plain.as_evidence(), f"{NAME}.": dotted.as_evidence()},
            "ms": taken,
        },
    )


def last_words(bench: Bench, row: Row) -> Observation:
    """The last line of a crashed container, up to the part that changes from run to run."""
    pod, status = _crashed(bench, row.source)
    log = bench.kube.logs(row.source.namespace, pod, previous=_restarted(status))
    fatal = [line for line in log.splitlines() if line.startswith(("[FATAL]", "[PANIC]", "panic"))]
    if not fatal:
        raise ProbeError(
            "the log has no last words", where=f"{row.source.namespace}/{pod}", seen=log[-500:]
        )
    words = " ".join(fatal[-1].split()[:3])
    return Observation(
        Reading(Outcome.SHOWS, words), notes=(fatal[-1],), evidence={"log": log[-4000:]}
    )


def crash(bench: Bench, row: Row) -> Observation:
    """That the container ended, and with which exit code."""
    _, status = _crashed(bench, row.source)
    ended = status["state"].get("terminated") or status["lastState"]["terminated"]
    return Observation(
        Reading(Outcome.SHOWS, f"exit code {ended['exitCode']}"), evidence={"terminated": ended}
    )


def ready(bench: Bench, row: Row) -> Observation:
    """That the Deployment's newest pod is available, and how often it had to restart."""

    def check() -> dict[str, Any]:
        body = bench.kube.get("apps/v1", "Deployment", row.source.name, row.source.namespace) or {}
        status = body.get("status", {})
        current = status.get("observedGeneration") == body.get("metadata", {}).get("generation")
        counts = {
            key: status.get(key, 0) for key in ("updatedReplicas", "availableReplicas", "replicas")
        }
        if not current or set(counts.values()) != {body["spec"]["replicas"]}:
            raise NotYet(f"{counts}, generation observed: {current}")
        return counts

    counts = bench.kube.wait(f"{row.source} is available", check, seconds=CRASH_SECONDS)
    restarts = [
        status["restartCount"]
        for body in _pods(bench, row.source)
        if "deletionTimestamp" not in body["metadata"]
        for status in body["status"]["containerStatuses"]
    ]
    return Observation(
        Reading(Outcome.SHOWS, f"ready after {sum(restarts)} restarts"),
        evidence={"replicas": counts},
    )


def established_connection(bench: Bench, row: Row) -> Observation:
    """Whether a connection that was open when the row's policies came still answers.

    The server is the one pod beside the client that listens on port 80. The connection must answer
    before the policies are there; else there is no verdict.
    """
    bench.stage.enter(row.apply, policies=False)
    server = PodRef(row.source.namespace, SERVER)
    with bench.replayer.hold(row.source, bench.addresses.pod(server), HTTP_PORT) as held:
        before = held.ask()
        if before != ANSWERED:
            raise ProbeError("the open connection does not answer", where=row.where, seen=before)
        bench.stage.enter(row.apply)
        after = held.ask()
    note = f"after the policies were in force: {after}"
    word = "kept" if after == ANSWERED else "cut"
    return Observation(Reading(Outcome.SHOWS, word), notes=(note,), evidence={"after": after})


def _command(name: str, bench: Bench, row: Row) -> Observation:
    return run_command(bench.replayer, row, name)


FACTS: dict[str, Callable[[Bench, Row], Observation]] = {
    "resolveroption": resolver_option,
    "questions": questions,
    "questions-saved": questions_saved,
    "lookup-time": lookup_time,
    "last-words": last_words,
    "crash": crash,
    "ready": ready,
    "established-connection": established_connection,
    "policies": policies,
    "name-label": name_label,
    "unrestarted": unrestarted,
    "client-address": client_address,
    "takes-effect": takes_effect,
    "new-address-unasked": new_address_unasked,
    "new-address-asked": new_address_asked,
    "name-server-fails": name_server_fails,
    "web-server-refuses": web_server_refuses,
    **{name: partial(_command, name) for name in COMMANDS},
}


def _asked(bench: Bench, pod: PodRef, name: str) -> tuple[list[dict[str, str]], Any]:
    """Run `nslookup NAME` in the pod and return what CoreDNS logged of that pod meanwhile."""
    bench.addresses.allow_question(name)
    began = bench.kube.clock.now()
    transcript = bench.replayer.run(pod, ["nslookup", name])
    address = bench.addresses.pod(pod)
    last = f"{name.rstrip('.')}."
    since = began.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def logged() -> list[dict[str, str]]:
        found = _logged(bench, since, address, name.rstrip("."))
        if not any(q["name"] == last and q["type"] == "AAAA" for q in found):
            raise NotYet(
                f"CoreDNS logged {len(found)} questions of {address}, not yet the last one"
            )
        return found

    asked = bench.kube.wait(
        f"CoreDNS logs the questions of {pod}",
        logged,
        seconds=LOG_SECONDS,
        try_="the cluster's CoreDNS needs its `log` plugin: clusters made by policylab have it",
    )
    return asked, transcript


def _logged(bench: Bench, since: str, address: str, name: str) -> list[dict[str, str]]:
    """What all CoreDNS pods logged of that client and name from `since` on, in order of time."""
    found = []
    for body in bench.kube.list("v1", "Pod", "kube-system", selector="k8s-app=kube-dns"):
        log = bench.kube.logs(
            "kube-system", body["metadata"]["name"], since_seconds=LOG_WINDOW, timestamps=True
        )
        for stamped in log.splitlines():
            stamp, _, line = stamped.partition(" ")
            entry = parse_query_log(line) if stamp >= since else None
            if entry and entry.client == address and entry.qname.startswith(f"{name}."):
                asked = {"name": entry.qname, "type": entry.qtype, "rcode": entry.rcode}
                found.append((stamp, asked))
    return [asked for _, asked in sorted(found, key=lambda pair: pair[0])]


def _pods(bench: Bench, deployment: PodRef) -> list[dict[str, Any]]:
    return bench.kube.list("v1", "Pod", deployment.namespace, selector=f"app={deployment.name}")


def _restarted(status: dict[str, Any]) -> bool:
    return "terminated" not in status["state"]


def _crashed(bench: Bench, deployment: PodRef) -> tuple[str, dict[str, Any]]:
    def check() -> tuple[str, dict[str, Any]]:
        bodies = _pods(bench, deployment)
        for body in bodies:
            for status in body["status"].get("containerStatuses", []):
                if "terminated" in status.get("state", {}) or "terminated" in status.get(
                    "lastState", {}
                ):
                    return str(body["metadata"]["name"]), dict(status)
        raise NotYet(
            "; ".join(f"{b['metadata']['name']}: {b['status'].get('phase')}" for b in bodies)
            or "no pod"
        )

    return bench.kube.wait(f"{deployment} has crashed at least once", check, seconds=CRASH_SECONDS)
