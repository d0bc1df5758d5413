"""The answer of `policylab dns`: text for people, and JSON by `templates/dns.schema.json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.core.dns.podconf import Server
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.predict.lookups import NameLookup, PodLookups

SCHEMA_VERSION = 1

_MAY = {
    Verdict.ALLOW: "may be asked",
    Verdict.DENY: "may not be asked",
    Verdict.UNDEFINED: "may or may not be asked: the manifests do not decide this",
}


def lookups_text(found: PodLookups) -> str:
    """The pod's resolv.conf, its way to each name server, and its lookups or the names."""
    return "\n".join(_lines(found)) + "\n"


def lookups_summary(found: PodLookups) -> str:
    """A line for each lookup, or for each name server where no name was asked about."""
    lines = [next(_lookup(lookup)) for lookup in found.lookups]
    ways = [f"{way.server} over {way.protocol}: {_MAY[way.verdict]}" for way in found.ways]
    return "".join(f"{line}\n" for line in lines or ways)


def _lines(found: PodLookups) -> Iterator[str]:
    conf = found.conf.conf
    yield f"{found.pod}: dnsPolicy {found.conf.policy}; its /etc/resolv.conf:"
    if found.conf.server is Server.NODE:
        yield "  (the lines of its node's resolv.conf, which are not known here)"
    yield from (f"  nameserver {server}" for server in conf.nameservers)
    if conf.search:
        yield f"  search {' '.join(conf.search)}"
    if conf.options:
        yield f"  options {' '.join(conf.options)}"
    yield from (f"left out, over the kubelet's limit: {entry}" for entry in found.conf.left_out)
    if found.conf.not_the_clusters:
        yield found.conf.not_the_clusters
    for way in found.ways:
        yield f"{way.server} over {way.protocol}: {_MAY[way.verdict]}"
        yield from (f"  {reason}" for reason in way.reasons)
    if found.askable is not None:
        yield f"names that may be asked about: {', '.join(found.askable) or 'none'}"
    for lookup in found.lookups:
        yield ""
        yield from _lookup(lookup)
    if found.records:
        yield ""
        yield "names that exist:"
        for record in found.records:
            answer = record.answer or "an address that is not known before"
            yield f"  {record.question.qname} {record.question.rdtype} {answer}"
    yield ""
    yield from (f"assumed: {sentence}" for sentence in found.assumed)


def _lookup(lookup: NameLookup) -> Iterator[str]:
    count = len(lookup.steps)
    names = "name" if count == 1 else "names"
    cost = f"{lookup.questions} questions: A and AAAA for {count} {names}" if count else ""
    result = _words(lookup.reading) if lookup.reading else lookup.why
    yield f"{lookup.name}: {'; '.join(filter(None, (result, cost)))}"
    if lookup.reading and lookup.why:
        yield f"  {lookup.why}"
    for number, step in enumerate(lookup.steps, 1):
        both = "not known here"
        if step.a and step.aaaa:
            same = step.a == step.aaaa
            both = _words(step.a) if same else f"A {_words(step.a)}, AAAA {_words(step.aaaa)}"
        yield f"  {number}. {step.qname}  {both}"


def _words(reading: Reading) -> str:
    if reading.outcome is Outcome.RESOLVED and not reading.detail:
        return "resolved, to an address that is not known before"
    return str(reading)


def lookups_document(found: PodLookups) -> dict[str, Any]:
    """The same for programs."""
    conf = found.conf
    return {
        "schema_version": SCHEMA_VERSION,
        "pod": str(found.pod),
        "resolver": {
            "dns_policy": conf.policy,
            "server": conf.server.value,
            "nameservers": list(conf.conf.nameservers),
            "search": list(conf.conf.search),
            "options": list(conf.conf.options),
            "ndots": conf.ndots,
            "left_out": list(conf.left_out),
        },
        "answered_by_the_cluster": conf.server is Server.CLUSTER,
        "ways": [
            {
                "server": way.server,
                "protocol": way.protocol.value,
                "verdict": way.verdict.value,
                "reasons": list(way.reasons),
            }
            for way in found.ways
        ],
        "askable": None if found.askable is None else list(found.askable),
        "lookups": [_lookup_json(lookup) for lookup in found.lookups],
        "records": [
            {
                "name": record.question.qname,
                "type": record.question.rdtype,
                "answer": record.answer or None,
            }
            for record in found.records
        ],
        "assumed": list(found.assumed),
    }


def _lookup_json(lookup: NameLookup) -> dict[str, Any]:
    return {
        "name": lookup.name,
        "questions": lookup.questions,
        "outcome": lookup.reading.outcome.value if lookup.reading else None,
        "detail": (lookup.reading.detail or None) if lookup.reading else None,
        "why": lookup.why,
        "steps": [
            {"name": step.qname, "a": _json(step.a), "aaaa": _json(step.aaaa)}
            for step in lookup.steps
        ],
    }


def _json(reading: Reading | None) -> dict[str, str | None] | None:
    if reading is None:
        return None
    return {"outcome": reading.outcome.value, "detail": reading.detail or None}
