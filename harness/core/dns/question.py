"""Questions and answers of DNS as plain values, and the questions that one lookup asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

import dns.exception
import dns.name

from harness.errors import OutcomeTableError, ProbeError

KEPT = 4096
"""Plans that are remembered: a change is watched by the same lookups, many times."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of class IN: an absolute name (`web.default.svc.cluster.local.`) and a type."""

    qname: str
    rdtype: str = "A"

    def __str__(self) -> str:
        return f"{self.rdtype} {self.qname}"


FULL_WEIGHT = 100
"""CoreDNS shares this weight out among the records of one answer."""


@dataclass(frozen=True, slots=True, order=True)
class SrvRecord:
    """Where a service listens (RFC 2782): lower priority first, then by weight.

    `weight` is the record's share of the weights of its priority, in percent.
    `target` is an absolute name in lower case.
    """

    priority: int
    weight: int
    port: int
    target: str

    def __str__(self) -> str:
        return f"{self.priority} {self.weight} {self.port} {self.target}"


def query_plan(
    name: str, *, search: Sequence[str], ndots: int, rdtypes: Sequence[str] = ("A",)
) -> tuple[Question, ...]:
    """The questions that a resolver asks for `name`, in order, until one is answered.

    A name with a trailing dot is absolute: it is asked once, as it is. A name with fewer dots than
    `ndots` is asked with each suffix of the search list first, and as it is last. Any other name is
    asked as it is first. Source: resolv.conf(5) as glibc does it; musl never searches for a name
    with so many dots.

    Raises:
        OutcomeTableError: `name` is not a valid DNS name.
        ProbeError: an entry of the search list is not a valid DNS name.
    """
    return _planned(name, tuple(search), ndots, tuple(rdtypes))


@lru_cache(maxsize=KEPT)
def _planned(
    name: str, search: tuple[str, ...], ndots: int, rdtypes: tuple[str, ...]
) -> tuple[Question, ...]:
    plain = _name(name)
    if plain.is_absolute():
        return _ask([plain], rdtypes)
    suffixes = [_suffix(suffix) for suffix in search]
    searched = [found for suffix in suffixes if (found := _join(plain, suffix)) is not None]
    as_is = plain.concatenate(dns.name.root)
    if name.count(".") >= ndots:
        return _ask([as_is, *searched], rdtypes)
    # A search list may hold the root itself; glibc does not ask for the plain name twice then.
    last = [] if dns.name.root in suffixes else [as_is]
    return _ask([*searched, *last], rdtypes)


def absolute(name: str) -> str:
    """The name as it is asked without any suffix."""
    return name if name.endswith(".") else f"{name}."


def joined(rdtype: str, answers: Iterable[str]) -> str:
    """Answers as the detail of a reading: in one order, so that two answers can be compared."""
    unique = set(answers)
    if rdtype in ("A", "AAAA"):
        return ", ".join(sorted(unique, key=lambda text: int(ip_address(text))))
    return "; ".join(sorted(unique))


def _ask(names: Iterable[dns.name.Name], rdtypes: Sequence[str]) -> tuple[Question, ...]:
    return tuple(Question(name.to_text(), rdtype) for name in names for rdtype in rdtypes)


def _join(name: dns.name.Name, suffix: dns.name.Name) -> dns.name.Name | None:
    try:
        return name.concatenate(suffix)
    except dns.name.NameTooLong:  # no such name can exist, so a resolver cannot ask for it
        return None


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text, origin=None)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise OutcomeTableError(
            "this is not a valid DNS name",
            where=text,
            seen=str(error),
            try_="labels of 1 to 63 characters",
        ) from error


def _suffix(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ProbeError(
            "an entry of the search list is not a valid DNS name", where=text, seen=str(error)
        ) from error
