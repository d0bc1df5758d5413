"""The claim ledger: every claim of a tutorial, and its status.

A ledger is `labs/<tutorial>/claims.toml`:

    tutorial = "lab12-zero-trust"
    sections = ["1", "2"]             # of the tutorial; each has at least one claim

    [[claim]]
    section = "1"
    says = "the claim in our own words"
    rows = ["default-deny/deny-*"]    # PHASE/ROW, `*` for any text; the best row comes first
    untestable = "why"                # instead of rows

The status follows from the rows. A claim is refuted if one of its rows has an erratum,
CNI-dependent if the CNIs differ in the erratum or in the outcome, and confirmed otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from harness.core.lab.documented import Row
from harness.core.lab.profile import CniProfile
from harness.errors import ContentError

KEYS = frozenset({"section", "says", "rows", "untestable"})


class ClaimStatus(StrEnum):
    """The status of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted, with erratum"
    CNI_DEPENDENT = "CNI-dependent"
    NOT_TESTABLE = "not testable"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a tutorial.

    Attributes:
        tutorial: the tutorial's name.
        section: the section that makes the claim.
        says: the claim in our own words.
        rows: patterns of `PHASE/ROW`, for the rows that confirm or refute it.
        untestable: the reason why no row can show it; empty if and only if there are rows.
    """

    tutorial: str
    section: str
    says: str
    rows: tuple[str, ...] = ()
    untestable: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a lab.

    Attributes:
        phase: the phase of the tutorial.
        row: the row.
        cni: the only CNI on which the lab runs; empty if it runs on all CNIs.
    """

    phase: str
    row: Row
    cni: str = ""

    @property
    def name(self) -> str:
        """The row's name in a ledger: `PHASE/ROW`."""
        return f"{self.phase}/{self.row.id}"

    def on(self, cni: str) -> bool:
        """Whether a run on this CNI has the row."""
        return self.cni in ("", cni)


@dataclass(frozen=True, slots=True)
class Entry:
    """A claim, the rows that show it, and its status.

    Attributes:
        claim: the claim.
        shown: the rows that show it.
        by_cni: its status on each CNI; a CNI that runs none of the rows has no entry.
        status: its status over all CNIs.
    """

    claim: Claim
    shown: tuple[Shown, ...]
    by_cni: Mapping[str, ClaimStatus]
    status: ClaimStatus


def parse_claims(data: Mapping[str, Any], *, where: str) -> tuple[Claim, ...]:
    """Read one ledger's content.

    Raises:
        ContentError: a key is unknown, a claim has neither rows nor a reason, or has both, or a
            section has no claim; the message has all faults.
    """
    tutorial = str(data.get("tutorial", ""))
    claims = [
        Claim(
            tutorial,
            str(entry.get("section", "")),
            str(entry.get("says", "")),
            tuple(entry.get("rows", ())),
            str(entry.get("untestable", "")),
        )
        for entry in data.get("claim", ())
    ]
    wrong = [] if tutorial else ["no tutorial is named"]
    for number, (entry, claim) in enumerate(zip(data.get("claim", ()), claims, strict=True), 1):
        wrong += [f"claim {number}: unknown key {key}" for key in sorted(entry.keys() - KEYS)]
        if not (claim.section and claim.says):
            wrong.append(f"claim {number}: needs a section and a sentence (`says`)")
        if bool(claim.rows) == bool(claim.untestable):
            wrong.append(f"claim {number}: needs either `rows` or `untestable`, not both")
    sections = [str(section) for section in data.get("sections", ())]
    made = {claim.section for claim in claims}
    wrong += [f"section {section} has no claim" for section in sections if section not in made]
    wrong += [f"there is no section {section}" for section in sorted(made - {*sections})]
    if wrong:
        raise ContentError("a claim ledger is wrong:\n  " + "\n  ".join(wrong), where=where)
    return tuple(claims)


def entries(
    claims: Iterable[Claim], shown: Sequence[Shown], profiles: Mapping[str, CniProfile]
) -> list[Entry]:
    """Each claim with its rows and status; `profiles` has the profile of each CNI, by its name.

    Raises:
        ContentError: a pattern of a claim matches no row.
    """
    return [_entry(claim, shown, profiles) for claim in claims]


def unclaimed(claims: Iterable[Claim], shown: Iterable[Shown]) -> list[str]:
    """The names of the rows that cite a tutorial and belong to no claim."""
    patterns = [pattern for claim in claims for pattern in claim.rows]
    return [
        each.name
        for each in shown
        if not each.row.ours and not any(fnmatchcase(each.name, pattern) for pattern in patterns)
    ]


def _entry(claim: Claim, shown: Sequence[Shown], profiles: Mapping[str, CniProfile]) -> Entry:
    if claim.untestable:
        by_cni = dict.fromkeys(profiles, ClaimStatus.NOT_TESTABLE)
        return Entry(claim, (), by_cni, ClaimStatus.NOT_TESTABLE)
    found: dict[str, Shown] = {}
    for pattern in claim.rows:
        matching = [each for each in shown if fnmatchcase(each.name, pattern)]
        if not matching:
            near = get_close_matches(pattern, [each.name for each in shown], n=1)
            raise ContentError(
                f"no row has the name `{pattern}`",
                where=f"the claim ledger of {claim.tutorial}, section {claim.section}",
                seen=claim.says,
                try_=f"did you mean `{near[0]}`?"
                if near
                else "`policylab claims --rows` lists every row",
            )
        found.update({each.name: each for each in matching})
    by_cni = {
        cni: _status(rows, profile)
        for cni, profile in profiles.items()
        if (rows := [each.row for each in found.values() if each.on(cni)])
    }
    return Entry(claim, tuple(found.values()), by_cni, _overall(found.values(), by_cni, profiles))


def _status(rows: Iterable[Row], profile: CniProfile) -> ClaimStatus:
    refuted = any(row.on(profile).erratum for row in rows)
    return ClaimStatus.REFUTED if refuted else ClaimStatus.CONFIRMED


def _overall(
    shown: Iterable[Shown],
    by_cni: Mapping[str, ClaimStatus],
    profiles: Mapping[str, CniProfile],
) -> ClaimStatus:
    differs = any(
        len({each.row.on(profiles[cni]).outcome for cni in by_cni if each.on(cni)}) > 1
        for each in shown
    )
    statuses = set(by_cni.values())
    if differs or len(statuses) > 1:
        return ClaimStatus.CNI_DEPENDENT
    return statuses.pop()
