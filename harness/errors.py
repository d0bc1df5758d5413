"""All errors that policylab raises on purpose.

HarnessError
├── ContentError         the command line, a manifest or a lab is wrong
│   ├── ManifestError        a manifest that we cannot read with certainty
│   └── OutcomeTableError    an outcome table that is incomplete or wrong
├── EnvironmentFault     the machine or the cluster is at fault
│   ├── ToolMissing          a program, a right or a package is missing
│   ├── ImageUnavailable     no allowed source has the image
│   ├── ClusterNotReady      a cluster that does not come up, or does not enforce policy
│   └── NotSettled           a change that was not in force before its deadline
└── ProbeError           no verdict: the tool broke. It never counts as "blocked"

Every message answers four questions: what went wrong, where, what was last seen, what to try.
"""

from __future__ import annotations


class HarnessError(Exception):
    """A fault that policylab found; only its subclasses are raised.

    Attributes:
        what: what went wrong, in one sentence.
        where: a file with its line, an object, or a command.
        seen: what was observed last.
        try_: what a person can do next.

    The message leaves out the parts that are empty.
    """

    def __init__(self, what: str, *, where: str = "", seen: str = "", try_: str = "") -> None:
        self.what = what
        self.where = where
        self.seen = seen
        self.try_ = try_
        super().__init__(what)

    def __str__(self) -> str:
        return _lines(self.what, where=self.where, seen=self.seen, **{"try": self.try_})

    @property
    def finding(self) -> str:
        """The message without `try_`, which a report shows in a place of its own."""
        return _lines(self.what, where=self.where, seen=self.seen)


def _lines(what: str, **parts: str) -> str:
    told = (f"  {label + ':':<7}{text}" for label, text in parts.items() if text)
    return "\n".join([what, *told])


class ContentError(HarnessError):
    """The command line, a manifest or a lab is wrong."""


class ManifestError(ContentError):
    """A manifest holds something that policylab does not know, or cannot read."""


class OutcomeTableError(ContentError):
    """An outcome table is wrong: it has a misspelt word, lacks a column or repeats an id."""


class EnvironmentFault(HarnessError):  # noqa: N818 - a fault of the machine, not of a program
    """The machine or the cluster is at fault."""


class ToolMissing(EnvironmentFault):
    """A program, a right, a package or room that policylab needs is missing."""


class ImageUnavailable(EnvironmentFault):
    """No source that the options allow has the image."""


class ClusterNotReady(EnvironmentFault):
    """The cluster did not come up, or its CNI does not enforce policy."""


class NotSettled(EnvironmentFault):
    """A change did not come into force before its deadline."""


class ProbeError(HarnessError):
    """The probe itself failed, so there is no verdict."""


class StarvedListenerError(ProbeError):
    """A listener was too late to answer, so that its round is void; the next round may tell."""


class NoSctpError(ProbeError):
    """The kernel under a pod has no SCTP, so that nobody can send it there or listen to it."""
