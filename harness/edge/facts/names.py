"""Facts about a policy by name while something changes outside: a name moves, a server fails."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.lab.documented import Row
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import Item, classify
from harness.core.probe.families import joined
from harness.core.target import ExternalPort, Lookup, NamePort, PodRef
from harness.core.target.ask import Ask
from harness.core.target.family import Family, family_of
from harness.core.target.internet import INTERNET, SPARES
from harness.edge.cni.cilium.agents import CiliumAgents
from harness.edge.cni.cilium.memory import Memory
from harness.edge.internet.controls import Outside
from harness.edge.internet.state import REAL, Fault, WebFault
from harness.edge.machine.wait import NotYet
from harness.edge.stage.bench import Bench
from harness.errors import ProbeError


def new_address_unasked(bench: Bench, row: Row, moving: NamePort, witness: PodRef) -> Observation:
    """The outcome of a connection to the name's new address, before the client has asked again.

    The witness, a pod that no policy selects, shows that the address is alive.

    Raises:
        ProbeError: there is no simulated internet, or the witness does not reach the address.
    """
    controls = _controls(bench)
    spare, new = _spare(bench, moving.name)
    with controls:
        controls.set(moving.name, address=spare)
        seen = _at_addresses(bench, [row.source, witness], new, moving.port)
    if seen[witness].outcome is not Outcome.CONNECTED:
        raise ProbeError(
            f"the new address does not answer {witness}",
            where=", ".join(new),
            seen=str(seen[witness]),
        )
    note = f"{witness}, which no policy selects, reaches it"
    return _shows(seen[row.source], moving, new, note)


def new_address_asked(bench: Bench, row: Row, moving: NamePort) -> Observation:
    """The outcome of a connection to the name's new address, after the client has asked again."""
    controls = _controls(bench)
    spare, new = _spare(bench, moving.name)
    with controls:
        controls.set(moving.name, address=spare)
        led = Reading(Outcome.RESOLVED, ", ".join(_over(bench, row.source, new).values()))
        took = _until_reading(bench, Ask(row.source, Lookup(moving.name)), led)
        seen = _at_addresses(bench, [row.source], new, moving.port)
    return _shows(seen[row.source], moving, new, f"the name led there after {took:.1f} s")


def name_server_fails(bench: Bench, row: Row, name: str) -> Observation:
    """The outcome of a lookup while the name's own server answers SERVFAIL."""
    controls = _controls(bench)
    with controls:
        controls.set(name, fault=Fault.SERVFAIL)
        failed = Reading(Outcome.DNS_SERVFAIL)
        took = _until_reading(bench, Ask(row.source, Lookup(name)), failed)
    return Observation(failed, notes=(f"after {took:.1f} s, when the old answer was forgotten",))


def web_server_refuses(bench: Bench, row: Row, site: NamePort) -> Observation:
    """The outcome of a connection to the name's address while nobody listens there."""
    controls = _controls(bench)
    address = ExternalPort(site.name, site.port, site.protocol)
    # After this lookup Cilium knows that the address belongs to the name.
    _ask(bench, Ask(row.source, Lookup(site.name)))
    with controls:
        controls.set(site.name, web=WebFault.REFUSED)
        return _ask(bench, Ask(row.source, address))


def _spare(bench: Bench, name: str) -> tuple[str, tuple[str, ...]]:
    """An address that Cilium has never seen in an answer: its name in `world`, and as it really is.

    Where the outside has both families, it is an address of each.

    What Cilium has seen outlives the pod that asked, and the run. If it knows every spare address
    from earlier runs, it is told to forget those of `name`, which it does in its own time.
    """
    internet = bench.internet or REAL
    memory = Memory(CiliumAgents(bench.kube, bench.replayer.kubectl))

    def unknown() -> tuple[str, tuple[str, ...]]:
        known = memory.known()
        for spare in SPARES:
            if known.isdisjoint(found := internet.both(internet.addresses[spare])):
                return spare, found
        memory.forget(name)
        raise NotYet(f"it still knows each of {len(SPARES)}")

    what = "there is an address that Cilium has never seen"
    return bench.kube.wait(what, unknown, seconds=bench.patience.forgotten, every=1.0)


def _controls(bench: Bench) -> Outside:
    if bench.controls is None or bench.internet is None or not bench.internet.led:
        raise ProbeError(
            "nothing outside can be changed here",
            seen="no simulated internet",
            try_="--lab-internet=simulated, on a cluster of policylab's own",
        )
    return bench.controls(bench.internet)


def _ask(bench: Bench, ask: Ask) -> Observation:
    return bench.observer.read([ask])[ask].unwrap()


def _until_reading(bench: Bench, ask: Ask, wanted: Reading) -> float:
    """Ask until the wanted reading comes; returns the seconds that this took (a cache decides)."""

    def reads() -> float:
        seen = _ask(bench, ask).reading
        if seen != wanted:
            raise NotYet(f"{ask.target} is {seen}")
        return bench.kube.clock.monotonic()

    began = bench.kube.clock.monotonic()
    return (
        bench.kube.wait(f"{ask.target} is {wanted}", reads, seconds=bench.patience.cached) - began
    )


def _over(bench: Bench, pod: PodRef, addresses: Sequence[str]) -> dict[Family, str]:
    """Those of the addresses whose family the pod has."""
    own = bench.addresses.pod(pod)
    return {family: each for each in addresses if (family := family_of(each)) in own}


def _at_addresses(
    bench: Bench, pods: list[PodRef], addresses: Sequence[str], port: int
) -> dict[PodRef, Reading]:
    """What each pod sees of the port, over each family that it has."""
    items = {
        pod: {f: Item(f"new {f}", "tcp", a, port) for f, a in _over(bench, pod, addresses).items()}
        for pod in pods
    }
    answers = bench.prober.round({pod: list(each.values()) for pod, each in items.items()})
    found = {}
    for pod, answer in answers.items():
        attempts = answer.unwrap()
        seen = {
            family: classify(
                attempts[item.id], wanted=len(item.offsets), where=f"{pod} -> {item.address}"
            )
            for family, item in items[pod].items()
        }
        shown = {family: Answer(Observation(Reading(each))) for family, each in seen.items()}
        found[pod] = joined(shown).reading
    return found


def _shows(seen: Reading, moving: NamePort, addresses: Sequence[str], note: str) -> Observation:
    evidence = {"address": ", ".join(addresses), "was": INTERNET[moving.name]}
    return Observation(Reading(Outcome.SHOWS, str(seen)), notes=(note,), evidence=evidence)
