"""Facts about lookups: resolver options, the questions that reach the name server, and the time."""

from __future__ import annotations

from secrets import token_hex

from harness.core.dns.wire import parse_query_log
from harness.core.lab.documented import Row
from harness.core.observation import Observation, Transcript
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import count_of
from harness.core.probe.spread import Spread
from harness.core.target import DnsQuery, PodRef
from harness.core.target.ask import Ask
from harness.edge.facts.logs import logged_since
from harness.edge.machine.wait import NotYet
from harness.edge.stage.bench import Bench

REPEAT = 40
"""Lookups of each name: one lookup is too short to be timed."""

PERCENT = 100
SYSTEM, COREDNS = "kube-system", "k8s-app=kube-dns"


def resolver_option(bench: Bench, row: Row, option: str) -> Observation:
    """The option as the pod's own resolv.conf has it."""
    conf = bench.observer.resolv_conf(row.source)
    shown = conf.option(option) or f"no {option}"
    evidence = {
        "nameservers": list(conf.nameservers),
        "search": list(conf.search),
        "options": list(conf.options),
    }
    return Observation(Reading(Outcome.SHOWS, shown), evidence=evidence)


def questions(bench: Bench, row: Row, name: str) -> Observation:
    """The A questions that CoreDNS really received for one `nslookup` in the pod, from its log."""
    asked, transcript = _asked(bench, row.source, name)
    addresses = [q for q in asked if q["type"] == "A"]
    return Observation(
        Reading(Outcome.SHOWS, count_of(len(addresses))),
        transcripts=(transcript,),
        notes=tuple(f"{q['type']} {q['name']}: {q['rcode']}" for q in asked),
        evidence={"questions": asked},
    )


def questions_saved(bench: Bench, row: Row, name: str) -> Observation:
    """How much of the name server's work the trailing dot saves, in percent of the questions."""
    counts = []
    for asking in (name, f"{name}."):
        asked, _ = _asked(bench, row.source, asking)
        counts.append(sum(q["type"] == "A" for q in asked))
    without, with_dot = counts
    saved = round((without - with_dot) / without * PERCENT)
    note = f"{without} questions without the dot, {with_dot} with it"
    return Observation(
        Reading(Outcome.SHOWS, f"{saved} % fewer questions"),
        notes=(note,),
        evidence={"counts": counts},
    )


def lookup_time(bench: Bench, row: Row, name: str) -> Observation:
    """Whether the C library's lookups are faster with the trailing dot, by their median times."""
    bench.addresses.allow_question(name)
    absolute = f"{name}."
    taken = bench.prober.time_lookups(row.source, [name, absolute], repeat=REPEAT)
    plain, dotted = Spread.of(taken[name]), Spread.of(taken[absolute])
    word = "faster" if dotted.median < plain.median else "not faster"
    note = f"without the dot {plain}; with it {dotted}; {plain.median / dotted.median:.1f} times"
    return Observation(
        Reading(Outcome.SHOWS, word),
        notes=(note,),
        evidence={
            "spread": {name: plain.as_evidence(), absolute: dotted.as_evidence()},
            "ms": taken,
        },
    )


def _asked(bench: Bench, pod: PodRef, name: str) -> tuple[list[dict[str, str]], Transcript]:
    """Run `nslookup NAME` in the pod and return what CoreDNS logged of that pod meanwhile.

    A line's time is when the node read it, and a busy node reads late: questions from before would
    count. So the pod first asks for a name that nobody else asks for; what CoreDNS logged before
    the line about that name is left out.
    """
    bench.addresses.allow_question(name)
    since = bench.kube.clock.now()
    marker = f"policylab-{token_hex(8)}.default.svc.cluster.local."
    bench.observer.read([Ask(pod, DnsQuery("A", marker))])
    transcript = bench.replayer.run(pod, ["nslookup", name])
    clients, plain = set(bench.addresses.pod(pod).values()), name.rstrip(".")

    def logged() -> list[dict[str, str]]:
        found, marked = [], False
        for body in bench.kube.list("v1", "Pod", SYSTEM, selector=COREDNS):
            server = body["metadata"]["name"]
            lines = list(logged_since(bench.kube, SYSTEM, server, since))
            entries = [(stamp, parse_query_log(line)) for stamp, line in lines]
            own = [(stamp, e) for stamp, e in entries if e and e.client in clients]
            names = [entry.qname for _, entry in own]
            marked = marked or marker in names
            after = names.index(marker) + 1 if marker in names else 0
            for stamp, entry in own[after:]:
                if entry.qname.startswith(f"{plain}."):
                    asked = {"name": entry.qname, "type": entry.qtype, "rcode": entry.rcode}
                    found.append((stamp, asked))
        if not marked:
            raise NotYet(f"CoreDNS has not logged that {pod} asked for {marker}")
        if not any(q["name"] == f"{plain}." and q["type"] == "AAAA" for _, q in found):
            raise NotYet(f"CoreDNS logged {len(found)} questions of {pod}, not yet the last one")
        return [asked for _, asked in sorted(found, key=lambda pair: pair[0])]

    asked = bench.kube.wait(
        f"CoreDNS logs the questions of {pod}",
        logged,
        seconds=bench.patience.log,
        try_="the cluster's CoreDNS needs its `log` plugin: clusters made by policylab have it",
    )
    return asked, transcript
