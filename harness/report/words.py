"""The words that a table of a lab may use, explained: on one page, or each by itself.

`labs/WORDS.md` is the page; `policylab explain` looks up one word, an erratum or a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from harness.core.lab.claims import Shown
from harness.core.lab.documented import Erratum
from harness.core.lab.profile import LINES, PREFIX, CniProfile
from harness.core.lab.words import KINDS, PARTS, Kind
from harness.core.outcome import MEANING, Outcome
from harness.core.target import FACTS, FORMS, FactKind, parse_target
from harness.errors import ContentError
from harness.report.view import STATUS_MEANING

UNWRITTEN = frozenset({Outcome.UNSTABLE})
"""Outcomes that a table may not document."""

NEAR = 3
"""How many words are named that may have been meant."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one word: the word as it is written, what it is, and lines of text."""

    word: str
    what: str
    lines: tuple[str, ...]


def entries(profiles: Mapping[str, CniProfile]) -> list[Entry]:
    """Every word of a table and of a report; `profiles` are the profiles of the CNIs, by name."""
    found = [
        Entry(part, "a part of a table", (f"{part} {meaning}",)) for part, meaning in PARTS.items()
    ]
    found += [
        Entry(status.value, "the status of a row", (meaning,))
        for status, meaning in STATUS_MEANING.items()
    ]
    found += [Entry(word.value, "an outcome", (text,)) for word, text in MEANING.items()]
    found += [_kind(word, kind) for word, kind in KINDS.items()]
    found += [_fact(name, fact) for name, fact in FACTS.items()]
    for line, question in LINES.items():
        answers = [f"{name}: {getattr(profile, line)}" for name, profile in profiles.items()]
        said = (question, f"the answer depends on the CNI. {'; '.join(answers)}")
        found.append(Entry(f"{PREFIX}{line}", "an outcome on which CNIs differ", said))
    return found


def entries_of_labs(labs: Mapping[str, Sequence[Shown]]) -> list[Entry]:
    """Every erratum and every row of the labs."""
    errata = [
        Entry(erratum.id, f"an erratum of {tutorial}", _erratum(erratum))
        for tutorial, shown in labs.items()
        for each in shown
        if (erratum := each.row.erratum)
    ]
    rows = [_row(tutorial, each) for tutorial, shown in labs.items() for each in shown]
    return [*dict.fromkeys(errata), *rows]


def explain(word: str, known: Sequence[Entry]) -> list[Entry]:
    """What is known of a word; of a whole target, also what the pod does there.

    Raises:
        ContentError: nothing is known; the message names the nearest words.
    """
    sought = word.strip("`").casefold()
    found = [entry for entry in known if sought in _names(entry.word)]
    kind, slash, rest = word.partition("/")
    if not found and slash and rest and kind in KINDS:
        target = parse_target(word, where=word)
        return [Entry(word, "a target", (target.words,)), _kind(kind, KINDS[kind])]
    if not found:
        raise ContentError(
            f"`{word}` is not a word of the labs",
            try_=f"did you mean {near}?" if (near := _near(sought, known)) else "policylab words",
        )
    return found


def _near(sought: str, known: Sequence[Entry]) -> str:
    words = sorted({entry.word for entry in known})
    found = [word for word in words if sought in word] or get_close_matches(sought, words, n=NEAR)
    return " or ".join(f"`{word}`" for word in found[:NEAR])


def _names(word: str) -> set[str]:
    """How a word may be written: `cni:denied` and `denied`, `fact/policies` and `policies`."""
    written = word.casefold()
    short = (written.removeprefix(PREFIX), written.removeprefix("fact/"), written.strip("[]"))
    return {written, written.replace("_", " "), *short}


def _kind(word: str, kind: Kind) -> Entry:
    forms = tuple(f"form: {form}" for form in FORMS if form.partition("/")[0] == word)
    shown = forms if word != "fact" else ("form: fact/NAME; `policylab words` lists the names",)
    return Entry(word, "a kind of target", (kind.does, f"shows: {kind.teaches}", *shown))


def _fact(name: str, fact: FactKind) -> Entry:
    lines = [fact.measures, f"form: {'/'.join(filter(None, ('fact', name, fact.ends)))}"]
    lines += [f"the row needs: {fact.requirements}"] if fact.requirements else []
    lines.append(f"outcomes: {', '.join(fact.shows)} (N is a number, ... any text)")
    return Entry(f"fact/{name}", "a fact", tuple(lines))


def _erratum(erratum: Erratum) -> tuple[str, ...]:
    return (
        f"the tutorial says: {erratum.wrong}",
        f"but: {erratum.why}",
        f"corrected: {erratum.corrected}",
    )


def _row(tutorial: str, shown: Shown) -> Entry:
    row = shown.row
    lines = [
        f"{row.source} -> {row.target.words}",
        f"in force: {', '.join(row.apply) or 'no manifest'}",
        f"tutorial says: {row.documented}",
        *([f"really: {row.actual} (erratum {row.erratum.id})"] if row.erratum else []),
        f"why: {row.why}",
        *([f"$ {' '.join(row.command)}"] if row.command else []),
        f"run it: pytest labs/ -k {row.id}",
    ]
    return Entry(row.id, f"a row of {tutorial}, phase {shown.phase}", tuple(lines))


def page(profiles: Mapping[str, CniProfile]) -> str:
    """The page as Markdown; `profiles` are the CNIs', by their names."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # the page alone needs it

    templates = Environment(  # noqa: S701 - Markdown of our own words
        loader=PackageLoader("harness.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["cell"] = lambda text: text.replace("|", r"\|")
    templates.filters["tick"] = lambda text: f"`{text}`"
    return templates.get_template("words.md.j2").render(
        parts=PARTS,
        kinds=KINDS.values(),
        forms=FORMS,
        outcomes={word: text for word, text in MEANING.items() if word not in UNWRITTEN},
        prefix=PREFIX,
        lines=LINES,
        profiles=profiles,
        facts=FACTS,
    )
