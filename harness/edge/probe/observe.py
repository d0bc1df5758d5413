"""The right column: what clients in the pods see.

All of a step's flows are probed in one round (names need a second one, after they resolved). Each
silent flow to a pod is accompanied by a control in the same round: the target connects to itself
inside its own network namespace, where no policy acts, so a dead server cannot pose as a denial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.core.ask import Ask
from harness.core.dns.question import Question, query_plan
from harness.core.dns.resolvconf import ResolvConf
from harness.core.dns.wire import encode
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import Attempts, Item, classify
from harness.core.probe.interpret import IDENT, JUDGE, Pace, Plan, connection, names, resolved_first
from harness.core.target import (
    DnsQuery,
    ExternalPort,
    Lookup,
    NamePort,
    Ping,
    PodPort,
    PodRef,
    ServiceAddress,
)
from harness.edge.probe.addresses import Addresses
from harness.edge.probe.prober import Prober
from harness.errors import ProbeError

HTTP_PORT = 80
HEAD = b"HEAD / HTTP/1.0\r\n\r\n"


class Observer:
    """Asks flows and names from inside the pods."""

    def __init__(self, prober: Prober, addresses: Addresses) -> None:
        self._prober = prober
        self._addresses = addresses

    def resolv_conf(self, pod: PodRef) -> ResolvConf:
        """The pod's resolver configuration, as its prober reads it."""
        return ResolvConf.parse(self._prober.hello(pod).resolv_conf)

    def read(
        self, asks: Sequence[Ask], pace: Pace = JUDGE, *, closing: frozenset[Ask] = frozenset()
    ) -> dict[Ask, Observation | ProbeError]:
        """Observe every ask; one whose tool broke maps to its ProbeError.

        Those in `closing` are attempted all along, for they are about to fall silent.
        """
        found: dict[Ask, Observation | ProbeError] = {}
        watched = replace(pace, every=True)
        paces = {ask: watched if ask in closing else pace for ask in asks}
        by_name = {a: p for a, p in paces.items() if isinstance(a.target, NamePort)}
        named = self._plans(by_name, found)
        # Names first: an answer comes within milliseconds, and the connection joins all the others.
        first = self._round(named, pace)
        found.update(first)
        others = {a: p for a, p in paces.items() if a not in by_name}
        plans = self._plans(others, found)
        plans += _connections(first, pace)
        for ask, seen in self._round(plans, pace).items():
            before = first.get(ask)
            both = isinstance(before, Observation) and isinstance(seen, Observation)
            found[ask] = resolved_first(before, seen) if both else seen  # type: ignore[arg-type]
        return found

    def _plans(
        self, paces: Mapping[Ask, Pace], failed: dict[Ask, Observation | ProbeError]
    ) -> list[Plan]:
        plans: list[Plan] = []
        for number, (ask, pace) in enumerate(paces.items()):
            try:
                plans.append(self._plan(f"{number}", ask, pace))
            except ProbeError as error:
                failed[ask] = error
        return plans

    def _round(self, plans: Sequence[Plan], pace: Pace) -> dict[Ask, Observation | ProbeError]:
        batches: dict[PodRef, list[Item]] = {}
        for plan in plans:
            batches.setdefault(plan.ask.source, []).extend(plan.items)
            if plan.alive:
                pod, item = plan.alive
                batches.setdefault(pod, []).append(item)
        answers = self._prober.round(batches, deadline=pace.deadline) if batches else {}
        return {plan.ask: self._interpret(plan, answers, pace) for plan in plans}

    def _plan(self, prefix: str, ask: Ask, pace: Pace) -> Plan:
        target = ask.target
        match target:
            case PodPort():
                address = self._addresses.pod(target.pod)
                item = _port(prefix, address, target.port, str(target.protocol), pace)
                check = Item(f"alive-{prefix}", "tcp", address, target.port, offsets=(0.0,))
                alive = (target.pod, check) if item.protocol == "tcp" else None
                return Plan(ask, [item], alive=alive, expected=self._may_answer(target.pod))
            case ServiceAddress():
                address = self._addresses.service(target.namespace, target.name)
                behind = self._addresses.backends(target.namespace, target.name)
                item = _port(prefix, address, target.port, str(target.protocol), pace)
                return Plan(ask, [item], expected=self._may_answer(*behind))
            case ExternalPort():
                address = self._addresses.external(target.name)
                return Plan(ask, [_port(prefix, address, target.port, str(target.protocol), pace)])
            case Ping():
                address = (
                    self._addresses.external(target.target)
                    if isinstance(target.target, str)
                    else self._addresses.pod(target.target)
                )
                item = _item(prefix, "icmp", address, 0, payload=b"", want="none", pace=pace)
                return Plan(ask, [item])
            case DnsQuery():
                return self._ask_dns(
                    prefix, ask, [Question(target.qname, target.rdtype)], pace, tcp=target.tcp
                )
            case Lookup() | NamePort():
                self._addresses.allow_question(target.name)
                conf = self.resolv_conf(ask.source)
                plan = query_plan(target.name, search=conf.search, ndots=conf.ndots)
                return self._ask_dns(prefix, ask, list(plan), pace, tcp=False)
        raise ProbeError(f"no client can observe `{target}` directly", where=str(ask))

    def _may_answer(self, *pods: PodRef) -> frozenset[str]:
        return frozenset(self._addresses.host_name(pod) for pod in pods)

    def _ask_dns(
        self, prefix: str, ask: Ask, questions: list[Question], pace: Pace, *, tcp: bool
    ) -> Plan:
        server = self.resolv_conf(ask.source).nameservers[0]
        plan = Plan(ask, questions=questions)
        for number, question in enumerate(questions):
            wire = encode(question, ident=IDENT)
            payload = len(wire).to_bytes(2, "big") + wire if tcp else wire
            protocol = "tcp" if tcp else "udp"
            asked = f"{prefix}.{number}"
            item = _item(asked, protocol, server, 53, payload=payload, want="dns", pace=pace)
            plan.items.append(item)
        return plan

    def _interpret(
        self,
        plan: Plan,
        answers: Mapping[PodRef, Answer[Attempts]],
        pace: Pace,
    ) -> Observation | ProbeError:
        try:
            answer = answers[plan.ask.source].unwrap()
            if plan.questions:
                return names(plan, answer, pace)
            return connection(plan, answer, self._alive(plan, answers), pace)
        except ProbeError as error:
            return error

    def _alive(self, plan: Plan, answers: Mapping[PodRef, Answer[Attempts]]) -> Reading | None:
        if plan.alive is None:
            return None
        pod, item = plan.alive
        return Reading(classify(answers[pod].unwrap()[item.id], wanted=1, where=f"{pod} to itself"))


def _connections(names: Mapping[Ask, Observation | ProbeError], pace: Pace) -> Sequence[Plan]:
    """Names that resolved are connected to by the address that they resolved to."""
    plans: list[Plan] = []
    for ask, seen in names.items():
        if not isinstance(ask.target, NamePort) or not isinstance(seen, Observation):
            continue
        if seen.reading.outcome is Outcome.RESOLVED:
            address = seen.reading.detail.split(", ")[0]
            plans.append(Plan(ask, [_tcp(f"named-{len(plans)}", address, ask.target.port, pace)]))
    return plans


def _port(item_id: str, address: str, port: int, protocol: str, pace: Pace) -> Item:
    if protocol == "TCP":
        return _tcp(item_id, address, port, pace)
    return _item(
        item_id, protocol.lower(), address, port, payload=b"policylab", want="bytes", pace=pace
    )


def _tcp(item_id: str, address: str, port: int, pace: Pace) -> Item:
    if port == HTTP_PORT:
        return _item(item_id, "tcp", address, port, payload=HEAD, want="bytes", pace=pace)
    return _item(item_id, "tcp", address, port, payload=b"", want="none", pace=pace)


def _item(
    item_id: str, protocol: str, address: str, port: int, *, payload: bytes, want: str, pace: Pace
) -> Item:
    return Item(
        item_id,
        protocol,
        address,
        port,
        payload,
        want,
        pace.offsets,
        first=pace.latest,
        every=pace.every,
    )
