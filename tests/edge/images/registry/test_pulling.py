"""Why an image cannot be pulled, in words: the engine's words are those of Docker 26.1."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness.edge.images.registry.names import Name
from harness.edge.images.registry.pulling import Hearing, pull
from harness.edge.machine.docker import Docker
from harness.edge.machine.follow import TooLate
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.process import Completed
from harness.errors import ImageUnavailable
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine

PINNED, THERE = "sha256:" + 64 * "a", "sha256:" + 64 * "b"
NAME = Name.of(f"mirror.test:5000/m/kindest/node:v1@{PINNED}")
TAGGED = Name.of("mirror.test:5000/m/calico/node:v3")
BEGUN = "v3: Pulling from m/calico/node\n61f9: Pulling fs layer\n5a74: Pulling fs layer\n"


class Notes(Quiet):
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def refused(said: str, name: Name = TAGGED, *, verbose: object = None) -> ImageUnavailable:
    """What a user gets when the engine says this; `verbose` is what `manifest inspect` finds."""

    def answer(words: list[str]) -> tuple[int, str, str] | None:
        if words[0] == "pull":
            return 1, "", said
        if words[0] == "manifest" and verbose is not None:
            return 0, json.dumps(verbose), ""
        return None

    with pytest.raises(ImageUnavailable) as caught:
        pull(FakeEngine(answer).docker, name, Quiet())
    return caught.value


@pytest.mark.parametrize(
    ("said", "what", "cure"),
    [
        (
            'Get "http://mirror.test:5000/v2/": dial tcp 10.0.0.1:80: connect: connection refused',
            "no registry answers at mirror.test:5000",
            "does the registry run",
        ),
        (
            'Get "https://mirror.test:5000/v2/": dial tcp: lookup x on 10.0.0.53:53: no such host',
            "no registry answers",
            "is the name right",
        ),
        (
            "manifest for mirror.test:5000/m/calico/node:v3 not found: manifest unknown",
            "does not have the image mirror.test:5000/m/calico/node:v3",
            "crane copy",
        ),
        (
            'Head "http://mirror.test:5000/v2/m/node/manifests/v3": no basic auth credentials',
            "wants a login",
            "docker login mirror.test:5000",
        ),
        ("unauthorized: authentication required", "wants a login", "docker login mirror.test:5000"),
        (
            'Get "https://mirror.test:5000/v2/": http: server gave HTTP response to HTTPS client',
            "speaks plain HTTP",
            "insecure-registries",
        ),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "does not trust the certificate",
            "/etc/docker/certs.d/mirror.test:5000/ca.crt",
        ),
        (f"manifest verification failed for digest {PINNED}", "another content", "skopeo copy"),
        ("filesystem layer verification failed for digest sha256:1", "another content", "copy"),
        ("no matching manifest for linux/arm64/v8 in the manifest list", "kind of machine", "all"),
        ("toomanyrequests: You have reached your pull rate limit", "no more images", "login"),
        ("write /var/lib/docker/tmp/x: no space left on device", "is full", "docker system df"),
        ("something new", "cannot be pulled", "docker pull mirror.test:5000/m/calico/node:v3"),
    ],
)
def test_each_refusal_has_words_and_a_cure(said: str, what: str, cure: str) -> None:
    error = refused(f"Error response from daemon: {said}\n")

    assert what in error.what
    assert cure in error.try_
    assert "--lab-images=build" in error.try_
    assert said in error.seen
    assert error.where == "docker pull mirror.test:5000/m/calico/node:v3"


@pytest.mark.parametrize("said", ["connect: connection refused", "unexpected EOF"])
def test_registry_that_dies_in_the_middle_was_there(said: str) -> None:
    error = refused(f"{BEGUN}61f9: Retrying in 5 seconds\n{said}\n")

    assert "broke off in the middle" in error.what
    assert error.seen == said


MISSING = "Error response from daemon: manifest for x not found: manifest unknown\n"


def test_pinned_digest_that_the_registry_lacks_is_compared_with_what_is_there() -> None:
    error = refused(MISSING, NAME, verbose={"Descriptor": {"digest": THERE}})

    assert "another content" in error.what
    assert THERE in error.seen
    assert PINNED in error.seen
    assert "images/registries.toml" in error.try_


def test_image_of_several_platforms_has_another_digest_that_is_not_told() -> None:
    error = refused(MISSING, NAME, verbose=[{"Descriptor": {}}, {"Descriptor": {}}])

    assert "an image of 2 platforms with another digest" in error.seen


@pytest.mark.parametrize("verbose", [None, {}, {"Descriptor": {"digest": "nonsense"}}, "text"])
def test_pinned_image_that_is_not_there_at_all_is_missing(verbose: object) -> None:
    assert "does not have the image" in refused(MISSING, NAME, verbose=verbose).what


def too_late(*lines: str) -> Docker:
    """An engine whose pull says these lines, and then nothing until the deadline."""

    def follow(*_: object, heard: Callable[[str], None], **__: object) -> Completed:
        for line in lines:
            heard(line)
        said = Completed(("docker",), 0, "\n".join(lines), "", 9.0)
        raise TooLate("docker was not done after 9 s", said)

    return Docker(FakeEngine().run, PATIENCE, follow)


def test_registry_that_says_nothing_is_told_from_one_that_hangs_in_the_middle() -> None:
    with pytest.raises(ImageUnavailable, match="does not say in time"):
        pull(too_late(), TAGGED, Quiet())
    with pytest.raises(ImageUnavailable, match="was not complete in time") as caught:
        pull(too_late(*BEGUN.splitlines()), TAGGED, Quiet())

    assert "docker was not done after 9 s" in caught.value.seen


def test_pulled_image_gets_the_name_without_its_digest() -> None:
    engine = FakeEngine()
    engine.online = True

    pull(engine.docker, NAME, Quiet())

    assert engine.images["mirror.test:5000/m/kindest/node:v1"] == engine.images[NAME.ref]


def test_image_that_is_here_is_not_pulled() -> None:
    engine = FakeEngine()
    engine.images[TAGGED.ref] = "1"

    pull(engine.docker, TAGGED, Quiet())

    assert engine.did("pull") == []


def test_digest_of_an_image_that_is_not_pinned_is_told() -> None:
    engine, told = FakeEngine(), Notes()
    engine.online = True

    pull(engine.docker, TAGGED, told)
    pull(engine.docker, NAME, told)

    assert told.lines == [f"{TAGGED.ref} has no pinned digest; it is sha256:{64 * '1'}"]


def test_progress_says_what_is_here_and_when_it_is_given_up() -> None:
    told, times = Notes(), iter([0.0, *(5.0 * n for n in range(1, 9))])
    hearing = Hearing("image", told, 900, clock=lambda: next(times))
    for line in ["v3: Pulling from x", "a: Pulling fs layer", "b: Already exists", "", "", ""]:
        hearing(line)

    assert told.lines == [
        "image: 1 of 2 parts are here after 15 s; it is given up after 900 s",
        "image: 1 of 2 parts are here after 30 s; it is given up after 900 s",
    ]
