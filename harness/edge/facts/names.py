"""What happens outside while a policy by name is in force: a name moves, a server fails."""

from __future__ import annotations

import re

from harness.core.ask import Ask
from harness.core.lab.documented import Row
from harness.core.model import Protocol
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import Item, classify
from harness.core.target import ExternalPort, Lookup, PodRef, Target
from harness.core.world import INTERNET, SPARES
from harness.edge.cni.cilium.agents import CiliumAgents
from harness.edge.internet.controls import Outside
from harness.edge.internet.state import Fault, WebFault
from harness.edge.machine.wait import NotYet
from harness.edge.stage.bench import Bench
from harness.errors import ProbeError

MOVING = "moving.cilium.io"
WITNESS = "frontend"
"""The pod beside the client that no policy selects: it shows that the address is alive."""
HTTPS = 443
KNOWN = (("cilium-dbg", "bpf", "ipcache", "list"), ("cilium-dbg", "fqdn", "cache", "list"))
"""What prints the addresses that an agent has an identity for, and those that names led to."""
FORGET = ("cilium-dbg", "fqdn", "cache", "clean", "--force", f"--matchpattern={MOVING}")
FORGET_SECONDS = 90.0
"""Cilium collects names that nobody uses any more once a minute, if their connections have ended.
Measured: every address gone within 20 s after two runs, and one still there after 90 s in a third.
"""
CACHE_SECONDS = 45.0
"""Longer than any answer stays in CoreDNS's cache (30 s by its Corefile; 1 s for this name)."""


def new_address_unasked(bench: Bench, row: Row) -> Observation:
    """What the client sees of the address that the name has moved to, before it asks again.

    Raises:
        ProbeError: there is no simulated internet, or nobody else reaches the address either.
    """
    controls = _controls(bench)
    spare, new = _spare(bench)
    witness = PodRef(row.source.namespace, WITNESS)
    with controls:
        controls.set(MOVING, address=spare)
        seen = _at_address(bench, [row.source, witness], new)
    if seen[witness] is not Outcome.CONNECTED:
        raise ProbeError(
            "the new address does not answer anybody", where=new, seen=str(seen[witness])
        )
    return _shows(seen[row.source], new, f"{witness}, which no policy selects, reaches it")


def new_address_asked(bench: Bench, row: Row) -> Observation:
    """What the client sees of the new address once it has asked for the name and been told it."""
    controls = _controls(bench)
    spare, new = _spare(bench)
    with controls:
        controls.set(MOVING, address=spare)
        took = _until_reading(bench, row.source, Reading(Outcome.RESOLVED, new))
        seen = _at_address(bench, [row.source], new)
    return _shows(seen[row.source], new, f"the name led there after {took:.1f} s")


def name_server_fails(bench: Bench, row: Row) -> Observation:
    """What a lookup shows while the name's own server answers SERVFAIL."""
    controls = _controls(bench)
    with controls:
        controls.set(MOVING, fault=Fault.SERVFAIL)
        failed = Reading(Outcome.DNS_SERVFAIL)
        took = _until_reading(bench, row.source, failed)
    return Observation(failed, notes=(f"after {took:.1f} s, when the old answer was forgotten",))


def web_server_refuses(bench: Bench, row: Row) -> Observation:
    """What a connection to the name's address shows while nobody listens there."""
    controls = _controls(bench)
    target = ExternalPort(MOVING, HTTPS, Protocol.TCP)
    _ask(bench, row.source, Lookup(MOVING))  # so that Cilium knows the address as the name's
    with controls:
        controls.set(MOVING, web=WebFault.REFUSED)
        return _ask(bench, row.source, target)


def _spare(bench: Bench) -> tuple[str, str]:
    """An address that Cilium was never told: as `world` speaks of it, and as it is.

    What it was told outlives the pod that asked, and the run. Only if every address is known from
    earlier runs are they forgotten, which Cilium does in its own time.
    """
    addresses = bench.internet.addresses if bench.internet else {}
    agents = CiliumAgents(bench.kube, bench.replayer.kubectl)

    def unknown() -> tuple[str, str]:
        names = tuple(agents.by_node().values())
        told = "\n".join(agents.ask(name, words) for name in names for words in KNOWN)
        known = {word.removesuffix("/32") for word in re.split(r"[\s,]+", told)}
        for spare in SPARES:
            if addresses[spare] not in known:
                return spare, addresses[spare]
        for name in names:
            agents.ask(name, FORGET)
        raise NotYet(f"it still knows each of {len(SPARES)}")

    what = "an address that Cilium was never told"
    return bench.kube.wait(what, unknown, seconds=FORGET_SECONDS, every=1.0)


def _controls(bench: Bench) -> Outside:
    if bench.controls is None or bench.internet is None or not bench.internet.addresses:
        raise ProbeError(
            "nothing outside can be changed here",
            seen="no simulated internet",
            try_="--lab-internet=simulated, on a cluster of policylab's own",
        )
    return bench.controls(bench.internet)


def _ask(bench: Bench, pod: PodRef, target: Target) -> Observation:
    ask = Ask(pod, target)
    return bench.observer.read([ask])[ask].unwrap()


def _until_reading(bench: Bench, pod: PodRef, wanted: Reading) -> float:
    """Ask for the name until it reads so; the seconds that took: the cluster's cache decides."""
    asked = Lookup(MOVING)

    def reads() -> float:
        seen = _ask(bench, pod, asked).reading
        if seen != wanted:
            raise NotYet(f"{MOVING} is {seen}")
        return bench.kube.clock.monotonic()

    began = bench.kube.clock.monotonic()
    return bench.kube.wait(f"{MOVING} is {wanted}", reads, seconds=CACHE_SECONDS) - began


def _at_address(bench: Bench, pods: list[PodRef], address: str) -> dict[PodRef, Outcome]:
    item = Item("new", "tcp", address, HTTPS)
    answers = bench.prober.round({pod: [item] for pod in pods})
    found = {}
    for pod, answer in answers.items():
        where = f"{pod} -> {address}"
        found[pod] = classify(answer.unwrap()[item.id], wanted=len(item.offsets), where=where)
    return found


def _shows(outcome: Outcome, address: str, note: str) -> Observation:
    evidence = {"address": address, "was": INTERNET[MOVING]}
    return Observation(Reading(Outcome.SHOWS, str(outcome)), notes=(note,), evidence=evidence)
