"""What judging files costs: 500 pods and 200 policies, from the text of files to the answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure, timed
from harness.core.compare.change import change_of
from harness.core.compare.reach import reach_of
from harness.core.compare.surplus import proposal, surplus_of
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import State, closed_world
from harness.core.lint.linting import lint
from harness.core.manifests.library import in_force
from harness.core.manifests.reader import File, policies_of, read_files, topology_of
from harness.core.manifests.wanted.flows import parse_wishes
from harness.core.predict.scenario import Scenario
from harness.core.predict.walk import walk
from harness.core.target import parse_source, parse_target
from harness.edge.cni.known import PROFILES
from harness.report.compare.privilege import proposal_text

WORKLOADS, REPLICAS, POLICIES, SPACES = 50, 10, 200, 10
TARGET = 3.0
"""Seconds, with the reading of the files."""
_WANTED = '- {from: "space-0/*", to: "pod/space-0/*:8000"}'


def judging() -> Iterator[Figure]:
    """A figure for each verb that judges all flows of a folder."""
    data = "---\n".join(_documents()).encode()

    def state() -> State:
        resources = [r for found in read_files([File("bench.yaml", data)]).values() for r in found]
        return State(topology_of(resources), policies_of(resources))

    def matrix() -> None:
        reach_of(closed_world([state()], strangers=False, profiles=PROFILES.values()))

    def whatif() -> None:
        before = state()
        after = State(before.topology, before.policies[1:])
        change_of(before, after, Wishes({}), PROFILES.values())

    def privilege() -> None:
        found = state()
        wishes = parse_wishes(_WANTED, found.topology, origin="wanted.yaml")
        surplus_of(found, Wishes({"wanted": wishes}))

    proposed = proposal_text(proposal(state()), "bench.yaml")

    def privilege_of_a_proposed_list() -> None:
        found = state()
        wishes = parse_wishes(proposed, found.topology, origin="wanted.yaml")
        surplus_of(found, Wishes({"wanted": wishes}))

    def explain() -> None:
        files = read_files([File("bench.yaml", data)])
        scenario = Scenario(in_force(files, sorted(files)), files=files)
        ends = "space-0/app-0-1", "pod/space-1/app-1-1:8001"
        source, target = parse_source(ends[0], where=""), parse_target(ends[1], where="")
        walk(scenario, source, target, PROFILES.values())

    def lint_() -> None:
        files = read_files([File("bench.yaml", data)])
        lint(in_force(files, sorted(files)), tuple(PROFILES.values()), (), files)

    verbs: tuple[Callable[[], None], ...] = (
        matrix,
        whatif,
        privilege,
        privilege_of_a_proposed_list,
        explain,
        lint_,
    )
    for verb in verbs:
        said = verb.__name__.strip("_").replace("_", " ")
        name = f"{said}: {WORKLOADS * REPLICAS} pods, {POLICIES} policies"
        yield timed(name, verb, target=TARGET)


def _documents() -> Iterator[str]:
    pick = random.Random(1)  # noqa: S311 - the same files in every run
    for number in range(SPACES):
        yield f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: space-{number}}}\n"
    for number in range(WORKLOADS):
        yield f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, namespace: space-{number % SPACES}}}
spec:
  replicas: {REPLICAS}
  selector: {{matchLabels: {{app: app-{number}}}}}
  template:
    metadata: {{labels: {{app: app-{number}, tier: tier-{number % 3}}}}}
    spec: {{containers: [{{name: c, image: x, ports: [{{containerPort: {8000 + number % 5}}}]}}]}}
"""
    for number in range(POLICIES):
        one, other = pick.randrange(WORKLOADS), pick.randrange(WORKLOADS)
        yield f"""apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: policy-{number}, namespace: space-{one % SPACES}}}
spec:
  podSelector: {{matchLabels: {{app: app-{one}}}}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: app-{other}}}}}}}]
      ports: [{{port: {8000 + number % 5}}}]
  egress:
    - to: [{{podSelector: {{matchLabels: {{tier: tier-{number % 3}}}}}}}]
"""
