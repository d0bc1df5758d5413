"""The simulated internet: when it is used again, when made anew, what is said of faults."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.world import INTERNET
from harness.edge import internet
from harness.edge.internet import CONTAINER, Internet, ensure_internet, remove_internet
from harness.edge.process import CommandFailed, Completed, Quiet
from harness.edge.wait import NotYet
from harness.errors import EnvironmentFault, ImageUnavailable

IMAGE, IMAGE_ID = "localhost/policylab/internet:lab", "sha256:new"
ADDRESS = "172.18.0.9"
ENV = [f"POLICYLAB_NAMES={' '.join(INTERNET)}", f"POLICYLAB_TTL={internet.TTL_SECONDS}"]


class Docker:
    """An engine with at most one container, some networks and one image."""

    def __init__(self) -> None:
        self.images = {IMAGE: IMAGE_ID}
        self.networks: dict[str, dict[str, Any]] = {
            "kind": {"Options": {}},
            "bridge": {"Options": {internet.MTU: "1400"}},
        }
        self.container: dict[str, Any] | None = None
        self.starts_running = True
        self.nodes = ""
        self.broken = ""
        self.ipv6 = True
        self.calls: list[list[str]] = []

    def run(self, argv: list[str], *, check: bool = True, **_: object) -> Completed:
        words = list(argv)[1:]
        self.calls.append(words)
        code, out, err = self.answer(words)
        done = Completed(tuple(argv), code, out, err, 0.0)
        if check and code:
            raise CommandFailed(f"docker failed with exit code {code}", done)
        return done

    def answer(self, words: list[str]) -> tuple[int, str, str]:
        if self.broken and words[0] != "logs":
            return 1, "", self.broken
        match words:
            case [kind, "inspect", name]:
                return self.inspect(kind, name)
            case ["network", "create", *options, name]:
                if "--ipv6" in options and not self.ipv6:
                    return 1, "", "Error response from daemon: Cannot read IPv6 setup for bridge"
                self.networks[name] = {"Options": {}}
            case ["run", *_]:
                self.container = container(running=self.starts_running)
            case ["rm", *_]:
                self.container = None
            case ["logs", *_]:
                return 0, "", "policylab: a server ended by itself with exit code 1\n"
            case ["ps", *_]:
                return 0, self.nodes, ""
        return 0, "", ""

    def inspect(self, kind: str, name: str) -> tuple[int, str, str]:
        things: dict[str, dict[str, Any] | None] = {
            "container": self.container,
            "image": {"Id": self.images[name]} if name in self.images else None,
            "network": self.networks.get(name),
        }
        found = things[kind]
        return (0, json.dumps([found]), "") if found else (1, "[]", f"Error: No such {kind}: x\n")

    def did(self, verb: str) -> list[list[str]]:
        return [words for words in self.calls if words[0] == verb]


def container(*, running: bool = True, image: str = IMAGE_ID, **config: Any) -> dict[str, Any]:
    labels = config.pop("labels", {"policylab.role": "internet"})
    return {
        "Id": "c0",
        "Image": image,
        "State": {"Running": running},
        "Config": {"Labels": labels, "Env": config.pop("env", ENV), "Image": IMAGE},
        "NetworkSettings": {"Networks": {config.pop("on", "kind"): {"IPAddress": ADDRESS}}},
    }


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Docker:
    fake = Docker()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(internet, "run", fake.run)
    monkeypatch.setattr(internet, "REUSE_SECONDS", 0.0)
    monkeypatch.setattr(internet, "START_SECONDS", 0.3)
    monkeypatch.setattr(internet, "LOCK_SECONDS", 0.3)
    monkeypatch.setattr(internet, "_ask", lambda _: None)
    return fake


def silent_for(looks: int) -> Callable[[str], None]:
    """Stand in for the servers: so many questions get no answer, the next ones do."""
    left = iter(range(looks))

    def ask(address: str) -> None:
        if next(left, None) is not None:
            raise NotYet(f"{address}, asked for google.com: Timeout")

    return ask


def test_every_name_of_the_prediction_is_at_its_address(docker: Docker) -> None:
    found = ensure_internet(IMAGE, Quiet())
    assert found == Internet(ADDRESS, ADDRESS, dict.fromkeys(INTERNET, ADDRESS))


def test_running_container_that_answers_is_used_again(docker: Docker) -> None:
    docker.container = container()
    assert ensure_internet(IMAGE, Quiet()).dns == ADDRESS
    assert not docker.did("run")
    assert not docker.did("rm")


@pytest.mark.parametrize(
    "old",
    [
        container(running=False),
        container(image="sha256:old"),
        container(env=["POLICYLAB_NAMES=google.com", ENV[1]]),
        container(on="elsewhere"),
    ],
    ids=["stopped", "another image", "other names", "another network"],
)
def test_container_that_does_not_fit_is_replaced(docker: Docker, old: dict[str, Any]) -> None:
    docker.container = old
    ensure_internet(IMAGE, Quiet())
    assert docker.did("rm") == [["rm", "--force", "--volumes", "c0"]]
    assert len(docker.did("run")) == 1


def test_container_that_does_not_answer_is_replaced(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.container = container()
    monkeypatch.setattr(internet, "_ask", silent_for(1))
    ensure_internet(IMAGE, Quiet())
    assert len(docker.did("run")) == 1


def test_container_is_labelled_and_never_restarted_or_pulled(docker: Docker) -> None:
    ensure_internet(IMAGE, Quiet())
    [words] = docker.did("run")
    assert {
        f"--name={CONTAINER}",
        "--label=policylab.role=internet",
        "--restart=no",
        "--pull=never",
        "--network=kind",
        f"--env={ENV[0]}",
    } <= set(words)
    assert words[-1] == IMAGE


def test_start_waits_for_the_answers(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internet, "_ask", silent_for(1))
    assert ensure_internet(IMAGE, Quiet()).web == ADDRESS


def test_silence_until_the_deadline_says_what_was_seen(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(internet, "_ask", silent_for(1000))
    with pytest.raises(EnvironmentFault) as caught:
        ensure_internet(IMAGE, Quiet())
    assert str(caught.value) == (
        "the simulated internet answers for google.com: not within 0.3 s\n"
        f"  where: container {CONTAINER} on network kind\n"
        f"  seen:  {ADDRESS}, asked for google.com: Timeout\n"
        f"  try:   {internet.LOOK}"
    )


def test_container_that_ends_at_once_says_its_last_words(docker: Docker) -> None:
    docker.starts_running = False
    with pytest.raises(EnvironmentFault, match="ended when it was started") as caught:
        ensure_internet(IMAGE, Quiet())
    assert caught.value.seen == "policylab: a server ended by itself with exit code 1"


def test_image_that_the_engine_lacks_says_how_to_build_it(docker: Docker) -> None:
    docker.images.clear()
    with pytest.raises(ImageUnavailable) as caught:
        ensure_internet(IMAGE, Quiet())
    assert caught.value.where == IMAGE
    assert caught.value.try_ == "policylab images build"


def test_engine_that_does_not_answer_is_not_an_absent_container(docker: Docker) -> None:
    docker.broken = "Cannot connect to the Docker daemon"
    with pytest.raises(EnvironmentFault) as caught:
        ensure_internet(IMAGE, Quiet())
    assert caught.value.seen == "Cannot connect to the Docker daemon"
    assert not docker.did("run")


@pytest.mark.parametrize("act", [lambda: ensure_internet(IMAGE, Quiet()), remove_internet])
def test_container_of_somebody_else_is_never_removed(
    docker: Docker, act: Callable[[], object]
) -> None:
    docker.container = container(labels={})
    with pytest.raises(EnvironmentFault, match="policylab did not make it"):
        act()
    assert not docker.did("rm")


def test_absent_network_is_made_as_kind_makes_it(docker: Docker) -> None:
    del docker.networks["kind"]
    ensure_internet(IMAGE, Quiet())
    [words] = [words for words in docker.calls if words[:2] == ["network", "create"]]
    assert words[2:] == [
        "--driver=bridge",
        "--opt=com.docker.network.bridge.enable_ip_masquerade=true",
        "--opt=com.docker.network.driver.mtu=1400",
        "--ipv6",
        "--subnet=fc00:f853:0ccd:e793::/64",
        "kind",
    ]


def test_network_without_ipv6_is_made_where_the_engine_has_none(docker: Docker) -> None:
    del docker.networks["kind"]
    docker.ipv6 = False
    ensure_internet(IMAGE, Quiet())
    last = [words for words in docker.calls if words[:2] == ["network", "create"]][-1]
    assert "--ipv6" not in last
    assert "kind" in docker.networks


def test_network_that_is_there_is_left_alone(docker: Docker) -> None:
    ensure_internet(IMAGE, Quiet())
    assert not [words for words in docker.calls if words[:2] == ["network", "create"]]


def test_removal_takes_the_container_only(docker: Docker) -> None:
    docker.container = container()
    remove_internet()
    assert docker.did("rm") == [["rm", "--force", "--volumes", "c0"]]
    assert not docker.did("network")


def test_removal_without_a_container_is_no_fault(docker: Docker) -> None:
    remove_internet()
    assert not docker.did("rm")


def test_removal_waits_for_the_last_cluster(docker: Docker) -> None:
    docker.container, docker.nodes = container(), "4f1c\n"
    remove_internet()
    assert not docker.did("rm")


def test_two_runs_do_not_start_it_at_once(docker: Docker) -> None:
    with (
        internet._alone(Quiet()),
        pytest.raises(EnvironmentFault, match="no other run is starting") as caught,
    ):
        ensure_internet(IMAGE, Quiet())
    assert caught.value.where.endswith("internet.lock")
    assert docker.calls == []
