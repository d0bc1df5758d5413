"""Images from a real registry on loopback, and each way in which a registry does not give them."""

from __future__ import annotations

import os
import re
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.edge.images.registry.names import Mirror, Name
from harness.edge.images.registry.pulling import pull
from harness.edge.machine.docker import DOCKER, Docker
from harness.edge.machine.patience import PATIENCE
from harness.errors import ImageUnavailable
from harness.progress import Quiet
from tests.live.mirrors import failing, free_port, program, registry

pytestmark = pytest.mark.live

OFFICIAL = "kindest/node:v1"
WRONG = "sha256:" + 32 * "ab"
SHORT = Docker(patience=replace(PATIENCE, registry_answer=3.0, engine_move=6.0))


class Filled(NamedTuple):
    """A registry with one image: its place, its program, and the image's digest and id."""

    place: str
    binary: Path
    digest: str
    image: str

    def name(self, digest: str = "") -> Name:
        """The image's name there, with this digest pinned."""
        return Mirror(self.place, {OFFICIAL: digest} if digest else {}).name(OFFICIAL)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    home = tmp_path_factory.mktemp("registry")
    binary = program(home)
    archive = home / "layer.tar"
    with tarfile.open(archive, "w") as tar:
        content = os.urandom(500_000)
        member = tarfile.TarInfo("random")
        member.size = len(content)
        tar.addfile(member, BytesIO(content))
    with registry(home, binary) as host:
        ref = f"{host}/copies/{OFFICIAL}"
        image = DOCKER.call("import", archive, ref).stdout.strip()
        pushed = DOCKER.call("push", ref).stdout
        DOCKER.remove_image(ref)
        found = re.search(r"digest: (sha256:[0-9a-f]{64})", pushed)
        assert found, pushed
        yield Filled(f"{host}/copies", binary, found[1], image)


@pytest.fixture(scope="module", autouse=True)
def dying() -> Iterator[Future[ImageUnavailable]]:
    """A pull from a registry that dies, beside the other tests: Docker tries again for 50 s."""
    with failing("die") as made, ThreadPoolExecutor(max_workers=1) as beside:
        yield beside.submit(refused, Mirror(made.host).name(OFFICIAL))


def refused(name: Name, docker: Docker = DOCKER) -> ImageUnavailable:
    with pytest.raises(ImageUnavailable) as caught:
        pull(docker, name, Quiet())
    assert not DOCKER.has_image(name.ref)
    return caught.value


@pytest.mark.parametrize("pinned", [True, False])
def test_image_is_pulled_and_is_the_same(filled: Filled, pinned: bool) -> None:
    name = filled.name(filled.digest if pinned else "")
    assert not DOCKER.has_image(filled.image), "the image is still here, so nothing is pulled"
    try:
        pull(DOCKER, name, Quiet())
        found = DOCKER.inspect("image", name.tagged)
        assert found is not None
        assert found["Id"] == filled.image
        assert found["RepoDigests"] == [f"{name.short}@{filled.digest}"]
    finally:
        DOCKER.remove_image(filled.image)
        DOCKER.remove_image(name.tagged)
        DOCKER.remove_image(f"{name.short}@{filled.digest}")


def test_image_that_the_registry_lacks_is_missing(filled: Filled) -> None:
    error = refused(Mirror(filled.place).name("calico/node:v3"))

    assert "does not have the image" in error.what


def test_wrong_digest_is_refused_and_both_are_told(filled: Filled) -> None:
    error = refused(filled.name(WRONG))

    assert "another content" in error.what
    assert filled.digest in error.seen
    assert WRONG in error.seen


def test_registry_with_users_asks_for_a_login(filled: Filled, tmp_path: Path) -> None:
    with registry(tmp_path, filled.binary, login=True) as host:
        error = refused(Mirror(host).name(OFFICIAL))

    assert "wants a login" in error.what
    assert f"docker login {host}" in error.try_


def test_nobody_listens() -> None:
    host = f"127.0.0.1:{free_port()}"
    error = refused(Mirror(host).name(OFFICIAL))

    assert error.what == f"no registry answers at {host}"


def test_registry_that_is_silent_is_given_up_within_seconds() -> None:
    began = time.monotonic()
    with failing("silent") as made:
        error = refused(Mirror(made.host).name(OFFICIAL), SHORT)

    assert "does not say in time" in error.what
    assert time.monotonic() - began < 20


def test_registry_that_hangs_in_a_layer_is_given_up_at_the_deadline() -> None:
    began = time.monotonic()
    with failing("stall") as made:
        error = refused(Mirror(made.host).name(OFFICIAL), SHORT)

    assert "was not complete in time" in error.what
    assert time.monotonic() - began < 25


def test_other_content_under_the_pinned_digest_is_refused() -> None:
    with failing("other") as made:
        error = refused(Mirror(made.host, {OFFICIAL: WRONG}).name(OFFICIAL))

    assert "another content" in error.what


def test_registry_that_dies_in_a_layer_is_told_from_one_that_is_not_there(
    dying: Future[ImageUnavailable],
) -> None:
    assert "broke off in the middle" in dying.result(timeout=120).what
