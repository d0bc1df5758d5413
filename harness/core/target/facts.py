"""The facts: what a row `fact/NAME` measures, what its cell must name, and what it may show.

This is the one registry. A table's cell is read by it, `labs/WORDS.md` is made of it, a row is
checked by it at collection, and `harness.edge.facts` measures exactly these names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

NUMBER, ANYTHING = "N", "..."
"""What stands for a number, and for any text, in a reading that a fact may show."""


class Ends(StrEnum):
    """What follows a fact's name in the cell, as a form of `harness.core.target.grammar`."""

    NOTHING = ""
    HOST = "HOST"
    NAME_PORT = "name/HOST:PORT"
    NAME_PORT_AND_POD = "name/HOST:PORT/pod/NAMESPACE/[deploy/]NAME"
    POD_PORT = "pod/NAMESPACE/[deploy/]NAME:PORT"


class Needs(StrEnum):
    """What else the row or its step must have."""

    COMMAND = "a command of its own, below the row"
    DEPLOYMENT = "the name of a Deployment in `from`"
    WANTED_FLOWS = "a ConfigMap `wanted-flows` in the manifests of its step"


@dataclass(frozen=True, slots=True)
class FactKind:
    """One fact.

    `measures` says what is measured, and `shows` has each reading that may come of it, as a table
    writes it (`N` stands for a number, `...` for any text). `ends` is the form of what follows the
    name in the cell, `meaning` says what those ends are. `needs` is what else the row must have.
    """

    measures: str
    shows: tuple[str, ...]
    ends: Ends = Ends.NOTHING
    meaning: str = ""
    needs: Needs | None = None

    @property
    def requirements(self) -> str:
        """What a row must have, in words; empty if it needs nothing."""
        return "; ".join(filter(None, (self.meaning, self.needs)))

    def may_show(self, reading: str) -> bool:
        """Whether the fact can come to this reading."""
        return any(_pattern(form).fullmatch(reading) for form in self.shows)


def _pattern(form: str) -> re.Pattern[str]:
    words = {NUMBER: r"-?\d+", ANYTHING: r".+"}
    return re.compile(" ".join(words.get(word, re.escape(word)) for word in form.split(" ")))


_CONNECTION = ("connected", "timeout", "refused", "reset")
_SHOWN_CONNECTION = tuple(f"shows {outcome}" for outcome in _CONNECTION)

UNUSED_RULES = "unused-rules"
WANTED_AGAINST_ALLOWED = "wanted-against-allowed"

FACTS: Mapping[str, FactKind] = {
    "policies": FactKind(
        "the policies in the pod's namespace, each with its policyTypes",
        ("shows none", "shows ..."),
    ),
    "name-label": FactKind(
        "whether every namespace has its own name as a label",
        ("shows on every namespace", "shows not on ..."),
    ),
    "unrestarted": FactKind(
        "whether the namespace's pods are older than its policies, without a restart",
        (
            "shows no policy",
            "shows pods older than the policies, N restarts",
            "shows pods younger than the policies, N restarts",
        ),
    ),
    "client-address": FactKind(
        "the address that the web servers log for the pod",
        ("shows the client's own address", "shows another address"),
    ),
    "takes-effect": FactKind(
        "whether connections are made after the API server has accepted the policies",
        ("shows no connection made later", "shows connections made later"),
    ),
    "established-connection": FactKind(
        "whether a connection that was open before the policies lives on",
        ("shows kept", "shows cut"),
        Ends.POD_PORT,
        "the server that keeps the connection",
    ),
    "lookup-time": FactKind(
        "whether a name with a dot at its end is looked up faster than without",
        ("shows faster", "shows not faster"),
        Ends.HOST,
        "the name, without the dot",
    ),
    "questions-saved": FactKind(
        "how many of the name server's questions the dot at the end saves",
        ("shows N % fewer questions",),
        Ends.HOST,
        "the name, without the dot",
    ),
    "crash": FactKind(
        "the exit code of a container that crashed", ("shows exit code N",), needs=Needs.DEPLOYMENT
    ),
    "last-words": FactKind(
        "the first words of the last line that the container logged before it crashed",
        ("shows ...",),
        needs=Needs.DEPLOYMENT,
    ),
    "ready": FactKind(
        "whether the Deployment's pod is ready, and after how many restarts",
        ("shows ready after N restarts",),
        needs=Needs.DEPLOYMENT,
    ),
    "first-line": FactKind(
        "the first line that the row's command prints", ("shows ...",), needs=Needs.COMMAND
    ),
    "exit-code": FactKind("the exit code of the row's command", ("shows N",), needs=Needs.COMMAND),
    "piped-exit-code": FactKind(
        "the exit code of the row's command with `| head -1` behind it",
        ("shows N",),
        needs=Needs.COMMAND,
    ),
    "gave-up-after": FactKind(
        "after how many seconds the row's command gave up",
        ("shows N s", "shows it did not give up"),
        needs=Needs.COMMAND,
    ),
    "new-address-unasked": FactKind(
        "a connection to a name's new address, before the pod has asked again",
        _SHOWN_CONNECTION,
        Ends.NAME_PORT_AND_POD,
        "the name that moves, and a pod that no policy selects, which must reach the new address",
    ),
    "new-address-asked": FactKind(
        "a connection to that address, after the pod has asked again",
        _SHOWN_CONNECTION,
        Ends.NAME_PORT,
        "the name that moves",
    ),
    "name-server-fails": FactKind(
        "a lookup while the name's own name server is broken",
        ("dns_servfail",),
        Ends.HOST,
        "the name",
    ),
    "web-server-refuses": FactKind(
        "a connection to a name while nobody listens at its address",
        _CONNECTION,
        Ends.NAME_PORT,
        "the name",
    ),
    UNUSED_RULES: FactKind(
        "the rules of the policies that no wanted flow needs",
        ("shows none", "shows ..."),
        needs=Needs.WANTED_FLOWS,
    ),
    WANTED_AGAINST_ALLOWED: FactKind(
        "how many unwanted flows pass, and how many wanted flows do not",
        ("shows N unwanted, N missing",),
        needs=Needs.WANTED_FLOWS,
    ),
}
"""Every fact by its name."""
