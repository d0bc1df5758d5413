"""The findings of lint in plain words, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from rich.text import Text

from harness.core.lint.finding import Finding, Shown, Sure
from harness.core.lint.linting import Linted
from harness.core.lint.table import BY_ID
from harness.core.outcome import Verdict

WIDTH = 100
INDENT = "      "
STYLES = {Sure.CERTAIN: "bold red", Sure.LIKELY: "yellow", Sure.POSSIBLE: "cyan"}
VERDICTS = {
    Verdict.ALLOW: "passes",
    Verdict.SOME: "passes in part",
    Verdict.DENY: "is denied",
    Verdict.UNDEFINED: "is undefined",
}


def report(linted: Linted, sure: Sure) -> Iterator[Text]:
    """All that lint has to say, line by line; less sure findings than this are only counted."""
    shown = linted.at_least(sure)
    for file, findings in groupby(shown, key=lambda finding: finding.spot.file):
        yield Text(file, "bold")
        for finding in findings:
            yield from _finding(finding)
        yield Text()
    for line in linted.basis.lines():
        yield from _wrapped(line, "", style="dim")
    yield Text(summary(linted, sure))


def summary(linted: Linted, sure: Sure) -> str:
    """The last line: how many findings there are, and how many are not shown."""
    shown = linted.at_least(sure)
    counts = Counter(finding.sure for finding in shown)
    degrees = ", ".join(f"{counts[degree]} {degree}" for degree in Sure if counts[degree])
    looked = f"{linted.policies} polic{'y' if linted.policies == 1 else 'ies'}"
    found = f"{_count(len(shown), 'finding')} in {looked}" + (f": {degrees}." if degrees else ".")
    hidden = len(linted.findings) - len(shown)
    if hidden:
        verb = "is" if hidden == 1 else "are"
        least = min(
            (f.sure for f in linted.findings if f not in shown), key=list(Sure).index, default=sure
        )
        found += f" {hidden} less sure {verb} not shown (--sure {least})."
    if linted.ignored:
        found += f" {_count(len(linted.ignored), 'finding')} ignored by comments."
    return found


def brief(linted: Linted, sure: Sure) -> Iterator[str]:
    """One line for each finding, and nothing else: `FILE:LINE: RULE: what happens`."""
    for finding in linted.at_least(sure):
        yield f"{finding.spot.file}:{finding.spot.line}: {finding.rule}: {finding.what}"


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def _finding(finding: Finding) -> Iterator[Text]:
    spot = finding.spot
    line = f"{spot.line:>4}" if spot.line else "    "
    head = Text(f"{line}  ")
    head.append(finding.rule, STYLES[finding.sure])
    head.append(f" ({finding.sure})  ")
    head.append("  ".join(filter(None, (spot.object, spot.field))), "dim")
    yield head
    yield from _wrapped(f"{finding.what}.", INDENT)
    if finding.shown is not None:
        yield from _shown(finding.shown)
    else:
        yield from _wrapped(f"flow: none, for {BY_ID[finding.rule].no_flow}", INDENT)
    yield from _wrapped(f"fix:  {finding.fix.sentence}", INDENT, style="green")
    if finding.fix.sentence.endswith(":"):
        for row in finding.fix.yaml.splitlines():
            yield Text(f"{INDENT}      {row}")


def _shown(shown: Shown) -> Iterator[Text]:
    yield from _wrapped(f"flow: {flow_words(shown)}", INDENT)
    for reason in shown.reasons:
        yield from _wrapped(reason, f"{INDENT}      ", style="dim")


def flow_words(shown: Shown) -> str:
    """The flow, its verdict, and what the fix changes."""
    words = f"{shown.flow} {VERDICTS[shown.verdict]}"
    if shown.mended is not None and shown.mended is not shown.verdict:
        words += f"; with the fix it {VERDICTS[shown.mended]}"
    elif shown.mended is not None:
        words += "; the fix opens one end, and the other end stays closed"
    if shown.made_up:
        verb = "stands" if len(shown.made_up) == 1 else "stand"
        words += f" ({' and '.join(shown.made_up)} {verb} for pods that were not read)"
    return words


def _wrapped(text: str, indent: str, *, style: str = "") -> Iterator[Text]:
    lines = wrap(text, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
    hang = "      " if text.startswith(("flow:", "fix:", "note:", "assumed:")) else ""
    rest = wrap(
        text,
        WIDTH - len(indent),
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in rest or lines:
        yield Text(f"{indent}{line}", style)
