"""Rules that are too wide at their own side, where the other side shuts the flow.

Such a rule changes no flow, so that it is no wrong flow and no row speaks of it. Whether it costs
points is the assignment's choice (`least_privilege`). It is found by prediction in every mode, for
a cluster cannot show it.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.grading.model import Submission, Want
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import policies_of
from harness.core.model import Direction, NetworkPolicy
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.predict.enforced import policies_as_enforced

Part = tuple[NetworkPolicy, Direction, int]


def too_wide(world: World, submission: Submission, profile: CniProfile) -> list[str]:
    """The rules that let a flow pass at one side that must be closed, each in a sentence."""
    found: dict[Part, str] = {}
    for part, flow in _parts(world, submission, profile):
        found.setdefault(part, flow)
    return [
        f"{policy} ({direction.lower()}, rule {number}) is wider than what is wanted: at its own "
        f"side it lets {flow} pass"
        for (policy, direction, number), flow in found.items()
    ]


def _parts(world: World, submission: Submission, profile: CniProfile) -> Iterator[tuple[Part, str]]:
    policies = policies_as_enforced(policies_of(submission.resources), profile)
    rows = world.rows()
    closed = world.closed(policies, rows)
    oracle: Oracle = closed.oracles[0]
    wants = {row.id: row.want for row in world.assignment.rows}
    for source in closed.ends:
        for target in closed.ends:
            for port in closed.ports(target):
                flow = closed.flow(0, source, target, port)
                if flow is None or oracle.verdict(flow) is not Verdict.DENY:
                    continue
                ids = rows.of(source, target, port)
                if (wants[ids[0]] if ids else world.assignment.rest.want) is not Want.CLOSED:
                    continue
                decision = oracle.decide(flow)
                for side in (decision.egress, decision.ingress):
                    for policy, number in side.allowed_by:
                        yield (policy, side.direction, number), str(flow)
