"""`reach`: tests of an application that ask the pods of a cluster; the cluster is in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from harness.commands.shared.access import Access
from harness.core.manifests.reader import parse
from harness.core.observation import Observation, Phase
from harness.core.outcome import Outcome, Reading
from harness.core.probe.container import CONTAINER
from harness.errors import ClusterNotReady
from harness.plugin.reach.live import state_of
from harness.plugin.reach.opening import ACCESS
from harness.plugin.reach.saying import State
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import Lie
from tests.fakes.packet import Met, Packet
from tests.plugin.test_predict import LIST, POLICY, SHOP

pytest_plugins = ["pytester"]

NEW = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""
TEST = """
def test_flows(reach):
    {}
"""
INI = "[pytest]\naddopts = -p harness.plugin.front -p no:cacheprovider\n"
REUSE = "--lab-cluster-mode=reuse"


@dataclass(frozen=True, slots=True)
class Dead(Lie):
    """The server in a pod has died: nobody gets an answer, not even the pod itself."""

    pod: str = "db"

    def met(self, packet: Packet, met: Met) -> Met:
        dead = packet.target is not None and packet.target[1] == self.pod
        return replace(met, phase=Phase.TIMEOUT, data=b"") if dead else met


class Ways:
    """Puts the ways to a cluster in the place of this machine's own."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[ACCESS] = self._access


def shop(*texts: str, lie: Lie | None = None) -> FakeCluster:
    """A running cluster with the shop, and more manifests."""
    cluster = FakeCluster(lie=lie)
    for resource in parse("---".join((SHOP, *texts)), origin="shop.yaml"):
        cluster.apply(resource.body)
    cluster.clock.take(1.0)
    return cluster


def ways_to(cluster: FakeCluster, *, owned: bool = True) -> Ways:
    """The ways to that cluster, and to no other one."""
    value = replace(cluster.value(), owned=owned, context="" if owned else "prod")
    return Ways(Access(open=lambda *_: value, running=lambda _: value, doors=lambda _: cluster))


def said(
    pytester: pytest.Pytester,
    sentences: str,
    cluster: FakeCluster,
    *args: str,
    owned: bool = True,
) -> pytest.RunResult:
    (pytester.path / "flows.yaml").write_text(LIST, encoding="utf-8")
    (pytester.path / "new.yaml").write_text(NEW, encoding="utf-8")
    pytester.makeini(INI)
    pytester.makepyfile(TEST.format(sentences))
    return pytester.runpytest_inprocess(*(args or [REUSE]), plugins=[ways_to(cluster, owned=owned)])


def probers(cluster: FakeCluster) -> set[str]:
    return {
        body["metadata"]["name"].split("-")[0]
        for body in cluster.pods()
        for container in body["spec"].get("ephemeralContainers", [])
        if container["name"] == CONTAINER
    }


@pytest.mark.parametrize(
    "sentence",
    [
        'reach("shop/api").to("shop/db:6379").is_open()',
        'reach("shop/web").to("shop/db:6379").is_blocked()',
        'assert reach("shop/web").to("shop/db:6379").is_blocked(control="shop/api")',
        'reach("shop/db").to("shop/web:80").is_open()',
        'reach("shop/api").to("svc/shop/db:6379").is_open()',
        'reach("shop/web").to("svc/shop/db:6379").is_blocked(control="shop/api")',
        'reach("shop/web").to("name/db.shop:6379").is_blocked(control="shop/api")',
        'reach("shop/web").resolves("db.shop")',
        'reach("shop/web").does_not_resolve("cache.shop")',
        'reach.matrix("flows.yaml")',
        'reach.matrix("flows.yaml", namespaces=["shop"])',
    ],
)
def test_sentence_that_is_true_holds(pytester: pytest.Pytester, sentence: str) -> None:
    said(pytester, sentence, shop(POLICY)).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ('reach("shop/web").to("shop/db:6379").is_open()', "no rule allows ingress from shop/web"),
        ('reach("shop/api").to("shop/db:6379").is_blocked()', "the server answered"),
        ('reach("shop/api").to("shop/web:81").is_blocked()', "nobody listens there"),
        ('reach("shop/api").to("shop/web:81").is_open()', "nobody listens there"),
        ('reach("shop/web").resolves("cache.shop")', "not resolved"),
        ('reach("shop/web").does_not_resolve("db.shop")', "the name server gave an answer"),
    ],
)
def test_sentence_that_is_false_fails_with_all_that_is_known(
    pytester: pytest.Pytester, sentence: str, why: str
) -> None:
    result = said(pytester, sentence, shop(POLICY))

    result.assert_outcomes(failed=1)
    assert why in result.stdout.str()
    assert "the policies of the cluster" in result.stdout.str()


@pytest.mark.parametrize("end", ["is_open", "is_blocked"])
def test_dead_server_is_neither_open_nor_blocked(pytester: pytest.Pytester, end: str) -> None:
    result = said(
        pytester, f'reach("shop/web").to("shop/db:6379").{end}()', shop(POLICY, lie=Dead())
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*target does not answer itself either*", "NO VERDICT*"])


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ('to("svc/shop/db:6379").is_blocked()', "*what is silent here may be dead*"),
        ('to("svc/shop/db:6379").is_blocked(control="shop/web")', "*the control *blocked*"),
        ('to("svc/shop/cache:80").is_open()', "*has no Service shop/cache*"),
        ('to("shop/dc:6379").is_blocked()', "*did you mean `shop/db`*"),
        ('to("lookup/db.shop").is_open()', "*is not a flow*"),
        ('to("stop/db:6379").is_open()', "*there is no namespace stop*"),
    ],
)
def test_what_gives_no_verdict_is_an_error(
    pytester: pytest.Pytester, sentence: str, why: str
) -> None:
    result = said(pytester, f'reach("shop/web").{sentence}', shop(POLICY))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([why])


def test_silent_service_whose_server_is_dead_is_not_blocked(pytester: pytest.Pytester) -> None:
    sentence = 'reach("shop/web").to("svc/shop/db:6379").is_blocked(control="shop/api")'

    result = said(pytester, sentence, shop(POLICY, lie=Dead()))

    result.assert_outcomes(errors=1)


def test_matrix_names_what_differs(pytester: pytest.Pytester) -> None:
    result = said(pytester, 'reach.matrix("flows.yaml")', shop())

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*shop/web-* -> pod/shop/db:6379 is open*wants: blocked*"])


def test_matrix_without_a_verdict_is_an_error(pytester: pytest.Pytester) -> None:
    result = said(pytester, 'reach.matrix("flows.yaml")', shop(POLICY, lie=Dead()))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no verdict of shop/*-> pod/shop/db:6379, and * more*"])


def test_only_the_pods_of_a_sentence_get_a_prober(pytester: pytest.Pytester) -> None:
    cluster = shop(POLICY)

    said(pytester, 'reach("shop/api").to("shop/db:6379").is_open()', cluster)

    assert probers(cluster) == {"api", "db"}


def test_foreign_pod_gets_a_prober_only_if_the_user_says_so(pytester: pytest.Pytester) -> None:
    cluster, sentence = shop(POLICY), 'reach("shop/api").to("shop/db:6379").is_open()'

    refused = said(pytester, sentence, cluster, "--lab-context=prod", owned=False)

    refused.assert_outcomes(errors=1)
    refused.stdout.fnmatch_lines(["*add --lab-add-probers*"])
    assert probers(cluster) == set()
    options = ("--lab-context=prod", "--lab-add-probers")
    said(pytester, sentence, cluster, *options, owned=False).assert_outcomes(passed=1)


def test_run_that_names_no_cluster_starts_none(pytester: pytest.Pytester) -> None:
    def never(*_: object) -> FakeCluster:
        raise AssertionError

    pytester.makeini(INI)
    pytester.makepyfile(TEST.format('reach("shop/api").to("shop/db:6379").is_open()'))
    access = Access(open=never, running=never, doors=never)  # type: ignore[arg-type]

    result = pytester.runpytest_inprocess(plugins=[Ways(access)])

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*this run names none*", "*--lab-context=NAME*"])


def test_fault_of_the_cluster_is_an_error(pytester: pytest.Pytester) -> None:
    def down(_: object) -> FakeCluster:
        raise ClusterNotReady("the cluster does not run")

    pytester.makeini(INI)
    pytester.makepyfile(TEST.format('reach("shop/api").to("shop/db:6379").is_open()'))

    result = pytester.runpytest_inprocess(
        REUSE,
        plugins=[Ways(Access(running=down))],  # type: ignore[arg-type]
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the cluster does not run*"])


DURING = """
    reach("shop/db").to("shop/web:80").is_open()
    with reach.during(apply="new.yaml") as changed:
        changed("shop/db").to("shop/web:80").is_blocked()
    reach("shop/db").to("shop/web:80").is_open()
"""


def test_policies_are_in_force_during_the_block_and_gone_after_it(
    pytester: pytest.Pytester,
) -> None:
    cluster = shop(POLICY)

    said(pytester, DURING, cluster).assert_outcomes(passed=1)

    assert ("NetworkPolicy", "shop", "web") not in cluster.objects


def test_policies_are_removed_where_the_block_fails(pytester: pytest.Pytester) -> None:
    cluster = shop(POLICY)
    body = 'with reach.during(apply="new.yaml"):\n        raise KeyError'

    said(pytester, body, cluster).assert_outcomes(failed=1)

    assert ("NetworkPolicy", "shop", "web") not in cluster.objects


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SHOP, "*adds policies, and nothing else*"),
        (POLICY, "*the cluster has one of that name*"),
        (NEW.replace("app: web", "app: nobody"), "*change no flow between the pods*"),
    ],
)
def test_change_that_cannot_be_tested_is_an_error(
    pytester: pytest.Pytester, text: str, why: str
) -> None:
    cluster = shop(POLICY)
    (pytester.path / "other.yaml").write_text(text, encoding="utf-8")
    before = set(cluster.objects)

    result = said(pytester, 'with reach.during(apply="other.yaml"):\n        pass', cluster)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([why])
    assert set(cluster.objects) == before


@dataclass(frozen=True, slots=True)
class Deaf(Lie):
    """A CNI that takes in no policy."""

    def enforced(self, states: object, moment: float) -> tuple[()]:
        return ()


def test_policies_that_never_come_into_force_are_an_error_and_are_removed(
    pytester: pytest.Pytester,
) -> None:
    cluster = shop(lie=Deaf())

    result = said(pytester, DURING, cluster)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the policies are in force*"])
    assert ("NetworkPolicy", "shop", "web") not in cluster.objects


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (Observation(Reading(Outcome.CONNECTED)), State.OPEN),
        (Observation(Reading(Outcome.TIMEOUT), own=Reading(Outcome.CONNECTED)), State.BLOCKED),
        (Observation(Reading(Outcome.REFUSED), own=Reading(Outcome.CONNECTED)), State.BLOCKED),
        (Observation(Reading(Outcome.REFUSED), own=Reading(Outcome.REFUSED)), State.CLOSED),
        (Observation(Reading(Outcome.REFUSED)), State.CLOSED),
        (Observation(Reading(Outcome.FAMILIES_DIFFER)), State.DIFFERS),
        (Observation(Reading(Outcome.WRONG_PEER)), State.UNKNOWN),
        (Observation(Reading(Outcome.ONE_WAY)), State.UNKNOWN),
        (Observation(Reading(Outcome.UNSTABLE)), State.UNKNOWN),
        (Observation(Reading(Outcome.DNS_NXDOMAIN)), State.UNKNOWN),
    ],
)
def test_only_an_answer_is_open_and_only_a_denial_is_blocked(
    seen: Observation, state: State
) -> None:
    assert state_of(seen) is state
