"""The tutorials on clusters that are bad in one way each: no row that the lie touches may pass.

Which rows a lie touches is worked out without the cluster. Where it changes the policies in force,
the oracle says what becomes of each flow under them; else the row's words tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from harness.core.lab.documented import Row
from harness.core.lab.record import Status
from harness.core.manifests.library import POLICY_KINDS, in_force
from harness.core.manifests.reader import policies_of
from harness.core.outcome import SILENT, Outcome
from harness.core.predict.scenario import Scenario
from harness.core.target import (
    Blocked,
    DnsQuery,
    Fact,
    Lookup,
    NamePort,
    PodPort,
    Questions,
    ServiceAddress,
)
from harness.core.target.internet import INTERNET
from harness.errors import ClusterNotReady
from tests.fakes import lies
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import Lie
from tests.fakes.packet import InForce, Policies
from tests.fakes.run import TUTORIALS, library, play

PRODUCTION, NETPOL, LAB12, FQDN = (
    "production-isolation",
    "netpol-by-example",
    "lab12-zero-trust",
    "cilium-fqdn",
)
HAIRPIN = "deny-server-to-svc-server-80"
"""The API leaves it open, so that the oracle does not name it."""
TAKES_EFFECT = "deny-debug-fact-takes-effect"
ROLLOUTS = tuple(f"corrected-frontend-rollout-08-broken-{what}" for what in ("allow-all", "port"))
ALLOWED = tuple(f"{at}-frontend-fact-wanted-against-allowed" for at in ("baseline", "corrected"))
PINGS = ("deny-payment-api-ping-net-google.com", "corrected-web-server-ping-net-google.com")
UNASKED = "moving-backend-fact-new-address-unasked"
ASKED = "moved-backend-fact-new-address-asked"
CURL = ("fqdn-backend-fact-exit-code", "fqdn-backend-fact-gave-up-after")
FIRST_LINES = tuple(f"{step}-backend-fact-first-line" for step in ("open", "all", "fqdn"))
HTTP = 80

Touches = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """A lie, a tutorial that it shows in, and which of its rows it touches.

    `touches` is None where the oracle can tell; `named` are further rows that cannot pass, by their
    ids: measurements mostly. `lost`: a flow without a verdict takes its whole step along.
    """

    lie: Lie
    tutorial: str
    touches: Touches | None = None
    named: Sequence[str] = ()
    lost: bool = False

    @property
    def cni(self) -> str:
        """The tutorial's CNI; Calico where it does not matter."""
        return "cilium" if self.tutorial == FQDN else "calico"

    def __str__(self) -> str:
        return f"{type(self.lie).__name__}-{self.tutorial}"


def is_silent(row: Row) -> bool:
    """The row documents silence."""
    return row.outcome.outcome in SILENT


def from_pod_to_pod(name: str) -> Touches:
    """The row's client is that pod, and another pod of the tutorial is to answer."""

    def touches(row: Row) -> bool:
        match row.target:
            case PodPort():
                to_pod = True
            case ServiceAddress(namespace):
                to_pod = namespace != "kube-system"
            case NamePort(host):
                found = row.outcome.outcome not in (Outcome.DNS_NXDOMAIN, Outcome.DNS_TIMEOUT)
                to_pod = found and host.rstrip(".") not in INTERNET
            case _:
                to_pod = False
        at_proxy = any(row.lines)  # a port that no Service serves never gets to a pod
        return row.source.name == name and to_pod and not at_proxy

    return touches


def is_counted(row: Row) -> bool:
    """The row asks the CNI where it dropped a packet."""
    return isinstance(row.target, Blocked) and row.outcome.detail != "nothing"


def asks_over_udp(row: Row) -> bool:
    """The row needs an answer of the name server to a datagram."""
    match row.target:
        case DnsQuery():
            return not row.target.tcp
        case Lookup() | NamePort() | Questions():
            return True
    return False


def to_pod(name: str) -> Touches:
    """The row connects to a pod whose name begins so."""
    return lambda row: isinstance(row.target, PodPort) and row.target.pod.name.startswith(name)


def answered_by(name: str, *services: str) -> Touches:
    """The row documents an answer of a pod's web server, which says its name."""
    return lambda row: (
        (to_pod(name)(row) or str(row.target) in services)
        and row.target.port == HTTP
        and row.outcome.outcome is Outcome.CONNECTED
    )


def from_pod(name: str) -> Touches:
    """The row's client is that pod."""
    return lambda row: row.source.name == name


def is_typed_and_silent(row: Row) -> bool:
    """The row documents silence, and has a command by which the tutorial shows it."""
    return is_silent(row) and bool(row.command)


CASES = [
    Case(lies.Late(), PRODUCTION, named=[*ROLLOUTS, *ALLOWED]),
    Case(lies.Late(), NETPOL, named=[TAKES_EFFECT, "deny-client-to-on-host-18080", HAIRPIN]),
    Case(lies.Late(), LAB12, named=PINGS),
    Case(lies.Late(), FQDN, named=[UNASKED, *CURL]),
    # An answer is believed at the first attempt, and silence only after the last one.
    Case(
        lies.Flapping(),
        PRODUCTION,
        lambda row: is_silent(row) or is_counted(row),
        [*ROLLOUTS, *ALLOWED],
    ),
    Case(lies.Flapping(), NETPOL, is_silent, [TAKES_EFFECT]),
    Case(lies.Flapping(), LAB12, is_silent),
    # Where the policy is off while the name is asked, its addresses do not become open.
    Case(lies.Flapping(), FQDN, is_silent, [UNASKED, *CURL], lost=True),
    Case(lies.IgnoresEgress(), PRODUCTION, named=[*ROLLOUTS, *ALLOWED]),
    Case(lies.IgnoresEgress(), NETPOL, named=[TAKES_EFFECT]),
    Case(lies.IgnoresEgress(), LAB12, named=PINGS),
    Case(lies.IgnoresEgress(), FQDN, named=[UNASKED, *CURL]),
    Case(lies.IgnoresPorts(), PRODUCTION, named=[*ROLLOUTS, *ALLOWED]),
    Case(lies.IgnoresPorts(), NETPOL),
    Case(lies.IgnoresPorts(), LAB12),
    # Without the rule for port 53 Cilium reads no answer, and opens no address.
    Case(
        lies.IgnoresPorts(),
        FQDN,
        named=[FIRST_LINES[-1], ASKED, "faults-backend-fact-web-server-refuses"],
    ),
    Case(lies.Forgets("develop", "default-deny-all"), PRODUCTION, named=ALLOWED[:1]),
    Case(lies.Forgets("prod-nginx", "default-deny"), NETPOL, named=[TAKES_EFFECT]),
    Case(lies.Forgets("secure-zone", "default-deny-all"), LAB12, named=PINGS[:1]),
    Case(lies.Forgets("fqdn-lab", "backend-egress-allow-fqdn"), FQDN, named=[UNASKED, *CURL]),
    # In lab12 no policy is deleted before a row that it would decide.
    Case(
        lies.KeepsDeleted("develop", "allow-all"),
        PRODUCTION,
        named=[
            ROLLOUTS[0],  # the rollout rolls this policy back
            "half-open-debug-to-backend-8080",
            "half-open-debug-blocked-backend-8080",
            "broken-port-frontend-to-backend-8080",
        ],
    ),
    Case(lies.KeepsDeleted("prod-nginx", "default-deny"), NETPOL, lost=True),
    Case(lies.KeepsDeleted("fqdn-lab", "backend-egress-allow-fqdn"), FQDN, lost=True),
    Case(lies.Refuses(), PRODUCTION, is_silent, [*ROLLOUTS, *ALLOWED]),
    Case(lies.Refuses(), NETPOL, is_silent, [TAKES_EFFECT]),
    Case(lies.Refuses(), LAB12, is_silent),
    Case(lies.Refuses(), FQDN, is_silent, [UNASKED, *CURL]),
    Case(
        lies.LosesAnswers(),
        PRODUCTION,
        asks_over_udp,
        [*ROLLOUTS, *ALLOWED, "flat-frontend-fact-wanted-against-allowed"],
    ),
    Case(lies.LosesAnswers(), NETPOL, asks_over_udp),
    Case(lies.LosesAnswers(), LAB12, asks_over_udp, ["no-service-dns-test-fact-questions-saved"]),
    Case(
        lies.LosesAnswers(),
        FQDN,
        asks_over_udp,
        [*FIRST_LINES, ASKED, "faults-backend-fact-name-server-fails"],
    ),
    Case(lies.HalfDead("develop", "backend"), PRODUCTION, to_pod("backend"), lost=True),
    Case(lies.HalfDead("prod-nginx", "nginx"), NETPOL, to_pod("nginx"), lost=True),
    Case(lies.HalfDead("secure-zone", "secure"), LAB12, to_pod("secure"), lost=True),
    Case(lies.HalfDead("fqdn-lab", "frontend"), FQDN, to_pod("frontend"), lost=True),
    Case(lies.WrongPeer("develop", "frontend"), PRODUCTION, answered_by("frontend"), lost=True),
    Case(
        lies.WrongPeer("prod-nginx", "nginx"),
        NETPOL,
        answered_by("nginx", "svc/prod-nginx/my-nginx-clusterip:80"),
        lost=True,
    ),
    Case(lies.WrongPeer("secure-zone", "payment"), LAB12, answered_by("payment-api"), lost=True),
    Case(lies.WrongPeer("fqdn-lab", "frontend"), FQDN, answered_by("frontend"), lost=True),
    Case(lies.DeadProber("develop", "debug"), PRODUCTION, from_pod("debug"), lost=True),
    Case(lies.DeadProber("prod-nginx", "debug"), NETPOL, from_pod("debug"), lost=True),
    Case(lies.DeadProber("frontend-zone", "web-server"), LAB12, from_pod("web-server"), lost=True),
    Case(lies.DeadProber("fqdn-lab", "frontend"), FQDN, from_pod("frontend"), lost=True),
    # The two witnesses of a row disagree: the tutorial's own command, and the prober.
    Case(lies.FoolsProbers(), PRODUCTION, is_typed_and_silent),
    Case(lies.FoolsProbers(), NETPOL, is_typed_and_silent),
    Case(lies.FoolsProbers(), LAB12, is_typed_and_silent),
    Case(lies.FoolsProbers(), FQDN, is_typed_and_silent, CURL),
    # Silence without policies as well: it is no denial, though the target answers itself.
    Case(
        lies.BlackHole("develop", "debug"),
        PRODUCTION,
        from_pod_to_pod("debug"),
        named=["flat-frontend-fact-wanted-against-allowed"],
        lost=True,
    ),
    Case(lies.BlackHole("prod-nginx", "debug"), NETPOL, from_pod_to_pod("debug"), lost=True),
    Case(
        lies.BlackHole("frontend-zone", "web-server"),
        LAB12,
        from_pod_to_pod("web-server"),
        lost=True,
    ),
    Case(lies.BlackHole("fqdn-lab", "backend"), FQDN, from_pod_to_pod("backend"), lost=True),
    Case(lies.LazyProbers(), PRODUCTION, is_silent, ALLOWED),
    Case(lies.LazyProbers(), NETPOL, is_silent),
    Case(lies.LazyProbers(), LAB12, is_silent),
    Case(lies.LazyProbers(), FQDN, is_silent, [UNASKED]),
    Case(lies.SilentCounters(), PRODUCTION, is_counted),
    Case(lies.Masquerades(), NETPOL, named=["open-debug-fact-client-address"]),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_row_that_the_lie_touches_passes_and_no_other_row_fails(case: Case) -> None:
    rows = TUTORIALS[case.tutorial][case.cni]
    touches = case.touches
    touched = {key(row) for row in rows if touches(row)} if touches else by_oracle(case, rows)
    touched |= {key(row) for row in rows if row.id in case.named}
    assert touched

    results = play(case.tutorial, FakeCluster(case.cni, case.lie))

    passed = {key(r.row) for r in results if r.status in (Status.PASS, Status.ERRATUM)}
    failed = {key(r.row) for r in results if r.status is Status.FAIL}
    unknown = {key(r.row) for r in results if r.status is Status.NOT_CHECKED}
    assert sorted(passed & touched) == []
    assert sorted(failed - touched) == []
    if not case.lost:
        assert sorted(unknown - touched) == []


@pytest.mark.parametrize("tutorial", [PRODUCTION, FQDN])
def test_cluster_that_enforces_nothing_is_stopped_at_the_gate(tutorial: str) -> None:
    cluster = FakeCluster("cilium" if tutorial == FQDN else "calico", lies.EnforcesNothing())

    with pytest.raises(ClusterNotReady, match="the gate") as caught:
        play(tutorial, cluster)

    assert "connected, not timeout" in caught.value.seen


def key(row: Row) -> str:
    """A row by its id and its state: an id is unique within a phase only."""
    return f"{row.id} under {', '.join(row.apply)}"


def by_oracle(case: Case, rows: Sequence[Row]) -> set[str]:
    """The rows that hold under their policies, and do not under those that the lie enforces."""
    steps: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        steps.setdefault((row.step, *row.apply), []).append(row)
    history: list[InForce] = []
    found = set()
    for some in steps.values():
        policies = policies_of(in_force(library(case.tutorial), some[0].apply))
        history.append(InForce(0.0, policies))
        honest = scenario(case.tutorial, some[0], policies)
        bad = scenario(case.tutorial, some[0], case.lie.enforced(history, 0.0))
        found |= {key(row) for row in some if _differs(row, honest, bad)}
    return found


def scenario(tutorial: str, row: Row, policies: Policies) -> Scenario:
    """The row's state with these policies in place of its own."""
    base = [r for r in in_force(library(tutorial), row.apply) if r.kind not in POLICY_KINDS]
    return Scenario([*base, replace(base[0], models=policies)])


def _differs(row: Row, honest: Scenario, bad: Scenario) -> bool:
    if isinstance(row.target, Fact):
        return False  # it is measured of the policies themselves, or of what no oracle knows
    said, becomes = (state.predict(row.ask).reading for state in (honest, bad))
    if said is None or becomes is None or not said.satisfies(row.outcome):
        return False
    return not becomes.satisfies(row.outcome)
