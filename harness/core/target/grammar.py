"""How a person writes a target or a pod: in tables, on the command line, in lists of flows.

Capital letters in a form stand for:

    NAMESPACE, NAME   the name of a Kubernetes object
    PORT              a port's number
    HOST              a DNS name; after `dns/` it is absolute even without its last dot
    OUTSIDE           a DNS name, or an address; an IPv6 address is written in square brackets
    TYPE              a record type: A, AAAA, SRV, TXT, PTR or CNAME
    WORD              lower-case letters, digits and `-`

A part in square brackets may be left out; `|` stands between alternatives. Without `/udp` or
`/sctp` a port is TCP's, without `/tcp` a question goes over UDP. A Deployment's pods are NAME-1,
NAME-2 and so on. Before a pod's name `deploy/` may be written, as in `kubectl exec`: it means any
pod of that Deployment, which is NAME-1 here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from harness.core.model import PodRef, Protocol
from harness.core.target.facts import FACTS, Ends
from harness.core.target.kinds import (
    Blocked,
    DnsQuery,
    ExternalPort,
    Fact,
    FactEnd,
    Lookup,
    NamePort,
    NodePort,
    Ping,
    PodPort,
    Questions,
    ResolverOption,
    Rollout,
    ServiceAddress,
    Target,
)
from harness.errors import OutcomeTableError

Parts = Mapping[str, str]
"""What a text has for each part of its form; an optional part is missing or stands for itself."""

MAX_PORT = 65_535
MAX_TEXT = 600
"""Characters of the longest target: two Kubernetes names (RFC 1123) and the rest."""

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_HOST_LABEL = r"[_A-Za-z0-9][-_A-Za-z0-9]{0,62}"
_PARTS = {
    "NAMESPACE": (_LABEL, "lower-case letters, digits and `-`"),
    "NAME": (rf"{_LABEL}(?:\.{_LABEL})*", "lower-case letters, digits, `-` and `.`"),
    "PORT": (r"[1-9][0-9]{0,4}(?![0-9])", f"a number from 1 to {MAX_PORT}"),
    "HOST": (rf"{_HOST_LABEL}(?:\.{_HOST_LABEL})*\.?", "a DNS name"),
    "OUTSIDE": (
        rf"{_HOST_LABEL}(?:\.{_HOST_LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\]",
        "a DNS name or an address",
    ),
    "TYPE": (r"(?:AAAA|A|SRV|TXT|PTR|CNAME)(?=/)", "A, AAAA, SRV, TXT, PTR or CNAME"),
    "WORD": (r"[a-z0-9-]+", "lower-case letters, digits and `-`"),
}
_PIECE = re.compile(r"\[[^]]+\]|[A-Z]+|[a-z-]+|[/:]")
_POD = "NAMESPACE/[deploy/]NAME"
_OVER = "/udp|/sctp"


def _pod(parts: Parts) -> PodRef:
    name = parts["NAME"]
    return PodRef(parts["NAMESPACE"], f"{name}-1" if "deploy/" in parts else name)


def _pod_port(parts: Parts) -> PodPort:
    return PodPort(_pod(parts), int(parts["PORT"]), _protocol(parts))


def _service(parts: Parts) -> ServiceAddress:
    return ServiceAddress(parts["NAMESPACE"], parts["NAME"], int(parts["PORT"]), _protocol(parts))


def _node_port(parts: Parts) -> NodePort:
    return NodePort(parts["NAMESPACE"], parts["NAME"], int(parts["PORT"]), _protocol(parts))


def _external(parts: Parts) -> ExternalPort:
    return ExternalPort(parts["OUTSIDE"], int(parts["PORT"]), _protocol(parts))


def _name_port(parts: Parts) -> NamePort:
    return NamePort(parts["HOST"], int(parts["PORT"]))


def _question(parts: Parts) -> DnsQuery:
    return DnsQuery(parts["TYPE"], f"{parts['HOST'].removesuffix('.')}.", "/tcp" in parts)


def _protocol(parts: Parts) -> Protocol:
    return Protocol(parts.get(_OVER, "/tcp").removeprefix("/").upper())


_ENDS: Mapping[Ends, Callable[[Parts], tuple[FactEnd, ...]]] = {
    Ends.NOTHING: lambda _: (),
    Ends.HOST: lambda p: (p["HOST"],),
    Ends.NAME_PORT: lambda p: (_name_port(p),),
    Ends.NAME_PORT_AND_POD: lambda p: (_name_port(p), _pod(p)),
    Ends.POD_PORT: lambda p: (_pod_port(p),),
}


_ANY_FACT = "fact/NAME"


def _fact_form(name: str) -> str:
    return "/".join(filter(None, ("fact", name, FACTS[name].ends)))


def _fact(name: str, ends: Ends) -> Callable[[Parts], Fact]:
    return lambda parts: Fact(name, _ENDS[ends](parts))


FORMS: Mapping[str, Callable[[Parts], Target]] = {
    f"pod/{_POD}:PORT[{_OVER}]": _pod_port,
    f"svc/NAMESPACE/NAME:PORT[{_OVER}]": _service,
    f"nodeport/NAMESPACE/NAME:PORT[{_OVER}]": _node_port,
    f"net/OUTSIDE:PORT[{_OVER}]": lambda p: ExternalPort(
        p["OUTSIDE"], int(p["PORT"]), _protocol(p)
    ),
    "name/HOST:PORT": _name_port,
    f"ping/pod/{_POD}": lambda p: Ping(_pod(p)),
    "ping/net/OUTSIDE": lambda p: Ping(p["OUTSIDE"]),
    "dns/TYPE/HOST[/tcp]": _question,
    "lookup/HOST": lambda p: Lookup(p["HOST"]),
    "questions/HOST": lambda p: Questions(p["HOST"]),
    "option/WORD": lambda p: ResolverOption(p["WORD"]),
    f"blocked/pod/{_POD}:PORT[{_OVER}]": lambda p: Blocked(_pod_port(p)),
    "rollout/WORD": lambda p: Rollout(p["WORD"]),
    **{_fact_form(name): _fact(name, kind.ends) for name, kind in FACTS.items()},
}
"""Every form of a target, and what is made of its parts."""

_EVERY_FORM = ", ".join(
    (*(form for form in FORMS if not form.startswith("fact/")), f"{_ANY_FACT}[/...]")
)
KINDS = tuple(dict.fromkeys(form.partition("/")[0] for form in FORMS))


class _Misfit(Exception):  # noqa: N818 - never leaves this module
    """A text does not follow a form from the character `at` on; `expected` is what the form has."""

    def __init__(self, form: str, at: int, expected: str) -> None:
        self.form, self.at, self.expected = form, at, expected
        super().__init__(form)


def parse_pod(text: str, *, where: str) -> PodRef:
    """Read a `from` cell: `NAMESPACE/NAME` or `NAMESPACE/deploy/NAME`.

    Raises:
        OutcomeTableError: the text is not of that form; the message says from where on, and
            suggests the nearest text that is.
    """
    try:
        return _pod(_parts(_POD, text))
    except _Misfit as misfit:
        nearest = next(_near_pods(text[:MAX_TEXT]), "")
        raise OutcomeTableError(
            f"`{text[:MAX_TEXT]}` is not a valid name of a pod",
            where=where,
            seen=_seen(text, misfit),
            try_=f"did you mean `{nearest}`?" if nearest else "write NAMESPACE/NAME.",
        ) from None


def parse_source(text: str, *, where: str) -> PodRef | str:
    """Read who asks: a pod as `parse_pod` reads it, or the name or address after `net/`.

    Raises:
        OutcomeTableError: the text is of neither form; the message says from where on.
    """
    if not text.startswith("net/"):
        return parse_pod(text, where=where)
    try:
        return _parts("net/OUTSIDE", text)["OUTSIDE"]
    except _Misfit as misfit:
        raise OutcomeTableError(
            f"`{text[:MAX_TEXT]}` is not a valid name or address outside of the cluster",
            where=where,
            seen=_seen(text, misfit),
            try_="write net/ADDRESS, e.g. net/198.51.100.7",
        ) from None


def parse_target(text: str, *, where: str) -> Target:
    """Read a `to` cell.

    Raises:
        OutcomeTableError: the text follows none of the `FORMS`; the message says from where on, and
            suggests the nearest text that does.
    """
    try:
        return _read(text)
    except _Misfit as misfit:
        nearest = next(_nearest(text[:MAX_TEXT]), "")
        raise OutcomeTableError(
            f"`{text[:MAX_TEXT]}` is not a valid target",
            where=where,
            seen=_seen(text, misfit),
            try_=f"did you mean `{nearest}`?" if nearest else f"write {misfit.form}.",
        ) from None


def _unknown_fact(name: str) -> _Misfit:
    near = get_close_matches(name, FACTS, n=1)
    form = _fact_form(near[0]) if near else f"{_ANY_FACT}, where NAME is one of {', '.join(FACTS)}"
    return _Misfit(form, len("fact/"), "the name of a fact")


def _read(text: str) -> Target:
    kind, slash, rest = text.partition("/")
    if kind == "fact" and (name := rest.partition("/")[0]) not in FACTS:
        raise _unknown_fact(name) if slash else _Misfit(_ANY_FACT, len(kind), "`/`")
    misfits: list[_Misfit] = []
    for form, make in FORMS.items():
        if form.partition("/")[0] == kind:
            try:
                return make(_parts(form, text))
            except _Misfit as misfit:
                misfits.append(misfit)
    if not misfits:
        raise _Misfit(_EVERY_FORM, 0, f"a kind of target ({', '.join(KINDS)})")
    farthest = max(misfit.at for misfit in misfits)
    nearest = [misfit for misfit in misfits if misfit.at == farthest]
    forms, expected = (
        " or ".join(dict.fromkeys(words))
        for words in ((m.form for m in nearest), (m.expected for m in nearest))
    )
    raise _Misfit(forms, farthest, expected)


def _parts(form: str, text: str) -> Parts:
    """The parts of a text that follows the form.

    Raises:
        _Misfit: it does not.
    """
    parts: dict[str, str] = {}
    at = 0
    if len(text) > MAX_TEXT:
        raise _Misfit(form, MAX_TEXT, f"the end, for a target has at most {MAX_TEXT} characters")
    for piece in _PIECE.findall(form):
        name = piece.strip("[]")
        pattern, meaning = _PARTS.get(name, (_word(name), ""))
        found = re.compile(pattern).match(text, at)
        if (found and name in _PARTS and _fits(name, found[0])) or (found and name not in _PARTS):
            parts[name] = found[0]
        elif piece != f"[{name}]":
            raise _Misfit(form, at, f"{name} ({meaning})" if meaning else f"`{name}`")
        at = found.end() if found else at
    if at < len(text):
        raise _Misfit(form, at, "the end")
    return parts


def _word(text: str) -> str:
    """A pattern for a word of a form: all of it, or for `/` and the like the characters alone."""
    if "|" in text:
        return "|".join(rf"{word}(?![a-z0-9-])" for word in text.split("|"))
    return rf"{text}(?![a-z0-9-])" if text[-1].isalpha() and "/" not in text else re.escape(text)


def _fits(name: str, value: str) -> bool:
    return name != "PORT" or int(value) <= MAX_PORT


def _seen(text: str, misfit: _Misfit) -> str:
    before, after = text[: misfit.at], text[misfit.at : MAX_TEXT]
    found = f"`{after}`" if after else "nothing"
    place = f"after `{before}`" if before else "at the beginning"
    return f"{place} there is {found}, where {misfit.expected} must be"


def _near_pods(text: str) -> Iterator[str]:
    """Names of pods that are written almost like this text."""
    name = "".join(text.split()).removeprefix("pod/").partition(":")[0]
    for spelt in (name, name.lower()):
        try:
            yield str(_pod(_parts(_POD, spelt)))
        except _Misfit:
            continue


def _nearest(text: str) -> Iterator[str]:
    """Texts that are written almost like this one, and are valid."""
    tidy = "".join(text.split())
    for spelt in (tidy, tidy.lower()):
        for short in (spelt, spelt.removesuffix("/tcp")):
            kind, _, rest = short.partition("/")
            candidates = [short]
            if kind == "fact":
                name, slash, ends = rest.partition("/")
                near = get_close_matches(name, FACTS, n=1)
                candidates += [f"fact/{other}{slash}{ends}" for other in near]
            if kind not in KINDS:
                near = get_close_matches(kind, KINDS, n=1)
                candidates += [f"{other}/{rest}" for other in near]
                candidates += [f"pod/{short}", f"net/{short}" if "." in kind else ""]
            for candidate in candidates:
                try:
                    yield str(_read(candidate))
                except _Misfit:
                    continue
