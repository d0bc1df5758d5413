"""What the oracle says of the cases, without a cluster: it must agree with every line of each."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.conformance.case import Case, Said, State
from harness.core.conformance.placing import Place, policies, workloads
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import Scenario
from harness.core.target.family import FAMILIES, IPV4, Families, Family
from harness.errors import ContentError, HarnessError
from harness.listing import few

READINGS: Mapping[Said, Reading | None] = {
    Said.ALLOW: Reading(Outcome.CONNECTED),
    Said.DENY: Reading(Outcome.TIMEOUT),
    Said.UNDEFINED: None,
}
"""What a client must see where a case says so; None where any answer is as good."""

NOWHERE = Place(0)
NODE: Mapping[Family, str] = {Family.IPV4: "172.18.0.2", Family.IPV6: "fc00::2"}
"""The address of the node on which all pods are."""

SHOWN = 3
"""Flows that a message names."""


def disagreements(case: Case, families: Families = IPV4) -> list[str]:
    """The flows about which the oracle says something else than the case, one sentence each.

    The pods have made-up addresses of these families.
    """
    return [
        f"{case.name}{f', when {state.does}' if state.does else ''}: {line}"
        for state in case.states
        for line in _disagreements(state, families)
    ]


def check(case: Case, *, where: str) -> None:
    """Hold a case against the oracle: each state must be one that the API takes.

    A case may be about one family of addresses alone.

    Raises:
        ContentError: the oracle contradicts it, or an object is wrong; `where` is its file.
    """
    found: list[str] = []
    try:
        for families in FAMILIES.values():
            wrong = disagreements(case, families)
            if not wrong:
                return
            found = found or wrong
    except HarnessError as error:
        seen = f"{error.what}: {error.seen}".removesuffix(": ")
        what = "an object of this case is not as the API takes it"
        raise ContentError(what, where=where, seen=seen, try_=error.try_) from error
    raise ContentError(
        "the case and the oracle say different things, so one of them is wrong",
        where=where,
        seen=few(found, SHOWN, "; "),
        try_="flows pass that no line of `expect` speaks of, and of several lines the last one "
        "counts; the address of a pod is written {red/a}",
    )


def scenario(state: State, families: Families = IPV4) -> Scenario:
    """A state with made-up addresses, all in one network of /24 (/64) for each namespace."""
    keys = list(state.cast.pods)
    spaces = list(state.cast.namespaces)
    addresses = {
        key: tuple(
            NODE[family]
            if state.cast.pods[key].host_network
            else _address(family, spaces.index(key.partition("/")[0]) + 1, number)
            for family in families
        )
        for number, key in enumerate(keys, 2)
    }
    placed = [
        {f"{NOWHERE.prefix}-{key}": found[n] for key, found in addresses.items()}
        for n in range(len(families))
    ]
    objects = (*workloads(state.cast, NOWHERE), *policies(state, NOWHERE, addresses))
    return Scenario(
        objects, placed[0], families=families, other_ips=placed[1] if placed[1:] else None
    )


def _address(family: Family, network: int, number: int) -> str:
    return (
        f"10.244.{network}.{number}"
        if family is Family.IPV4
        else f"fd00:10:244:{network}::{number:x}"
    )


def _disagreements(state: State, families: Families) -> list[str]:
    found = scenario(state, families)
    wrong = []
    for ask, said in state.expected.items():
        predicted = found.predict(NOWHERE.ask(ask))
        if predicted.reading != READINGS[said]:
            wrong.append(f"{ask} is {said}, and the oracle says {_words(predicted.reading)}")
    return wrong


def _words(reading: Reading | None) -> str:
    return "undefined" if reading is None else str(reading)
