"""What the oracle says of the cases, without a cluster: it must agree with every line of each."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.conformance.case import Case, Said, State
from harness.core.conformance.placing import Place, policies, workloads
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import Scenario

READINGS: Mapping[Said, Reading | None] = {
    Said.ALLOW: Reading(Outcome.CONNECTED),
    Said.DENY: Reading(Outcome.TIMEOUT),
    Said.UNDEFINED: None,
}
"""What a client must see where a case says so; None where any answer is as good."""

NOWHERE = Place(0)
NODE = "172.18.0.2"


def disagreements(case: Case) -> list[str]:
    """The flows about which the oracle says something else than the case, one sentence each."""
    return [
        f"{case.name}{f', when {state.does}' if state.does else ''}: {line}"
        for state in case.states
        for line in _disagreements(state)
    ]


def scenario(state: State) -> Scenario:
    """A state with made-up addresses, all in one network of /24 for each namespace."""
    keys = list(state.cast.pods)
    spaces = list(state.cast.namespaces)
    addresses = {
        key: NODE
        if state.cast.pods[key].host_network
        else f"10.244.{spaces.index(key.partition('/')[0]) + 1}.{number}"
        for number, key in enumerate(keys, 2)
    }
    placed = {f"{NOWHERE.prefix}-{key}": ip for key, ip in addresses.items()}
    objects = (*workloads(state.cast, NOWHERE), *policies(state, NOWHERE, addresses))
    return Scenario(objects, placed)


def _disagreements(state: State) -> list[str]:
    found = scenario(state)
    wrong = []
    for ask, said in state.expected.items():
        predicted = found.predict(NOWHERE.ask(ask))
        if predicted.reading != READINGS[said]:
            wrong.append(f"{ask} is {said}, and the oracle says {_words(predicted.reading)}")
    return wrong


def _words(reading: Reading | None) -> str:
    return "undefined" if reading is None else str(reading)
