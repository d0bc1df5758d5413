"""Package sources of another suite, derived from the machine's own and never written to it."""

from pathlib import Path

import pytest

from harness.edge.machine import apt
from harness.edge.machine.apt import sources_for
from harness.errors import ToolMissing

MIRROR = "http://mirror.invalid/debian"


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def derived(etc: Path, suite: str) -> str:
    return sources_for(suite, etc=etc, os_release=etc / "os-release")


def test_deb822_sources_keep_mirror_and_key(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        f"# made by hand\nTypes: deb deb-src\nURIs: {MIRROR}\nSuites: bookworm bookworm-updates\n"
        f"Components: main contrib\nSigned-By: /key\n\n"
        f"Types: deb\nURIs: {MIRROR}-security\nSuites: bookworm-security\nComponents: main\n"
    )
    text = derived(etc, "trixie")
    assert "Suites: trixie trixie-updates" in text
    assert f"URIs: {MIRROR}-security\nSuites: trixie-security" in text
    assert "Signed-By: /key" in text
    assert "bookworm" not in text
    assert "contrib" not in text
    assert "deb-src" not in text


def test_one_line_sources_are_read_too(etc: Path) -> None:
    (etc / "sources.list").write_text(
        f"# comment\ndeb [signed-by=/key arch=amd64] {MIRROR} bookworm main\n"
        f"deb {MIRROR} bookworm-updates main\n"
    )
    text = derived(etc, "bookworm")
    assert f"URIs: {MIRROR}\nSuites: bookworm\nSigned-By: /key" in text
    assert "Suites: bookworm-updates" in text


def test_other_vendors_are_left_out(etc: Path) -> None:
    (etc / "sources.list").write_text(
        f"deb {MIRROR} bookworm main\ndeb http://vendor.invalid cloud-sdk-bookworm main\n"
    )
    (etc / "sources.list.d" / "vendor.sources").write_text(
        "Types: deb\nURIs: http://vendor.invalid\nSuites: nodistro\nComponents: main\n"
    )
    assert "vendor" not in derived(etc, "trixie")


def test_disabled_sources_are_left_out(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(
        f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main\nEnabled: no\n"
    )
    with pytest.raises(ToolMissing, match="name no Debian archive"):
        derived(etc, "trixie")


def test_only_the_named_packages_may_come_from_the_other_suite(tmp_path: Path, etc: Path) -> None:
    (etc / "sources.list").write_text(f"deb {MIRROR} bookworm main\n")
    home = tmp_path / "home"
    options = apt._configuration(
        home, ["docker.io"], "trixie", etc=etc, os_release=etc / "os-release"
    )
    assert "Suites: bookworm" in (home / "sources" / "machine.sources").read_text()
    assert "Suites: trixie" in (home / "sources" / "other.sources").read_text()
    pins = (home / "pins" / "only-these").read_text()
    assert pins.startswith("Package: docker.io\nPin: release n=trixie*\nPin-Priority: 990")
    assert "Package: *\nPin: release n=trixie*\nPin-Priority: -10" in pins
    assert f"Dir::Etc::sourceparts={home}/sources" in options
    assert not any("=/etc" in option for option in options)
