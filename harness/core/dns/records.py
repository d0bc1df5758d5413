"""The names that exist in the cluster's zone, each with its answers, as the zone gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from harness.core.dns.podconf import CLUSTER_DOMAIN
from harness.core.dns.question import Question
from harness.core.dns.zone import Zone
from harness.core.model import Pod, Service
from harness.core.outcome import Outcome, Reading

MAX_RECORDS = 1_000
"""Records that are listed; files decide how many there are."""


@dataclass(frozen=True, slots=True)
class Record:
    """One question that the zone answers, and its answer; empty if only the address is unknown."""

    question: Question
    answer: str


def records_of(zone: Zone, *, without: Iterable[str] = ()) -> tuple[Record, ...]:
    """The records of all Services but those of the keys `without`, in the order of their names.

    At most `MAX_RECORDS`. Names that a pod's or Service's address spells are left out: each
    address has one.
    """
    left_out = frozenset(without)
    keys = sorted(key for key in zone.topology.services if key not in left_out)
    found = (record for key in keys for record in _of(zone, zone.topology.services[key]))
    return tuple(islice(found, MAX_RECORDS))


def _of(zone: Zone, service: Service) -> Iterator[Record]:
    own = f"{service.name}.{service.namespace}.svc.{CLUSTER_DOMAIN}."
    types = ("CNAME", "A", "AAAA") if service.external_name else ("A", "AAAA")
    yield from _answered(zone, [Question(own, rdtype) for rdtype in types])
    for port in service.ports:
        if port.name:
            asked = Question(f"_{port.name}._{port.protocol.lower()}.{own}", "SRV")
            yield from _answered(zone, [asked])
    if service.headless:
        for pod in zone.topology.behind(service):
            yield from _answered(zone, _of_pod(pod, service, own))
    elif service.cluster_ip:
        yield from _answered(zone, [Question(service.cluster_ip.reverse_pointer + ".", "PTR")])


def _of_pod(pod: Pod, service: Service, own: str) -> Iterator[Question]:
    if pod.hostname and pod.subdomain == service.name:
        yield from (Question(f"{pod.hostname.lower()}.{own}", rdtype) for rdtype in ("A", "AAAA"))
    if pod.ip:
        yield Question(f"{pod.ip.reverse_pointer}.", "PTR")


def _answered(zone: Zone, questions: Iterable[Question]) -> Iterator[Record]:
    for question in questions:
        reading: Reading = zone.lookup(question)
        if reading.outcome is Outcome.RESOLVED:
            yield Record(question, reading.detail)
