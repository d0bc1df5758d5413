"""Facts about a Deployment that has no prober: how its container crashed, or that it is ready."""

from __future__ import annotations

from typing import Any

from harness.core.lab.documented import Row
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodRef
from harness.edge.machine.wait import NotYet
from harness.edge.stage.bench import Bench
from harness.errors import ClusterNotReady, ProbeError

FATAL = ("[FATAL]", "[PANIC]", "panic")
"""How the last line of a Go program begins that gives up."""


def last_words(bench: Bench, row: Row) -> Observation:
    """The first three words of a crashed container's last line; the rest changes with every run."""

    def look() -> tuple[str, str]:
        # Between the look at the status and the look at the log, the kubelet may start the
        # container again; what was its log is then the previous one.
        pod, status = _crashed(bench, row.source)
        ended = "terminated" in status["state"]
        try:
            log = bench.kube.logs(row.source.namespace, pod, previous=not ended)
        except ClusterNotReady as error:  # a container that just starts again has no log yet
            raise NotYet(error.seen or error.what) from error
        fatal = [each for each in log.splitlines() if each.startswith(FATAL)]
        if not fatal:
            raise NotYet(f"{pod}: {log[-500:].strip() or 'an empty log'}")
        return fatal[-1], log

    line, log = bench.kube.wait(
        f"the log of {row.source} has its last words", look, seconds=bench.patience.deployment
    )
    words = " ".join(line.split()[:3])
    return Observation(Reading(Outcome.SHOWS, words), notes=(line,), evidence={"log": log[-4000:]})


def crash(bench: Bench, row: Row) -> Observation:
    """The exit code with which the container crashed."""
    _, status = _crashed(bench, row.source)
    ended = status["state"].get("terminated") or status["lastState"]["terminated"]
    return Observation(
        Reading(Outcome.SHOWS, f"exit code {ended['exitCode']}"), evidence={"terminated": ended}
    )


def ready(bench: Bench, row: Row) -> Observation:
    """Whether the Deployment's newest pod is available, and how often it had to restart."""

    def check() -> dict[str, Any]:
        body = _deployment(bench, row.source)
        status = body.get("status", {})
        current = status.get("observedGeneration") == body["metadata"].get("generation")
        counts = {
            key: status.get(key, 0) for key in ("updatedReplicas", "availableReplicas", "replicas")
        }
        if not current or set(counts.values()) != {body["spec"]["replicas"]}:
            raise NotYet(f"{counts}, generation observed: {current}")
        return counts

    counts = bench.kube.wait(f"{row.source} is available", check, seconds=bench.patience.deployment)
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

    return bench.kube.wait(
        f"{deployment} has crashed at least once", check, seconds=bench.patience.deployment
    )


def _deployment(bench: Bench, deployment: PodRef) -> dict[str, Any]:
    body = bench.kube.get("apps/v1", "Deployment", deployment.name, deployment.namespace)
    if body is None:
        raise ProbeError(f"the cluster has no Deployment {deployment}", where=bench.kube.where)
    return body


def _pods(bench: Bench, deployment: PodRef) -> list[dict[str, Any]]:
    """The pods that the Deployment's own selector matches."""
    labels = _deployment(bench, deployment)["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    return bench.kube.list("v1", "Pod", deployment.namespace, selector=selector)
