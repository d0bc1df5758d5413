"""The wheel in a new virtual environment: nothing of this checkout is on its path.

These tests get packages from a registry and need about a minute: `make installed` runs them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.errors import ContentError
from tests.plugin.test_plugin_docs import BLOCK as EXAMPLE
from tests.plugin.test_plugin_docs import HELM, examples

pytestmark = pytest.mark.installed

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WHOLE = re.compile(r"^([a-zA-Z0-9_.-]+==\S+)", re.MULTILINE)
MOST_MS = 50.0
"""What the plugin may cost a run that does not use it."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A virtual environment, and an empty folder for repositories of other people."""

    home: Path
    folder: Path

    def run(
        self, *words: str, cwd: Path | None = None, code: int | None = 0, **variables: str
    ) -> str:
        """What a program of the environment says."""
        unset = {"PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_WORKER"}
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        path = f"{self.home / 'bin'}{os.pathsep}{kept['PATH']}"
        done = subprocess.run(
            [self.home / "bin" / words[0], *words[1:]],
            cwd=cwd or self.folder,
            env={**kept, "PATH": path, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout
        return done.stdout

    def repository(self, name: str, files: Mapping[str, str]) -> Path:
        """A repository with these files and no other."""
        folder = self.folder / name
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from the files that git knows."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"),
            *("-w", str(out), str(source)),
        ],
        check=True,
    )
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """`pip install policylab`, with the versions of requirements.lock."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=True)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = home / "pins.txt"
    pins.write_text("\n".join(WHOLE.findall(lock)), encoding="utf-8")
    found = Installed(home, tmp_path_factory.mktemp("elsewhere"))
    found.run("pip", "install", "-q", "--no-compile", "-c", str(pins), str(wheel))
    return found


@pytest.fixture(scope="module")
def beside(installed: Installed) -> Installed:
    """The same environment with the plugins of other people, pinned with hashes."""
    lock = str(HERE / "plugins.lock")
    installed.run("pip", "install", "-q", "--no-compile", "--require-hashes", "-r", lock)
    return installed


def test_wheel_has_the_data_of_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = ROOT / "harness"
    wanted = {
        str(path.relative_to(ROOT))
        for folder in (inside, inside / "assignments")
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert {name for name in names if not name.startswith("policylab-")} == wanted


def test_base_install_is_of_this_wheel_and_without_pytest_kind(installed: Installed) -> None:
    script = (
        "import harness, importlib.util as u, sys;"
        "print(harness.__file__);print(u.find_spec('pytest_kind'));print(*sys.path)"
    )

    place, kind, *path = installed.run("python", "-c", script).splitlines()

    assert Path(place).is_relative_to(installed.home)
    assert kind == "None"
    assert str(ROOT) not in " ".join(path)


def test_run_that_uses_nothing_of_it_sees_and_pays_nothing(installed: Installed) -> None:
    folder = installed.repository("nothing", {"test_it.py": "def test_it(): pass\n"})
    timed = (
        "import time, pytest, _pytest.fixtures;began = time.process_time();"
        "import harness.plugin, harness.plugin.front;print(time.process_time() - began)"
    )

    said = installed.run("pytest", "-v", cwd=folder)
    costs = [float(installed.run("python", "-c", timed)) * 1000 for _ in range(5)]

    assert "plugins: policylab-" in said
    assert [
        line for line in said.splitlines() if "policylab" in line.partition("plugins:")[0]
    ] == []
    assert {path.name for path in folder.iterdir()} <= {
        "test_it.py",
        ".pytest_cache",
        "__pycache__",
    }
    assert min(costs) < MOST_MS, costs


def test_help_markers_and_fixtures_read_well(installed: Installed) -> None:
    folder = installed.repository("help", {"test_it.py": "def test_it(): pass\n"})

    assert "policylab: labs and tests of network policies" in installed.run("pytest", "--help")
    fixtures = installed.run("pytest", "--fixtures", "-v", cwd=folder)
    assert "What NetworkPolicies in files say of flows" in fixtures
    assert "What pods of a running cluster see of flows and names" in fixtures
    assert "lab_cluster" not in fixtures
    assert "policylab" not in installed.run("pytest", "--markers")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("cluster up", "run policylab from a clone of its repository"),
        ("images build", "run policylab from a clone of its repository"),
        ("claims", "run this command from a clone of policylab"),
    ],
)
def test_what_needs_a_clone_says_so(installed: Installed, command: str, words: str) -> None:
    said = installed.run("policylab", *command.split(), code=None)

    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("explain timeout", "something dropped the packets"),
        ("explain --manifests k8s shop/web-1 pod/shop/db:6379", "this would open it"),
        ("lint k8s", "findings"),
        ("assignment list", "lab12"),
        ("words", "fact/"),
    ],
)
def test_what_needs_none_works(installed: Installed, command: str, words: str) -> None:
    folder = installed.repository("shop", examples())

    assert words in installed.run("policylab", *command.split(), cwd=folder, code=None)


def test_page_of_the_plugin_holds_for_the_wheel(installed: Installed) -> None:
    folder = installed.repository("shop", {**examples(), "bin/helm": HELM})
    (folder / "bin" / "helm").chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{installed.home / 'bin'}{os.pathsep}{os.environ['PATH']}"

    said = installed.run("pytest", "tests", "--ignore=tests/cluster", cwd=folder, PATH=path)

    assert "4 passed" in said


def test_labs_of_somebody_else_run_offline(installed: Installed) -> None:
    page = (ROOT / "docs" / "own-labs.md").read_text(encoding="utf-8")
    files = dict(re.findall(EXAMPLE.pattern.replace("yaml", "yaml|toml"), page, EXAMPLE.flags))
    folder = installed.repository("cafe", {**files, "pytest.ini": "[pytest]\n"})

    said = installed.run("pytest", "labs/", "--lab-offline", cwd=folder)
    claims = installed.run("policylab", "claims", "--labs", "labs", cwd=folder)
    installed.run("policylab", "lint", "manifests/cafe", cwd=folder, code=None)

    assert "3 rows: 3 not observed, 0 FAIL" in said
    assert "1 confirmed, 1 refuted" in claims
    latest = folder / "results" / "latest"
    document = json.loads((latest / "labs.json").read_text(encoding="utf-8"))
    assert [row["tutorial"] for row in document["rows"]] == ["cafe"] * 3
    assert (latest / "report.html").exists()

    lab = folder / "labs" / "cafe" / "test_01_closing_time.py"
    text = lab.read_text(encoding="utf-8")
    lab.write_text(text.replace("| timeout       |          |", "| connected     |          |"))
    assert "1 FAIL" in installed.run("pytest", "labs/", "--lab-offline", cwd=folder, code=1)


MIXED = {
    "pytest.ini": """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
DJANGO_SETTINGS_MODULE = site_settings
pythonpath = .
""",
    "site_settings.py": """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
SECRET_KEY = "not one"
USE_TZ = True
""",
    "test_mixed.py": """
import asyncio

import pytest


@pytest.mark.parametrize("number", range(4))
def test_flow(predict, number):
    predict("k8s/")("shop/web").to("shop/db:6379").is_blocked()


async def test_async(predict):
    await asyncio.sleep(0)
    predict("k8s/").matrix("flows.yaml")


@pytest.mark.django_db
def test_django(predict, django_assert_num_queries):
    with django_assert_num_queries(0):
        predict("k8s/")("shop/api").to("shop/db:6379").is_open()


def test_kind_is_there(request):
    assert request.config.getoption("cluster_name") == "pytest-kind"


def test_wrong(predict):
    predict("k8s/")("shop/web").to("shop/db:6379").is_open()


def test_unsaid(predict):
    predict("k8s/")("shop/web").to("ping/pod/shop/db").is_blocked()
""",
}


@pytest.mark.parametrize("workers", ["0", "4"])
def test_plugins_of_other_people_work_beside_it(beside: Installed, workers: str) -> None:
    folder = beside.repository(f"mixed-{workers}", {**examples(), **MIXED})
    reports = ("--html=found.html", "--self-contained-html", "--junitxml=found.xml")

    said = beside.run("pytest", "test_mixed.py", "-n", workers, *reports, cwd=folder, code=1)
    again = beside.run("pytest", "test_mixed.py", "--lf", "-n", workers, cwd=folder, code=1)

    assert "1 failed, 7 passed, 1 error" in said, said
    assert "NO VERDICT test_mixed.py::test_unsaid" in said
    assert re.search(r"= 1 failed, (7 deselected, )?1 error", again), again
    page = (folder / "found.html").read_text(encoding="utf-8")
    assert "no rule allows ingress from shop/web" in page
    tree = ET.parse(folder / "found.xml").getroot()  # noqa: S314 - pytest wrote it
    (suite,) = tree.iter("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("9", "2")
    unsaid = [p.get("value") for p in tree.iter("property") if p.get("name") == "policylab"]
    assert unsaid == ["no verdict"]


ANYIO = {
    "pytest.ini": "[pytest]\nasyncio_default_fixture_loop_scope = function\n",
    "test_anyio.py": """
import anyio
import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def flows(predict):
    await anyio.sleep(0)
    return predict("k8s/")


async def test_flow(flows):
    await anyio.sleep(0)
    flows("shop/web").to("shop/db:6379").is_blocked()


async def test_unsaid(flows):
    flows("shop/web").to("shop/db:6379")
""",
}


def test_async_project_of_anyio_works_beside_it(beside: Installed) -> None:
    folder = beside.repository("anyio", {**examples(), **ANYIO})

    said = beside.run("pytest", "test_anyio.py", cwd=folder, code=1)

    assert "1 passed, 1 error" in said, said
    assert "NO VERDICT test_anyio.py::test_unsaid" in said


def test_no_option_of_ours_has_the_name_of_another_plugins(beside: Installed) -> None:
    said = beside.run("pytest", "--help")

    assert "--kind-image" in said
    assert "--reuse-db" in said
    assert re.findall(r"^ +--lab-\S+", said, re.MULTILINE)


def test_run_without_a_cluster_does_not_start_one(beside: Installed) -> None:
    folder = beside.repository("shop", examples())

    said = beside.run("pytest", "tests/cluster", cwd=folder, code=1)

    assert "4 errors" in said
    assert "this run names none" in said
    assert ContentError.__name__ in said
