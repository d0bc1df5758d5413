"""On a live cluster: the examples of docs/plugin.md, in one process and in two; then unpoliced.

About 40 s on an idle machine.
"""

from __future__ import annotations

import sys

import pytest

from harness.core.manifests.reader import parse
from harness.edge.files.cache import cache_home
from harness.edge.stage.stage import Stage
from harness.plays import Live
from tests.plugin.test_plugin_docs import examples

pytestmark = pytest.mark.live
CACHE = str(cache_home().parent)
pytest_plugins = ["pytester"]

SPACE = "policylab-reach-live"
OURS = {f"image: {name}": f'image: "localhost/policylab/{name}:lab"' for name in ("nginx", "redis")}


def ours(text: str) -> str:
    """An example in a namespace of its own, with images that the nodes have."""
    text = text.replace("shop", SPACE)
    for public, own in OURS.items():
        text = text.replace(public, own)
    return text


FILES = {path: ours(text) for path, text in examples().items()}
ALL = FILES["k8s/shop.yaml"]
OPEN = ALL.rpartition("---\n")[0]
LIBRARY = {"pods": parse(OPEN, origin="open"), "shut": parse(ALL, origin="shut")}


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)  # pytester gives each run a home of its own
    for path, text in FILES.items():
        file = pytester.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    pytester.makeini("[pytest]\naddopts = -p harness.plugin.front -p no:cacheprovider\n")
    return pytester


def asked(repository: pytest.Pytester, live: Live, *words: str) -> pytest.RunResult:
    cluster = ("--lab-cluster-mode=reuse", f"--cluster-name={live.cluster.name}")
    command = (sys.executable, "-m", "pytest", "tests/cluster")
    return repository.run(*command, f"--lab-cni={live.cluster.lane.cni}", *cluster, *words)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_examples_of_the_page_hold_on_a_cluster(
    stage: Stage, lab_live: Live, repository: pytest.Pytester, workers: str
) -> None:
    stage.enter(["shut"])

    asked(repository, lab_live, "-n", workers).assert_outcomes(passed=4)


def test_without_its_policy_the_database_is_open_and_the_tests_fail(
    stage: Stage, lab_live: Live, repository: pytest.Pytester
) -> None:
    stage.enter(["pods"])

    result = asked(repository, lab_live)

    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*is open, and the test wants: blocked*", "*the server answered*"])
