"""One CNI alone: what is built for it, which finished builds and bundles do, and what is kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.edge.files.cache import cache_home
from harness.edge.images import Official, Source, pipeline
from harness.edge.images.model import LAB_IMAGES
from harness.edge.images.node import node_ref
from harness.edge.images.provide import lab_archive, provide
from harness.edge.images.store import Store, Workshop
from harness.edge.machine.filelock import FileLock
from harness.errors import ImageUnavailable
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine

OWN = "/home/me/my-cni"
CNIS = ("calico", "cilium")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return FakeEngine()


def shop(engine: FakeEngine) -> Workshop:
    return Workshop(Store(cache_home()), engine.docker, Quiet())


def planned(engine: FakeEngine, cni: str = "") -> pipeline.Plan:
    return pipeline.plan(shop(engine), cni=cni)


def describe(home: Path, node: str, engine: FakeEngine, cnis: Iterable[str]) -> None:
    home.mkdir(parents=True)
    recipes = planned(engine).recipes
    facts = {
        "node": node,
        "refs": {name: f"localhost/policylab/{name}:lab" for name in LAB_IMAGES},
        "kubernetes_version": recipes["kubernetes"].version,
        "cni_versions": {cni: recipes[cni].version for cni in cnis},
        "image_repository": "localhost/policylab",
        "kubeadm_patch": None,
    }
    (home / "cluster.json").write_text(json.dumps(facts), encoding="utf-8")
    (home / "record.json").write_text("{}", encoding="utf-8")
    engine.images[node] = node


def finished(engine: FakeEngine, cni: str = "") -> str:
    """A finished build of this CNI, or of all; its node image."""
    key = planned(engine, cni).keys.cluster
    home = shop(engine).store.path(pipeline.CLUSTER, key)
    describe(home, node_ref(key), engine, [cni] if cni else CNIS)
    internet = planned(engine).keys.images["internet"]
    engine.images[f"localhost/policylab/internet:{internet}"] = "2"
    return node_ref(key)


def loaded(engine: FakeEngine, place: str, *cnis: str) -> str:
    """A loaded bundle with these CNIs; its node image."""
    node = f"localhost/policylab/node:{place}"
    describe(cache_home() / place, node, engine, cnis)
    return node


def given(engine: FakeEngine, cni: str, source: Source = Source.AUTO) -> str:
    return provide(source, Quiet(), engine.docker, official=Official(cni=cni)).node


def test_lane_leaves_out_what_only_another_cni_needs(engine: FakeEngine) -> None:
    calico, cilium, everything = (planned(engine, cni) for cni in ("calico", "cilium", ""))

    assert everything.keys.commands.keys() - calico.keys.commands.keys() == {"cilium"}
    assert everything.keys.roots.keys() - calico.keys.roots.keys() == {"cilium"}
    assert everything.keys.commands.keys() - cilium.keys.commands.keys() == {"calico"}
    assert len({plan.keys.cluster for plan in (calico, cilium, everything)}) == 3


def test_part_has_one_key_in_every_lane(engine: FakeEngine) -> None:
    """So nothing is compiled twice, and a lane goes on with the parts of another one."""
    everything = planned(engine).keys
    for cni in CNIS:
        keys = planned(engine, cni).keys
        assert keys.commands.items() <= everything.commands.items()
        assert keys.roots.items() <= everything.roots.items()
        assert keys.images.items() <= everything.images.items()


def test_build_of_all_cnis_does_for_each_one(engine: FakeEngine) -> None:
    node = finished(engine)

    assert [given(engine, cni) for cni in ("", *CNIS, OWN)] == [node] * 4


def test_build_of_one_cni_is_taken_before_that_of_all(engine: FakeEngine) -> None:
    """The cluster that was made first stays as it is when the rest is built."""
    lane, everything = finished(engine, "calico"), finished(engine)

    assert given(engine, "calico") == lane
    assert given(engine, "cilium") == everything
    assert given(engine, "") == everything


def test_build_of_one_cni_does_not_do_for_another_or_for_all(engine: FakeEngine) -> None:
    finished(engine, "calico")

    for cni in ("cilium", ""):
        with pytest.raises(ImageUnavailable):
            given(engine, cni, Source.BUNDLE)
        assert pipeline.ready(shop(engine), planned(engine, cni)) is None


@pytest.mark.parametrize("cni", CNIS)
def test_cni_of_somebody_else_takes_any_node(engine: FakeEngine, cni: str) -> None:
    node = finished(engine, cni)

    assert given(engine, OWN) == node


def test_description_of_a_lane_names_its_cni_only(engine: FakeEngine) -> None:
    facts = pipeline.describe(planned(engine, "cilium"), "node:1")

    assert list(facts["cni_versions"]) == ["cilium"]
    assert "calico" not in facts["refs"]


def test_parts_and_builds_of_every_lane_are_kept(engine: FakeEngine) -> None:
    kept = {todo.keys.cluster for todo in pipeline.plans(shop(engine))}

    assert {planned(engine, cni).keys.cluster for cni in ("", *CNIS)} <= kept


def test_bundle_of_one_lane_is_refused_for_another_with_its_name(engine: FakeEngine) -> None:
    loaded(engine, "bundle-calico", "calico")

    with pytest.raises(ImageUnavailable) as caught:
        given(engine, "cilium", Source.BUNDLE)

    assert "and Cilium" in caught.value.what
    assert "loaded: bundle-calico;" in caught.value.seen


def test_bundle_of_one_lane_does_for_it_and_for_a_cni_of_ones_own(engine: FakeEngine) -> None:
    node = loaded(engine, "bundle-calico", "calico")

    assert given(engine, "calico") == node
    assert given(engine, OWN, Source.BUNDLE) == node


def test_bundles_of_two_lanes_are_loaded_beside_each_other(engine: FakeEngine) -> None:
    nodes = {cni: loaded(engine, f"bundle-{cni}", cni) for cni in CNIS}

    assert {cni: given(engine, cni, Source.BUNDLE) for cni in CNIS} == nodes


def test_bundle_of_all_cnis_does_for_each_lane(engine: FakeEngine) -> None:
    node = loaded(engine, "bundle", *CNIS)

    assert [given(engine, cni, Source.BUNDLE) for cni in ("", *CNIS)] == [node] * 3


@pytest.mark.parametrize("cni", ["", *CNIS])
def test_labs_images_are_those_of_any_finished_build(engine: FakeEngine, cni: str) -> None:
    finished(engine, cni)

    with lab_archive(Quiet(), engine.docker) as archive:
        key = planned(engine, cni).keys.cluster
        assert archive.file == shop(engine).store.path(pipeline.CLUSTER, key) / "lab-images.tar"


def test_two_lanes_that_are_built_at_once_take_turns(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cluster up` twice at once: the second one waits, and builds what the first one did not."""
    at_work, most = [0], [0]
    first_builds = threading.Event()

    def build(shop: Workshop, todo: pipeline.Plan) -> Path:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        first_builds.set()
        threading.Event().wait(0.3)
        [cni] = todo.recipes.keys() & {*CNIS}
        finished(engine, cni)
        at_work[0] -= 1
        return shop.store.path(pipeline.CLUSTER, todo.keys.cluster)

    monkeypatch.setattr(pipeline, "make_cluster", build)
    found: dict[str, str] = {}
    runs = [
        threading.Thread(
            target=lambda cni=cni: found.update({cni: given(engine, cni, Source.BUILD)})
        )
        for cni in CNIS
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join(timeout=30)

    assert first_builds.is_set()
    assert most[0] == 1
    assert found == {cni: node_ref(planned(engine, cni).keys.cluster) for cni in CNIS}


def test_lane_that_waited_while_all_cnis_were_built_takes_that_build(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be built twice, and the cluster of the one made again for the other."""
    planned(engine)  # certificates are made under the same lock
    lock = FileLock(shop(engine).store.root / "lock")
    assert lock.try_take()
    found: list[str] = []
    monkeypatch.setattr(pipeline, "make_cluster", lambda *_: pytest.fail("it was built again"))
    run = threading.Thread(
        target=lambda: found.append(given(engine, "calico", Source.BUILD)), daemon=True
    )
    run.start()
    time.sleep(0.5)
    node = finished(engine)
    lock.release()
    run.join(timeout=30)

    assert found == [node]
