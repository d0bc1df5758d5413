"""What changes between two states, in words and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.core.compare.bundles import Bundle
from harness.core.compare.change import Change, Fate, Turn
from harness.core.compare.naming import ends_words, pods_words
from harness.core.compare.ports import ports_words
from harness.core.manifests.basis import Basis
from harness.core.outcome import Verdict
from harness.report.compare.looks import look_of, own_look
from harness.report.compare.members import as_json

SCHEMA_VERSION = 1
_TITLES = {
    Turn.CLOSES: "closes:",
    Turn.OPENS: "opens:",
    Turn.OTHER: "nobody can say that it opens or closes:",
    Turn.SHUT: "is listed, and passes neither before nor after:",
}


def bundle_words(bundle: Bundle[Any]) -> str:
    """Who to whom, and on which ports."""
    ports = ports_words(bundle.ports, bundle.all_ports)
    return f"{ends_words(bundle.sources)} -> {ends_words(bundle.targets)}: {ports}"


def change_text(change: Change) -> Iterator[str]:
    """The change, what closes first; each listed flow says in which list it is."""
    for turn, title in _TITLES.items():
        found = sorted(change.turning(turn), key=lambda bundle: not bundle.tag.lists)
        if found:
            yield title
            yield from (f"  {_flip(bundle, turn)}" for bundle in found)
    if change.gone:
        yield f"is there before only: {pods_words(change.gone)}"
    if change.new:
        yield f"is there after only: {pods_words(change.new)}"


def _flip(bundle: Bundle[Fate], turn: Turn) -> str:
    fate = bundle.tag
    lists = f"{' and '.join(fate.lists)}: " if fate.lists else ""
    absent = fate.after is None or fate.before is None
    told = turn is Turn.OTHER or absent
    words = _turned(_word(fate.before), _word(fate.after))
    turned = f" ({words}{_own(fate)})" if told else _own(fate)
    return f"{lists}{bundle_words(bundle)}{turned}"


def _own(fate: Fate) -> str:
    """What becomes of the flows on each CNI whose own answer is known and not the API's."""
    was, will = dict(fate.was_own), dict(fate.own)
    return "".join(
        f"; on {name.capitalize()}: "
        f"{_turned(_own_word(was.get(name), fate.before), _own_word(will.get(name), fate.after))}"
        for name in sorted({**was, **will})
    )


def _own_word(told: str | None, verdict: Verdict | None) -> str:
    return _word(verdict) if told is None else own_look(told)


def _turned(was: str, will: str) -> str:
    return f"{was}, before and after" if was == will else f"{was} -> {will}"


def _word(verdict: Verdict | None) -> str:
    return "an end is not there" if verdict is None else look_of(verdict).word


def change_summary(change: Change, lists: Sequence[str]) -> str:
    """The finding in one sentence."""
    unknown = (
        f"; of these, {change.unknown} are not known in either state" if change.unknown else ""
    )
    compared = f"{change.compared} flows that stand for all were compared{unknown}"
    if change.equal:
        doubt = f"; {_listed(change, lists)}" if change.doubtful else ""
        return f"Both states behave alike: no flow opens, closes or changes{doubt} ({compared})."
    closing, opening = (len(change.turning(turn)) for turn in (Turn.CLOSES, Turn.OPENS))
    told = f"flows that close: {_count(closing)}; flows that open: {_count(opening)}"
    return f"{told}; {_listed(change, lists)} ({compared})."


def _count(number: int) -> str:
    return f"{number} group{'' if number == 1 else 's'}"


def _listed(change: Change, lists: Sequence[str]) -> str:
    if not lists:
        return "no list says which flows are wanted or seen"
    names = " and ".join(lists)
    if change.closing:
        return f"flows that are {names.replace(' and ', ' or ')} CLOSE"
    if change.doubtful:
        return f"nobody can say that all {names} flows pass"
    return f"no {names.replace(' and ', ' or ')} flow closes"


def change_document(
    change: Change, origins: tuple[str, str], lists: Sequence[str], basis: Basis
) -> dict[str, Any]:
    """The change for programs, valid by `templates/whatif.schema.json`."""
    return {
        "schema": SCHEMA_VERSION,
        "before": origins[0],
        "after": origins[1],
        "observed": False,
        "equal": change.equal,
        "lists": list(lists),
        "listed_flows_close": bool(change.closing),
        "listed_flows_in_doubt": bool(change.doubtful),
        "changes": [_bundle(bundle) for bundle in change.fates],
        "gone": list(change.gone),
        "new": list(change.new),
        "compared": change.compared,
        "unknown_in_both": change.unknown,
        **basis.document(),
    }


def _bundle(bundle: Bundle[Fate]) -> dict[str, Any]:
    fate = bundle.tag
    return {
        "turn": str(fate.turn),
        "from": [as_json(end) for end in bundle.sources],
        "to": [as_json(end) for end in bundle.targets],
        "ports": [str(port) for port in bundle.ports],
        "before": None if fate.before is None else str(fate.before),
        "after": None if fate.after is None else str(fate.after),
        "lists": list(fate.lists),
        "cni_answers_before": dict(fate.was_own),
        "cni_answers_after": dict(fate.own),
    }
