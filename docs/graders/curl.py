"""A grader of the usual kind for lab12: a request that fails was blocked. Do not use it.

    python docs/graders/curl.py DIR             with kubectl, on the cluster of its current context
    python docs/graders/curl.py --predict DIR   with policylab's oracle in place of the cluster

A request fails for many reasons: a pod that is not there, no listener, no curl, a slow image. Here
each of them is "blocked". What it does not ask, it does not see.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

# From, to, port, and whether the task wants it open.
REQUESTS = (
    ("frontend-zone/web-server", "secure-zone/payment-api", 80, True),
    ("secure-zone/payment-api", "secure-zone/secure-db", 6379, True),
    ("frontend-zone/web-server", "secure-zone/secure-db", 6379, False),
    ("frontend-zone/dns-test", "secure-zone/payment-api", 80, False),
    ("frontend-zone/dns-test", "secure-zone/secure-db", 6379, False),
    ("secure-zone/payment-api", "frontend-zone/web-server", 80, False),
    ("secure-zone/secure-db", "secure-zone/payment-api", 80, False),
)
SETTLE_SECONDS = 5
Passes = Callable[[str, str, int], bool]


def kubectl(*words: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl, whatever comes of it."""
    return subprocess.run(["kubectl", *words], capture_output=True, text=True, check=False)


def sent(source: str, target: str, port: int) -> bool:
    """Whether curl in a pod reaches another one."""
    namespace, name = target.split("/")
    where = ("get", "pod", "-n", namespace, name, "-o", "jsonpath={.status.podIP}")
    address = kubectl(*where).stdout
    namespace, name = source.split("/")
    words = ("curl", "-s", "-m", "2", "--http0.9", "-o", "/dev/null", f"http://{address}:{port}")
    return kubectl("exec", "-n", namespace, name, "--", *words).returncode == 0


def predicted(folder: Path) -> Passes:
    """The same by the oracle: a request passes if policies let it and somebody listens there."""
    from harness.core.manifests.library import in_force
    from harness.core.manifests.reader import File, policies_of, read_files
    from harness.core.outcome import Verdict
    from harness.core.policy.oracle import Oracle
    from harness.core.predict.scenario import Scenario
    from harness.core.target.ask import Flow
    from harness.edge.cni.known import CNIS
    from harness.edge.grading.assignments import load_assignment

    loaded = read_files([File(path.name, path.read_bytes()) for path in folder.iterdir()])
    policies = policies_of(in_force(loaded, list(loaded)))
    topology = Scenario(load_assignment("lab12", CNIS).workloads).topology
    oracle = Oracle(topology, policies)

    def passes(source: str, target: str, port: int) -> bool:
        pods = topology.pods
        listens = port in {own.number for own in pods[target].ports}
        return listens and oracle.verdict(Flow(pods[source], pods[target], port)) is Verdict.ALLOW

    return passes


def live(folder: Path) -> tuple[int, list[str]]:
    """Apply the files, send the requests, and take the files away again."""
    if kubectl("apply", "-f", str(folder)).returncode:
        return 1, ["the policies cannot be applied"]
    try:
        time.sleep(SETTLE_SECONDS)
        return graded(sent)
    finally:
        kubectl("delete", "-f", str(folder), "--ignore-not-found")


def graded(passes: Passes) -> tuple[int, list[str]]:
    """The exit code, and the requests that went wrong."""
    odd = [f"{a} to {b}:{port}" for a, b, port, open_ in REQUESTS if passes(a, b, port) != open_]
    return int(bool(odd)), odd or ["every request is as it should be"]


if __name__ == "__main__":
    place = Path(sys.argv[-1])
    code, said = graded(predicted(place)) if "--predict" in sys.argv else live(place)
    print("; ".join(said))
    raise SystemExit(code)
