"""docs/plugin.md: every example on the page does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.core.manifests.reader import parse
from tests.fakes.cluster import FakeCluster
from tests.plugin.test_reach import INI, REUSE, ways_to

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "plugin.md"
BLOCK = re.compile(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HELM = '#!/bin/sh\n[ "$1 $2" = "template shop" ] && cat k8s/shop.yaml\n'


def examples() -> dict[str, str]:
    """The files of the page, by their paths."""
    return dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A repository with these files, on a machine that has helm."""
    for path, text in examples().items():
        file = pytester.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    helm = pytester.mkdir("bin") / "helm"
    helm.write_text(HELM, encoding="utf-8")
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", str(helm.parent), prepend=":")
    pytester.makeini(INI)
    return pytester


def test_page_has_tests_of_each_kind() -> None:
    assert {path for path in examples() if path.endswith(".py")} == {
        "tests/test_policies.py",
        "tests/test_chart.py",
        "tests/test_matrix.py",
        "tests/cluster/test_reach.py",
        "tests/cluster/test_change.py",
    }


def test_examples_without_a_cluster_pass(repository: pytest.Pytester) -> None:
    result = repository.runpytest_inprocess("tests", "--ignore=tests/cluster")

    result.assert_outcomes(passed=4)


def test_examples_on_a_cluster_pass(repository: pytest.Pytester) -> None:
    cluster = FakeCluster()
    for resource in parse(examples()["k8s/shop.yaml"], origin="shop.yaml"):
        cluster.apply(resource.body)
    cluster.clock.take(1.0)

    result = repository.runpytest_inprocess("tests/cluster", REUSE, plugins=[ways_to(cluster)])

    result.assert_outcomes(passed=4)


def test_examples_on_a_cluster_are_errors_where_the_run_names_none(
    repository: pytest.Pytester,
) -> None:
    result = repository.runpytest_inprocess("tests/cluster")

    result.assert_outcomes(errors=4)
