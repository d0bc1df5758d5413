"""Everything that policylab raises on purpose.

HarnessError
├── ContentError         fix the lab
│   ├── ManifestError        a manifest that we cannot read with certainty
│   └── OutcomeTableError    an outcome table that does not say what it must
├── EnvironmentFault     fix the machine
│   ├── ToolMissing          a program, a right or a package that is not there
│   ├── ImageUnavailable     an image that cannot be had from any allowed source
│   ├── ClusterNotReady      a cluster that does not come up, or does not enforce policy
│   └── NotSettled           a change that was not in force before its deadline
└── ProbeError           no verdict: the tool broke. Never counts as "blocked"

Every message answers four questions: what went wrong, where, what was last seen, what to try.
"""

from __future__ import annotations


class HarnessError(Exception):
    """A fault that policylab found; raised through its heirs only.

    `what` is one sentence; `where` a file:line, an object or a command; `seen` the last thing
    observed; `try_` the next thing for a person to do. Empty parts are left out of the message.
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
        """The message without its last part: a report shows what to try in a place of its own."""
        return _lines(self.what, where=self.where, seen=self.seen)


def _lines(what: str, **parts: str) -> str:
    told = (f"  {label + ':':<7}{text}" for label, text in parts.items() if text)
    return "\n".join([what, *told])


class ContentError(HarnessError):
    """The lab's own content is wrong: fix the lab."""


class ManifestError(ContentError):
    """A manifest holds something that policylab does not know, or cannot read."""


class OutcomeTableError(ContentError):
    """An outcome table is malformed: a misspelt word, a missing column, a doubled id."""


class EnvironmentFault(HarnessError):  # noqa: N818 - a fault of the machine, not of a program
    """The machine or the cluster is at fault: fix the machine."""


class ToolMissing(EnvironmentFault):
    """A program, a right or a package that policylab needs is not there."""


class ImageUnavailable(EnvironmentFault):
    """An image cannot be had from any source that the options allow."""


class ClusterNotReady(EnvironmentFault):
    """The cluster did not come up, or its CNI does not enforce policy."""


class NotSettled(EnvironmentFault):
    """A change was not seen in force before its deadline."""


class ProbeError(HarnessError):
    """The probe itself failed, so there is no verdict."""
