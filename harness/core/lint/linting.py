"""Lint as a whole: all rules over a state, and the comments that ignore what they find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from harness.core.lab.profile import CniProfile
from harness.core.lint.finding import Finding, Fix, Spot, Sure
from harness.core.lint.ground import SYSTEM, Ground
from harness.core.lint.ignores import Ignore
from harness.core.lint.table import BY_ID, findings
from harness.core.manifests.reader import Resource
from harness.core.model import Unread


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that a comment ignores."""

    finding: Finding
    ignore: Ignore


@dataclass(frozen=True, slots=True)
class Linted:
    """What lint says of a state: findings in the order of files and lines.

    `ignored` are those that a comment ignores. `notes` say what the answer rests on, and
    `unchecked` which objects were not read though they decide flows.
    """

    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...] = ()
    notes: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    policies: int = 0

    def noting(self, *notes: str) -> Linted:
        """The same with more notes, which come first."""
        return replace(self, notes=(*notes, *self.notes))

    def at_least(self, sure: Sure) -> tuple[Finding, ...]:
        """The findings that are as sure as this, or more."""
        return tuple(found for found in self.findings if found.sure.at_least(sure))


def lint(
    resources: Iterable[Resource],
    profiles: Sequence[CniProfile] = (),
    ignores: Sequence[Ignore] = (),
) -> Linted:
    """Look for faults in a state. `profiles` are the CNIs whose differences count.

    Raises:
        ManifestError: the manifests have a list of wanted flows that cannot be read.
    """
    ground = Ground(resources, profiles)
    found = sorted(_once(findings(ground)), key=_order)
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in found:
        comment = next((i for i in ignores if _ignores(i, finding)), None)
        if comment is None:
            kept.append(finding)
        else:
            ignored.append(Ignored(finding, comment))
    used = {id(one.ignore) for one in ignored}
    kept += _wrong_comments(ignores, used)
    return Linted(
        tuple(sorted(kept, key=_order)),
        tuple(ignored),
        tuple(_notes(ground)),
        tuple(_unchecked(ground)),
        len(ground.policies),
    )


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once: of the same rule, place and words the first one stays."""
    first: dict[tuple[str, Spot, str], Finding] = {}
    for finding in found:
        first.setdefault((finding.rule, finding.spot, finding.what), finding)
    return list(first.values())


def _order(finding: Finding) -> tuple[str, int, str, str]:
    return (finding.spot.file, finding.spot.line, finding.rule, finding.spot.field)


def _ignores(comment: Ignore, finding: Finding) -> bool:
    here = comment.covers(finding.spot.file, finding.spot.line)
    return here and comment.rule == finding.rule and bool(comment.reason)


def _wrong_comments(ignores: Iterable[Ignore], used: set[int]) -> Iterator[Finding]:
    for comment in ignores:
        spot = Spot(comment.file, comment.line)
        if comment.rule not in BY_ID:
            near = get_close_matches(comment.rule, BY_ID, n=1)
            hint = f"did you mean {near[0]}?" if near else f"rules: {', '.join(BY_ID)}"
            yield Finding(
                "ignore-unknown-rule",
                spot,
                Sure.CERTAIN,
                f"This comment ignores `{comment.rule}`, and there is no rule of this name"
                if comment.rule
                else "This comment names no rule",
                None,
                Fix(hint),
            )
        elif not comment.reason:
            yield Finding(
                "ignore-without-reason",
                spot,
                Sure.CERTAIN,
                f"This comment ignores {comment.rule} and gives no reason, so it is not followed",
                None,
                Fix(f"write the reason behind it: # policylab: ignore {comment.rule} REASON"),
            )
        elif id(comment) not in used:
            yield Finding(
                "ignore-unused",
                spot,
                Sure.CERTAIN,
                f"This comment ignores {comment.rule}, which finds nothing here",
                None,
                Fix("remove the comment"),
            )


def _notes(ground: Ground) -> Iterator[str]:
    unread = sorted({pod.namespace for pod in ground.made_up.values()} - {SYSTEM})
    if unread and ground.policies:
        yield (
            f"no pod of {', '.join(unread)} was read: pods were made up that fit the selectors. "
            "Whether somebody bears the labels or listens on the ports was not checked there"
        )
    servers = [p for p in ground.topology.pods.values() if p.namespace == SYSTEM]
    if ground.policies and not any(ground.is_read(pod) for pod in servers):
        yield "the files do not declare CoreDNS: it is taken to be as kubeadm installs it"


def _unchecked(ground: Ground) -> Iterator[str]:
    for resource in ground.resources:
        for model in resource.models:
            if isinstance(model, Unread):
                yield f"{model} ({resource.origin}) was not read, and {model.why}"
