"""What becomes of a cluster: the decision by mode and state, and who may delete what."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from harness.edge.api.kube import Kube
from harness.edge.cluster import maker as maker_module
from harness.edge.cluster import nodes as nodes_module
from harness.edge.cluster import opening as cluster_module
from harness.edge.cluster.maker import Maker
from harness.edge.cluster.opening import delete_cluster, open_cluster, status
from harness.edge.cluster.state import (
    Action,
    ClusterMode,
    ClusterSpec,
    Home,
    Record,
    State,
    decide,
    owned_clusters,
)
from harness.edge.images import ClusterImages, Source
from harness.edge.internet.state import REAL, Internet, InternetMode
from harness.edge.machine.process import CommandFailed, Completed
from harness.errors import ClusterNotReady, EnvironmentFault, ToolMissing
from harness.progress import Quiet

NAME = "policylab-calico"
INTERNET = Internet(dns="172.18.0.9", web="172.18.0.9", names={}, addresses={})
OURS = Record(NAME, "node:1", "calico", 0)
NODES = ("5f2a", "91c0")


class Kind:
    """Stands in for the programs that the maker runs: remembers them, and answers for kind."""

    def __init__(self) -> None:
        self.clusters: list[str] = []
        self.nodes = NODES
        self.ended: list[list[str]] = []
        self.ran: list[tuple[str, ...]] = []
        self.fails: set[str] = set()
        self.left_internet = False

    def leave_internet(self) -> None:
        assert self.deleted()  # not before its cluster is gone
        self.left_internet = True

    def __call__(self, argv: Sequence[str | Path], **_: Any) -> Completed:
        words = tuple(str(word) for word in argv)
        self.ran.append(words)
        done = Completed(words, 0, "\n".join(self.clusters), "", 0.0)
        if words[1] in self.fails:
            raise CommandFailed(f"{words[1]} failed", replace(done, returncode=1))
        if words[1] == "delete":
            name = words[3].removeprefix("--name=")
            self.clusters = [cluster for cluster in self.clusters if cluster != name]
        return done

    def deleted(self) -> list[str]:
        return [words[3] for words in self.ran if words[1:3] == ("delete", "cluster")]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Home(NAME)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Kind:
    made = Kind()
    monkeypatch.setattr(maker_module, "run", made)
    for module in (maker_module, cluster_module):
        monkeypatch.setattr(module, "node_containers", lambda _: made.nodes)
    monkeypatch.setattr(cluster_module, "remove_internet", made.leave_internet)
    monkeypatch.setattr(maker_module, "end_starts", lambda names, _: made.ended.append(names))
    return made


@pytest.fixture
def images(tmp_path: Path) -> ClusterImages:
    return ClusterImages(
        source=Source.BUILD,
        node="node:1",
        refs={"internet": "internet:1"},
        load=(),
        kind=tmp_path / "kind",
        kubectl=tmp_path / "kubectl",
        kubernetes_version="v1.34.4",
        image_repository=None,
        kubeadm_patch=None,
        cnis={},
    )


@pytest.fixture
def maker(images: ClusterImages) -> Maker:
    return Maker(ClusterSpec(), images, INTERNET, Quiet())


def kind_cluster(monkeypatch: pytest.MonkeyPatch, fault: BaseException, seen: list[Any]) -> None:
    """Let KindCluster.create note whether a record is there, and then fail."""

    class Failing:
        def __init__(self, name: str, **_: Any) -> None:
            self.name = name

        def create(self, config: Path) -> None:
            seen.append(Home(self.name).record())
            Home(self.name).log.write_text("ERROR: port is already allocated\n")
            raise fault

    monkeypatch.setattr(maker_module, "KindCluster", Failing)


@pytest.mark.parametrize(
    ("mode", "state", "action"),
    [
        (ClusterMode.AUTO, State.ABSENT, Action.CREATE),
        (ClusterMode.AUTO, State.HEALTHY, Action.REUSE),
        (ClusterMode.AUTO, State.BROKEN, Action.RECREATE),
        (ClusterMode.CREATE, State.ABSENT, Action.CREATE),
        (ClusterMode.REUSE, State.HEALTHY, Action.REUSE),
    ],
)
def test_mode_and_state_that_fit_lead_to_one_action(
    mode: ClusterMode, state: State, action: Action
) -> None:
    assert decide(mode, state, NAME) is action


@pytest.mark.parametrize(
    ("mode", "state", "words"),
    [
        (ClusterMode.AUTO, State.FOREIGN, "is taken by a cluster that policylab did not make"),
        (ClusterMode.CREATE, State.FOREIGN, "is taken by a cluster that policylab did not make"),
        (ClusterMode.REUSE, State.FOREIGN, "is taken by a cluster that policylab did not make"),
        (ClusterMode.CREATE, State.HEALTHY, "exists already"),
        (ClusterMode.CREATE, State.BROKEN, "exists already"),
        (ClusterMode.REUSE, State.ABSENT, "no healthy cluster"),
        (ClusterMode.REUSE, State.BROKEN, "no healthy cluster"),
    ],
)
def test_mode_and_state_that_do_not_fit_are_a_fault_with_a_way_out(
    mode: ClusterMode, state: State, words: str
) -> None:
    with pytest.raises(EnvironmentFault, match=words) as caught:
        decide(mode, state, NAME)

    assert NAME in caught.value.where
    assert caught.value.try_


def test_cluster_of_that_name_without_our_record_is_foreign(maker: Maker, kind: Kind) -> None:
    kind.clusters = [NAME]

    assert maker.state() == (State.FOREIGN, "")


def test_cluster_that_kind_does_not_list_is_absent_whatever_the_record_says(
    maker: Maker, kind: Kind, home: Home
) -> None:
    home.stood(OURS, NODES)

    assert maker.state() == (State.ABSENT, "")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (OURS, "it is half made"),
        (replace(OURS, ready=True, workers=2), "with calico and 2 workers"),
        (replace(OURS, ready=True, node="node:0"), "it was made of node:0"),
    ],
    ids=["half made", "other workers", "other image"],
)
def test_cluster_of_ours_that_is_not_what_is_asked_for_is_broken(
    maker: Maker, kind: Kind, home: Home, record: Record, words: str
) -> None:
    home.claim(record)
    kind.clusters = [NAME]

    state, seen = maker.state()

    assert state is State.BROKEN
    assert words in seen


@pytest.mark.parametrize(("lacking", "state"), [("", State.HEALTHY), ("no DNS", State.BROKEN)])
def test_cluster_of_ours_is_healthy_when_nothing_is_missing(
    maker: Maker,
    kind: Kind,
    monkeypatch: pytest.MonkeyPatch,
    lacking: str,
    state: State,
) -> None:
    Home(NAME).stood(OURS, NODES)
    kind.clusters = [NAME]
    monkeypatch.setattr(maker_module, "KubeClient", lambda *_: None)
    monkeypatch.setattr(maker_module, "missing", lambda *_: lacking)

    assert maker.state() == (state, lacking)


def test_cluster_of_ours_whose_api_does_not_answer_is_broken(
    maker: Maker, kind: Kind, home: Home
) -> None:
    home.stood(OURS, NODES)
    kind.clusters = [NAME]
    kind.fails = {"export"}

    state, seen = maker.state()

    assert state is State.BROKEN
    assert "export failed" in seen


def test_foreign_cluster_is_neither_used_nor_deleted_by_open_cluster(
    kind: Kind, images: ClusterImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.clusters = [NAME]
    monkeypatch.setattr(cluster_module, "provide", lambda *_: images)
    monkeypatch.setattr(cluster_module, "ensure_internet", lambda *_: INTERNET)

    with pytest.raises(EnvironmentFault, match="is taken by a cluster"):
        open_cluster(ClusterSpec(), Quiet())

    assert kind.deleted() == []
    assert kind.clusters == [NAME]


def test_foreign_cluster_is_not_deleted_by_name(kind: Kind) -> None:
    kind.clusters = ["mine"]
    Home("ours").stood(replace(OURS, name="ours"), NODES)

    with pytest.raises(ClusterNotReady, match="is not policylab's, so it is not deleted") as caught:
        delete_cluster("mine", kind=Path("kind"))

    assert kind.ran == []
    assert "known: ours" in caught.value.try_


def test_record_that_cannot_be_read_makes_a_cluster_foreign(
    maker: Maker, kind: Kind, home: Home
) -> None:
    home.claim(OURS)
    (home.path / "owned.json").write_text('{"name": ', encoding="utf-8")
    kind.clusters = [NAME]

    assert maker.state() == (State.FOREIGN, "")


def test_cluster_of_ours_is_deleted_with_its_record(kind: Kind, home: Home) -> None:
    home.stood(OURS, NODES)
    kind.clusters = [NAME, "mine"]

    delete_cluster(NAME, kind=Path("kind"))

    assert kind.clusters == ["mine"]
    assert owned_clusters() == []
    assert not home.path.exists()
    assert kind.left_internet


def test_record_stays_when_kind_cannot_delete(kind: Kind, home: Home) -> None:
    home.stood(OURS, NODES)
    kind.fails = {"delete"}

    with pytest.raises(CommandFailed):
        delete_cluster(NAME, kind=Path("kind"))

    assert owned_clusters() == [NAME]


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (subprocess.CalledProcessError(1, "kind"), ClusterNotReady),
        (RuntimeError("a bug"), RuntimeError),
    ],
)
def test_half_made_cluster_is_deleted_and_the_fault_goes_on(
    maker: Maker,
    kind: Kind,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    raised: type[BaseException],
) -> None:
    kind_cluster(monkeypatch, fault, [])

    with pytest.raises(raised):
        maker.create()

    assert kind.deleted() == [f"--name={NAME}"]
    assert kind.ended == [[f"{NAME}-control-plane"]]
    assert owned_clusters() == []
    assert not Home(NAME).path.exists()


def test_failure_of_kind_is_told_in_its_own_words(
    maker: Maker, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind_cluster(monkeypatch, subprocess.CalledProcessError(1, "kind"), [])

    with pytest.raises(ClusterNotReady, match="kind could not create the cluster") as caught:
        maker.create()

    assert caught.value.seen == "ERROR: port is already allocated"


def test_record_is_written_before_kind_is_called_and_not_yet_ready(
    maker: Maker, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Record | None] = []
    kind_cluster(monkeypatch, KeyboardInterrupt(), seen)

    with pytest.raises(KeyboardInterrupt):
        maker.create()

    assert seen == [OURS]


def test_half_made_cluster_that_cannot_be_deleted_stays_ours_and_the_first_fault_goes_on(
    maker: Maker, kind: Kind, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind_cluster(monkeypatch, KeyboardInterrupt(), [])
    kind.fails = {"delete"}

    with pytest.raises(KeyboardInterrupt):
        maker.create()

    assert home.record() == OURS


def test_cluster_that_stands_is_recorded_as_ready(
    maker: Maker, kind: Kind, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "_create", lambda: None)

    maker.create()

    assert home.record() == replace(OURS, ready=True, containers=NODES)


def test_cluster_made_by_somebody_else_under_our_old_name_is_foreign(
    maker: Maker, kind: Kind, home: Home
) -> None:
    home.stood(OURS, ("0000",))
    kind.clusters = [NAME]

    assert maker.state() == (State.FOREIGN, "")


def test_cluster_made_by_somebody_else_under_our_old_name_is_not_deleted(
    kind: Kind, home: Home
) -> None:
    home.stood(OURS, ("0000",))
    kind.clusters = [NAME]

    with pytest.raises(ClusterNotReady, match="is not policylab's, so it is not deleted"):
        delete_cluster(NAME, kind=Path("kind"))

    assert kind.deleted() == []
    assert owned_clusters() == []


@pytest.mark.parametrize(
    ("recorded", "found", "owned"),
    [
        (NODES, NODES, True),
        (NODES, NODES[:1], True),
        (NODES, ("0000",), False),
        (NODES, (), True),
        ((), ("0000",), True),
    ],
    ids=["whole", "half deleted", "another's", "all gone", "half made"],
)
def test_cluster_is_ours_by_its_containers(
    recorded: tuple[str, ...], found: tuple[str, ...], owned: bool
) -> None:
    assert replace(OURS, containers=recorded).owns(found) is owned


def test_status_of_an_unknown_cluster_names_those_that_are_known(home: Home) -> None:
    home.stood(OURS, NODES)

    found = status("elsewhere")

    assert not found.healthy
    assert found.facts == {"state": "not ours, or absent", "known": NAME}


def test_status_of_a_cluster_whose_kubeconfig_is_gone_is_not_healthy(home: Home) -> None:
    home.stood(OURS, NODES)

    found = status(NAME)

    assert not found.healthy
    assert found.facts["cni"] == "calico"
    assert "does not answer" in found.facts["state"]


def external(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        pytest.fail("an existing cluster needs neither images nor kind")

    monkeypatch.setattr(cluster_module, "provide", never)
    monkeypatch.setattr(cluster_module, "ensure_internet", never)
    monkeypatch.setattr(cluster_module, "Maker", never)
    monkeypatch.setattr(cluster_module, "KubeClient", lambda *_: None)
    monkeypatch.setattr(cluster_module, "versions", lambda _: {"kubernetes": "v1.33.0"})


def test_existing_cluster_is_used_as_it_is_and_nothing_is_made(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    external(monkeypatch)
    spec = ClusterSpec(
        mode=ClusterMode.EXTERNAL,
        context="school",
        kubeconfig=Path("/k/config"),
        kubectl_bin=Path("/k/kubectl"),
    )

    found = open_cluster(spec, Quiet())

    assert not found.owned
    assert not found.created
    assert (found.context, found.kubeconfig) == ("school", Path("/k/config"))
    assert found.refs == {}
    assert found.internet is None
    assert found.environment["kubernetes"] == "v1.33.0"
    assert kind.ran == []
    assert owned_clusters() == []


def test_existing_cluster_without_kubectl_is_a_missing_tool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    external(monkeypatch)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ToolMissing, match="kubectl is not on PATH"):
        open_cluster(ClusterSpec(mode=ClusterMode.EXTERNAL, context="school"), Quiet())


def test_real_internet_of_an_existing_cluster_is_what_the_user_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    external(monkeypatch)
    spec = ClusterSpec(
        mode=ClusterMode.EXTERNAL,
        context="school",
        kubectl_bin=Path("/k/kubectl"),
        internet=InternetMode.REAL,
    )
    assert open_cluster(spec, Quiet()).internet is REAL


def test_real_internet_needs_no_container_of_ours(
    kind: Kind, images: ClusterImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Internet] = []

    class Noted(Exception):  # noqa: N818 - ends the opening where it is no more of interest
        pass

    def maker(spec: ClusterSpec, images: ClusterImages, internet: Internet, _: Any) -> None:
        made.append(internet)
        raise Noted

    monkeypatch.setattr(cluster_module, "provide", lambda *_: images)
    monkeypatch.setattr(cluster_module, "ensure_internet", lambda *_: INTERNET)
    monkeypatch.setattr(cluster_module, "Maker", maker)
    for mode in InternetMode:
        with pytest.raises(Noted):
            open_cluster(ClusterSpec(internet=mode), Quiet())
    assert made == [INTERNET, REAL]


@pytest.mark.parametrize(("internet", "upstream"), [(INTERNET, "172.18.0.9"), (REAL, "172.18.0.2")])
def test_coredns_asks_the_internets_name_server_or_the_nodes(
    images: ClusterImages, monkeypatch: pytest.MonkeyPatch, internet: Internet, upstream: str
) -> None:
    applied: list[str] = []

    class Api:
        where = "the API"

        def get(self, *_: str) -> dict[str, Any]:
            return {"data": {"Corefile": ".:53 {\n    forward . /etc/resolv.conf\n}\n"}}

        def apply(self, body: dict[str, Any]) -> None:
            applied.append(body["data"]["Corefile"])

        def list(self, *_: str, **__: str) -> list[dict[str, Any]]:
            return []

    told = Completed((), 0, "# made by Docker\nnameserver 172.18.0.2\noptions ndots:0\n", "", 0.0)
    monkeypatch.setattr(nodes_module, "run", lambda *_, **__: told)
    Maker(ClusterSpec(), images, internet, Quiet()).point_dns(cast("Kube", Api()))
    assert applied == [f".:53 {{\n    log\n    forward . {upstream}\n}}\n"]


def test_node_without_a_name_server_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Completed((), 0, "options ndots:0\n", "", 0.0)
    monkeypatch.setattr(nodes_module, "run", lambda *_, **__: told)
    with pytest.raises(ClusterNotReady, match="knows no name server") as caught:
        nodes_module.node_resolver("c")
    assert caught.value.where == "docker exec c-control-plane cat /etc/resolv.conf"
    assert caught.value.try_ == "--lab-internet=simulated"
