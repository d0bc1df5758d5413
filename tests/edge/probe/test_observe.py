"""Asks put to real agents over loopback: who answers, what the controls say, what is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from harness.core.model import Pod, Protocol
from harness.core.observation import Answer, Attempt, Observation, Phase
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.probe.attempts import Attempts, Item, Pace
from harness.core.probe.judge import verdict
from harness.core.target import Fact, Lookup, NamePort, PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.api.livenames import LiveNames
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.observe import ROUND_ITEMS, Observer
from harness.edge.probe.streams import StreamProber
from harness.edge.probe.wire import Hello, Listener
from harness.errors import NoSctpError, ProbeError
from tests.edge.probe.standin import free_port, kubectl

WEB, API = PodRef("shop", "web"), PodRef("shop", "api")
PODS = [Pod("shop", name, {}, ip=ip_address("127.0.0.1")) for name in ("web", "api", "debug")]
FAST = Pace(offsets=(0.0, 0.05), deadline=0.3)


@pytest.fixture
def observer(tmp_path: Path) -> Iterator[Observer]:
    with StreamProber(kubectl(tmp_path), tmp_path / "config") as prober:
        yield Observer(prober, PodAddresses(PODS))


def asked(observer: Observer, port: PodPort) -> Observation:
    ask = Ask(WEB, port)
    return observer.read([ask], FAST)[ask].unwrap()


@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.UDP])
def test_listener_of_ours_answers_by_its_name(observer: Observer, protocol: Protocol) -> None:
    port = PodPort(API, free_port(), protocol)
    assert observer.listen([port]) == []

    seen = asked(observer, port)

    assert (seen.reading, seen.own, seen.peer) == (
        Reading(Outcome.CONNECTED),
        Reading(Outcome.CONNECTED),
        "shop/api",
    )


def test_mute_listener_makes_silence_one_way(observer: Observer) -> None:
    port = PodPort(API, free_port(socket.SOCK_DGRAM), Protocol.UDP)
    observer.listen([port], answers=False)

    assert asked(observer, port).reading == Reading(Outcome.ONE_WAY)


def test_port_that_refuses_its_own_pod_was_reached(observer: Observer) -> None:
    seen = asked(observer, PodPort(API, free_port(), Protocol.TCP))

    assert (seen.reading, seen.own) == (Reading(Outcome.REFUSED), Reading(Outcome.REFUSED))
    assert verdict(seen) is Verdict.ALLOW


def test_matrix_has_every_source_and_every_port(observer: Observer) -> None:
    ports = [PodPort(pod, free_port(), Protocol.TCP) for pod in (WEB, API)]

    seen = observer.matrix([WEB, API], ports, FAST)
    chosen = observer.matrix([WEB, API], ports, FAST, only=[Ask(WEB, ports[1])])

    assert [cell.verdict for _, cell in seen] == [Verdict.ALLOW] * 4
    assert list(chosen.cells) == [Ask(WEB, ports[1])]


class Recorder:
    """A prober that notes what is sent, and answers all of it the same way."""

    def __init__(self, attempt: Callable[[PodRef, Item], Attempt]) -> None:
        self.attempt = attempt
        self.names = LiveNames()
        self.rounds: list[dict[PodRef, list[Item]]] = []
        self.deadlines: list[float] = []
        self.broken: set[PodRef] = set()
        self.refusal = ""

    def close(self) -> None: ...

    def forget(self, pods: Iterable[PodRef]) -> None: ...

    def hellos(self, pods: Iterable[PodRef]) -> Mapping[PodRef, Answer[Hello]]:
        conf = "nameserver 10.96.0.10\nsearch shop.svc\noptions ndots:5\n"
        return {pod: Answer(Hello(pod.name, conf)) for pod in pods}

    def round(
        self, items: Mapping[PodRef, Sequence[Item]], *, deadline: float = 1.0
    ) -> Mapping[PodRef, Answer[Attempts]]:
        self.rounds.append({pod: list(batch) for pod, batch in items.items()})
        self.deadlines.append(deadline)
        gone: Answer[Attempts] = Answer(problem=ProbeError("the prober is gone"))
        return {
            pod: gone
            if pod in self.broken
            else Answer({item.id: [self.attempt(pod, item)] * 3 for item in batch})
            for pod, batch in items.items()
        }

    def listen(
        self, doors: Mapping[PodRef, Sequence[Listener]]
    ) -> Mapping[PodRef, Answer[Mapping[Listener, str]]]:
        return {pod: Answer(dict.fromkeys(wanted, self.refusal)) for pod, wanted in doors.items()}

    def heard(self, pods: Iterable[PodRef]) -> Mapping[PodRef, Answer[Mapping[str, float]]]:
        return {pod: Answer({}) for pod in pods}

    def time_lookups(self, pod: PodRef, names: Sequence[str], *, repeat: int) -> dict[Any, Any]:
        return {}


def connected(pod: PodRef, item: Item) -> Attempt:
    return Attempt(Phase.CONNECTED, 0.5)


def silent(pod: PodRef, item: Item) -> Attempt:
    return Attempt(Phase.TIMEOUT, 1250.0)


def silent_to_others(pod: PodRef, item: Item) -> Attempt:
    return connected(pod, item) if pod == API else silent(pod, item)


def test_control_is_sent_once_for_each_port() -> None:
    prober = Recorder(silent_to_others)
    port = PodPort(API, 8080, Protocol.TCP)
    asks = [Ask(PodRef("shop", name), port) for name in ("web", "debug", "api")]

    seen = Observer(prober, PodAddresses(PODS)).read(asks)

    assert {str(pod): len(items) for pod, items in prober.rounds[0].items()} == {
        "shop/api": 1,
        "shop/web": 1,
        "shop/debug": 1,
    }
    assert [seen[ask].unwrap().reading.outcome for ask in asks] == [
        Outcome.TIMEOUT,
        Outcome.TIMEOUT,
        Outcome.CONNECTED,
    ]


@pytest.mark.parametrize("error", ["EPROTONOSUPPORT", "ESOCKTNOSUPPORT"])
def test_kernel_without_sctp_is_told_from_a_listener_that_failed(error: str) -> None:
    prober = Recorder(connected)
    prober.refusal = error

    with pytest.raises(NoSctpError, match=f"no SCTP \\({error}\\)") as raised:
        Observer(prober, PodAddresses(PODS)).listen([PodPort(API, 8080, Protocol.SCTP)])
    assert raised.value.where == "shop/api"


@pytest.mark.parametrize(
    ("protocol", "error"), [(Protocol.SCTP, "EACCES"), (Protocol.TCP, "EPROTONOSUPPORT")]
)
def test_listener_that_failed_is_never_a_kernel_without_sctp(
    protocol: Protocol, error: str
) -> None:
    prober = Recorder(connected)
    prober.refusal = error

    told = Observer(prober, PodAddresses(PODS)).listen([PodPort(API, 8080, protocol)])

    assert told == [f"shop/api {protocol.lower()}/8080: {error}"]


def test_pod_whose_prober_broke_has_no_verdict_and_the_others_have() -> None:
    prober = Recorder(connected)
    prober.broken = {WEB}
    port = PodPort(API, 8080, Protocol.TCP)
    asks = [Ask(WEB, port), Ask(API, port)]

    seen = Observer(prober, PodAddresses(PODS)).read(asks)

    assert seen[asks[0]].problem
    assert seen[asks[1]].unwrap().reading == Reading(Outcome.CONNECTED)


def test_what_cannot_be_asked_has_no_verdict() -> None:
    asks = [
        Ask(WEB, Fact("last-words")),
        Ask(WEB, PodPort(PodRef("shop", "gone"), 80, Protocol.TCP)),
    ]

    seen = Observer(Recorder(connected), PodAddresses(PODS)).read(asks)

    assert "no client can ask this" in str(seen[asks[0]].problem)
    assert "has no address" in str(seen[asks[1]].problem)


def test_name_that_is_not_resolved_is_not_connected_to() -> None:
    prober = Recorder(silent)
    ask = Ask(WEB, NamePort("api.shop", 80))

    seen = Observer(prober, PodAddresses(PODS)).read([ask])[ask].unwrap()

    assert seen.reading == Reading(Outcome.DNS_TIMEOUT)
    assert seen.resolution
    assert seen.resolution.server == "10.96.0.10"
    assert len(prober.rounds) == 1


def test_lookup_keeps_its_questions_in_the_resolvers_order() -> None:
    ask = Ask(WEB, Lookup("google.com"))

    seen = Observer(Recorder(silent), PodAddresses(PODS)).read([ask])[ask].unwrap()

    assert seen.resolution
    names = [asked.qname for asked in seen.resolution.questions]
    assert names == ["google.com.shop.svc.", "google.com."]
    assert seen.attempts == seen.resolution.questions[-1].attempts


def test_closing_flow_is_attempted_all_along() -> None:
    prober = Recorder(silent_to_others)
    closing_ask, other = (Ask(WEB, PodPort(API, port, Protocol.TCP)) for port in (8080, 8081))

    Observer(prober, PodAddresses(PODS)).read(
        [closing_ask, other], closing=frozenset([closing_ask])
    )

    assert {item.port: item.every for item in prober.rounds[0][WEB]} == {8080: True, 8081: False}


def test_more_probes_than_a_round_holds_are_spread_over_several() -> None:
    prober = Recorder(connected)
    asks = [Ask(WEB, PodPort(API, port, Protocol.TCP)) for port in range(1, ROUND_ITEMS)]

    seen = Observer(prober, PodAddresses(PODS)).read(asks)

    assert [sum(map(len, sent.values())) for sent in prober.rounds] == [
        ROUND_ITEMS,
        ROUND_ITEMS - 2,
    ]
    assert prober.deadlines[0] == pytest.approx(1.25 + 3000 * 0.0003)
    assert all(answer.value for answer in seen.values())
