"""The function that measures each fact of `harness.core.target.FACTS`, and each `Measured` target.

A measurement takes the bench, the row, and the ends that the row's cell names, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from harness.core.lab.documented import Row
from harness.core.observation import Observation
from harness.core.target import (
    UNUSED_RULES,
    WANTED_AGAINST_ALLOWED,
    Blocked,
    Fact,
    Measured,
    Questions,
    ResolverOption,
    Rollout,
)
from harness.edge.facts.audits import blocked, unused_rules, wanted_against_allowed
from harness.edge.facts.commands import COMMANDS, run_command
from harness.edge.facts.deployments import crash, last_words, ready
from harness.edge.facts.lookups import lookup_time, questions, questions_saved, resolver_option
from harness.edge.facts.names import (
    name_server_fails,
    new_address_asked,
    new_address_unasked,
    web_server_refuses,
)
from harness.edge.facts.policies import (
    client_address,
    established_connection,
    name_label,
    policies,
    takes_effect,
    unrestarted,
)
from harness.edge.stage.bench import Bench
from harness.edge.stage.rollback import roll_out

MEASUREMENTS: Mapping[str, Callable[..., Observation]] = {
    "policies": policies,
    "name-label": name_label,
    "unrestarted": unrestarted,
    "client-address": client_address,
    "takes-effect": takes_effect,
    "established-connection": established_connection,
    "lookup-time": lookup_time,
    "questions-saved": questions_saved,
    "crash": crash,
    "last-words": last_words,
    "ready": ready,
    "new-address-unasked": new_address_unasked,
    "new-address-asked": new_address_asked,
    "name-server-fails": name_server_fails,
    "web-server-refuses": web_server_refuses,
    UNUSED_RULES: unused_rules,
    WANTED_AGAINST_ALLOWED: wanted_against_allowed,
    **{name: partial(run_command, name=name) for name in COMMANDS},
}
"""Each fact's measurement; a test compares its parameters with the fact's ends."""


def measure(bench: Bench, row: Row, target: Measured) -> Observation:
    """Measure what the row's target stands for.

    Raises:
        HarnessError: there is no verdict; which fault it is depends on the measurement.
    """
    match target:
        case Fact(name, ends):
            return MEASUREMENTS[name](bench, row, *ends)
        case Blocked(end):
            return blocked(bench, row, end)
        case Rollout(manifest):
            return roll_out(bench.stage, bench.kube, row.apply, manifest)
        case Questions(name):
            return questions(bench, row, name)
        case ResolverOption(name):
            return resolver_option(bench, row, name)
