"""The words of a test: `reach("shop/web").to("shop/db:6379").is_blocked()`, and when they hold.

They are the same on a cluster and offline; an `Asker` finds out how a flow is. Words that do not
hold raise AssertionError. Where there is no verdict they raise ProbeError: that is an error of the
test and never a pass, whatever the test says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from harness.errors import ContentError, HarnessError, ProbeError
from harness.listing import few
from harness.plugin.reach import unsaid

Answer = TypeVar("Answer")

SHOWN, EXPLAINED = 10, 1
"""Flows that a message names and that it explains; the pods of a workload have one explanation."""


class State(StrEnum):
    """How a flow is; of a name: whether a lookup finds an address.

    CLOSED: a client reaches the target's address and nobody listens on the port. It is neither open
    nor blocked by policy. DIFFERS: over one family of addresses it is otherwise than over the
    other. UNKNOWN: there is no verdict.
    """

    OPEN = "open"
    BLOCKED = "blocked"
    CLOSED = "reached, but nobody listens there"
    DIFFERS = "another one over IPv6 than over IPv4"
    RESOLVES = "resolved"
    FAILS = "not resolved"
    UNKNOWN = "without a verdict"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one flow.

    Attributes:
        flow: the flow as tables write it.
        state: how it is.
        why: what was seen or concluded, or why there is no verdict; it may have several lines.
        try_: what to do where there is no verdict; may be empty.
        more: says further what the policies make of the flow; it is asked of a wrong flow only.
    """

    flow: str
    state: State
    why: str = ""
    try_: str = ""
    more: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The flows that a sentence is about, and those of its control, from the same round."""

    flows: Sequence[Found]
    controls: Sequence[Found] = ()


class Asker(Protocol):
    """Finds out how flows are; every method may raise a `HarnessError` of any kind."""

    def flows(self, source: str, target: str, control: str) -> Asked:
        """The flow between two ends; several where an end is a workload of several pods.

        `control` is another client that must get through to the same target; empty for none.
        """
        ...

    def lookups(self, source: str, name: str, control: str) -> Asked:
        """The lookup of a name by a pod, or by each pod of a workload; `control` as above."""
        ...

    def matrix(self, file: Path, namespaces: Sequence[str]) -> Sequence[tuple[Found, State]]:
        """Each flow between pods that differs from a list of wanted flows, or has no verdict.

        The second value is how the list wants it.

        Raises:
            ContentError: the list or the namespaces leave nothing to compare.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class To:
    """A flow of which a test says something."""

    _asker: Asker
    _source: str
    _target: str

    def __post_init__(self) -> None:
        unsaid.named(self)

    def __str__(self) -> str:
        return f"{self._source} -> {self._target}"

    def is_open(self) -> Literal[True]:
        """Hold if the flow passes: on a cluster, if the target answered.

        Raises:
            AssertionError: it does not.
            ProbeError: there is no verdict.
        """
        __tracebackhide__ = True
        return hold((one, State.OPEN) for one in self._asked("").flows)

    def is_blocked(self, *, control: str = "") -> Literal[True]:
        """Hold if policies drop or reject the flow. A server that does not run blocks nothing.

        A pod's port is its own control: it must answer the pod itself. Anything else that is silent
        counts as blocked only where `control`, another client, gets through in the same round.

        Raises:
            AssertionError: it passes, or reaches a pod where nobody listens.
            ProbeError: there is no verdict, or the control does not get through.
        """
        __tracebackhide__ = True
        asked = self._asked(control)
        _must_pass(asked.controls, State.OPEN)
        return hold((one, State.BLOCKED) for one in asked.flows)

    def _asked(self, control: str) -> Asked:
        __tracebackhide__ = True
        unsaid.said(self)
        return asked(lambda: self._asker.flows(self._source, self._target, control))


@dataclass(frozen=True, slots=True)
class From:
    """A client of which a test says something."""

    _asker: Asker
    _source: str

    def to(self, target: str) -> To:
        """The flow to a target.

        `NAMESPACE/POD:PORT[/udp]`, `svc/NAMESPACE/NAME:PORT`, `name/HOST:PORT`, `net/ADDRESS:PORT`,
        or any other target that `policylab explain` takes. The name of a Deployment, StatefulSet or
        another workload stands for each of its pods.
        """
        return To(self._asker, self._source, target)

    def resolves(self, name: str) -> Literal[True]:
        """Hold if the client's lookup of the name finds an address.

        Raises:
            AssertionError: it finds none.
            ProbeError: there is no verdict.
        """
        __tracebackhide__ = True
        told = asked(lambda: self._asker.lookups(self._source, name, ""))
        return hold((one, State.RESOLVES) for one in told.flows)

    def does_not_resolve(self, name: str, *, control: str = "") -> Literal[True]:
        """Hold if the client's lookup of the name finds no address.

        A name server that is silent counts only where `control`, another client, gets an answer.

        Raises:
            AssertionError: it finds one.
            ProbeError: there is no verdict, or the control gets no answer.
        """
        __tracebackhide__ = True
        told = asked(lambda: self._asker.lookups(self._source, name, control))
        _must_pass(told.controls, State.RESOLVES)
        return hold((one, State.FAILS) for one in told.flows)


@dataclass(frozen=True, slots=True, repr=False)
class Flows:
    """The flows of a cluster, or of the policies in files: `flows(SOURCE)` begins a sentence."""

    _asker: Asker
    _home: Path

    def __call__(self, source: str) -> From:
        """The client: `NAMESPACE/POD`, `NAMESPACE/WORKLOAD`, offline also `net/ADDRESS`."""
        return From(self._asker, source)

    def matrix(self, wanted: str | Path, *, namespaces: Sequence[str] = ()) -> Literal[True]:
        """Hold if exactly the flows of a list pass between the pods of these namespaces.

        The list is the one of `policylab privilege --wanted`. Its path is relative to pytest's root
        folder. The ports are those that pods declare, and those that the list names. Without
        `namespaces`, they are the ones that the list names.

        Raises:
            AssertionError: a flow that the list has is blocked, or another one passes.
            ProbeError: nothing differs, and a flow has no verdict.
            ContentError: the list cannot be read.
        """
        __tracebackhide__ = True
        file = self._home / wanted
        return hold(asked(lambda: self._asker.matrix(file, namespaces)), every=False)


def asked(ask: Callable[[], Answer]) -> Answer:
    """What the asker found; an error points to the sentence in the test, and not into policylab."""
    __tracebackhide__ = True
    try:
        return ask()
    except HarnessError as error:
        raise error.with_traceback(None) from None


def _must_pass(controls: Iterable[Found], wanted: State) -> None:
    """Make sure that the control gets through.

    Raises:
        ProbeError: it does not.
    """
    __tracebackhide__ = True
    for found in controls:
        if found.state is not wanted:
            raise ProbeError(
                f"the control {found.flow} is {found.state}, so nothing is said of the flow",
                seen=_indented(found.why),
                try_="name a control that gets through to the target",
            )


def hold(pairs: Iterable[tuple[Found, State]], *, every: bool = True) -> Literal[True]:
    """Hold if each of the flows is as it is wanted; `every`: there must be one at least.

    Raises:
        AssertionError: one differs; that is certain, even if another one has no verdict.
        ProbeError: none differs, and one has no verdict.
        ContentError: there is no flow at all.
    """
    __tracebackhide__ = True
    told = list(pairs)
    unknown = [found for found, _ in told if found.state is State.UNKNOWN]
    wrong = [(one, wanted) for one, wanted in told if one.state not in (wanted, State.UNKNOWN)]
    if wrong:
        raise AssertionError(_wrong(wrong, len(unknown)))
    if unknown:
        raise ProbeError(
            f"there is no verdict of {few((found.flow for found in unknown), 1)}",
            seen=_indented(unknown[0].why),
            try_=unknown[0].try_,
        )
    if every and not told:
        raise ContentError("there is no flow to say something of")
    return True


def _wrong(wrong: Sequence[tuple[Found, State]], unknown: int) -> str:
    flows = [f"{one.flow} is {one.state}, and the test wants: {wanted}" for one, wanted in wrong]
    for number, (found, _) in enumerate(wrong[:EXPLAINED]):
        told = [found.why, found.more() if found.more else ""]
        flows[number] += "".join(f"\n  {line}" for text in told for line in text.splitlines())
    unclear = f"\nthere is no verdict of {unknown} more" if unknown else ""
    return few(flows, SHOWN, "\n") + unclear


def _indented(text: str) -> str:
    return "\n         ".join(text.splitlines())
