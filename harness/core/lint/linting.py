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
from harness.core.manifests.basis import NO_BASIS, NO_PODS, Basis, basis_of
from harness.core.manifests.reader import Loaded, Resource


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that a comment ignores."""

    finding: Finding
    ignore: Ignore


@dataclass(frozen=True, slots=True)
class Linted:
    """What lint says of a state: findings in the order of files and lines.

    `ignored` are those that a comment ignores. `unchecked` are objects that were not read though
    they decide flows, and `policies` counts the policies that were looked at.
    """

    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...] = ()
    basis: Basis = NO_BASIS
    unchecked: tuple[str, ...] = ()
    policies: int = 0

    def noting(self, *notes: str) -> Linted:
        """The same with more notes."""
        basis = replace(self.basis, notes=(*self.basis.notes, *notes))
        return replace(self, basis=basis)

    def at_least(self, sure: Sure) -> tuple[Finding, ...]:
        """The findings that are as sure as this, or more."""
        return tuple(found for found in self.findings if found.sure.at_least(sure))


def lint(
    resources: Iterable[Resource],
    profiles: Sequence[CniProfile] = (),
    ignores: Sequence[Ignore] = (),
    files: Loaded | None = None,
) -> Linted:
    """Look for faults in a state. `profiles` are the CNIs whose differences count.

    `files` are the files from which the objects come, if they come from files.

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
        _basis(ground, files),
        tuple(str(unread) for unread in ground.described.unread),
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


def _basis(ground: Ground, files: Loaded | None) -> Basis:
    """What the answer rests on: that of the state, and the pods that were made up."""
    found = basis_of(ground.resources, ground.described, files)
    unread = sorted({pod.namespace for pod in ground.made_up.values()} - {SYSTEM})
    assumed = found.assumed
    if unread:
        made_up = (
            f"pods that fit the selectors, for no pod of {', '.join(unread)} was read: whether "
            "somebody bears the labels or listens on the ports was not checked there"
        )
        assumed = (*assumed, made_up)
    notes = tuple(note for note in found.notes if note != NO_PODS)
    return replace(found, assumed=assumed, notes=notes)
