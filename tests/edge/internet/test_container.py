"""The simulated internet: when it is used again, when made anew, what is said of faults."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from harness.core.target.family import FAMILIES
from harness.core.target.internet import INTERNET, SPARES
from harness.edge.internet import container as internet
from harness.edge.internet.container import ensure_internet, remove_internet
from harness.edge.internet.controls import Controls
from harness.edge.internet.engine import MTU, Place
from harness.edge.internet.state import (
    DOCUMENTED,
    Fault,
    Internet,
    beside,
    digest,
    initial_sites,
    state_bytes,
)
from harness.edge.machine.filelock import alone
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.wait import NotYet
from harness.errors import EnvironmentFault, ImageUnavailable
from harness.progress import Quiet
from tests.fakes.docker import Answer, FakeEngine

IMAGE, IMAGE_ID = "localhost/policylab/internet:lab", "sha256:new"
ADDRESS = "172.18.0.9"
CONTAINER = Place().container
ADDRESSES = dict(zip(DOCUMENTED, (f"172.18.255.{n}" for n in range(254, 0, -1)), strict=False))
PREFIX, SIX = "fc00:f853:ccd:e793::", "fc00:f853:ccd:e793::9"
INITIAL = state_bytes(ADDRESSES, initial_sites(ADDRESSES), PREFIX)
ENV = [f"POLICYLAB_STATE={INITIAL.decode()}"]
HERE = Internet(
    ADDRESS,
    ADDRESS,
    {name: ADDRESSES[known] for name, known in INTERNET.items()},
    ADDRESSES,
    prefix=PREFIX,
    dns_six=SIX,
)


def network(**more: Any) -> dict[str, Any]:
    subnets = [
        {"Subnet": "fc00:f853:ccd:e793::/64"},
        {"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"},
    ]
    return {"Options": {}, "IPAM": {"Config": subnets}, **more}


class Engine(FakeEngine):
    """An engine with at most one container, some networks and one image."""

    def __init__(self) -> None:
        super().__init__(self.acted)
        self.images = {IMAGE: IMAGE_ID}
        self.networks = {"kind": network(), "bridge": {"Options": {MTU: "1400"}}}
        self.starts_running = True
        self.ipv6 = True
        self.first_state = digest(INITIAL)
        self.silent = 0
        self.patience = replace(PATIENCE, internet_reuse=0.0, internet_start=0.3, internet_turn=0.3)

    @property
    def place(self) -> Place:
        return Place(docker=self.docker, servers=self)

    def state(self, address: str, seconds: float) -> str:
        """The state that the container was given last; so many questions get no answer."""
        if self.silent > 0:
            self.silent -= 1
            raise NotYet(f"{address}, asked for its state: Timeout")
        given = [word.partition("STATE=")[2] for words in self.calls for word in words]
        states = [*filter(None, given), *(text for text in self.told if text.startswith("{"))]
        return digest(states[-1].encode()) if states else self.first_state

    def page(self, address: str, seconds: float) -> None:
        """Every page is there."""

    @property
    def container(self) -> dict[str, Any] | None:
        return self.containers.get(CONTAINER)

    @container.setter
    def container(self, body: dict[str, Any]) -> None:
        self.containers[CONTAINER] = body

    def acted(self, words: list[str]) -> Answer | None:
        """What changes the engine."""
        if self.broken:
            return None
        match words:
            case ["network", "create", *options, name]:
                if "--ipv6" in options and not self.ipv6:
                    return 1, "", "Error response from daemon: Cannot read IPv6 setup for bridge"
                self.networks[name] = network()
            case ["run", "--detach", *_]:
                self.container = container(running=self.starts_running)
            case ["rm", *_]:
                self.containers.clear()
            case ["logs", *_]:
                return 0, "", "policylab: a server ended by itself with exit code 1\n"
        return None


def container(*, running: bool = True, image: str = IMAGE_ID, **config: Any) -> dict[str, Any]:
    labels = config.pop("labels", {"policylab.role": "internet"})
    return {
        "Id": "c0",
        "Image": image,
        "State": {"Running": running},
        "Config": {"Labels": labels, "Env": config.pop("env", ENV), "Image": IMAGE},
        "NetworkSettings": {
            "Networks": {config.pop("on", "kind"): {"IPAddress": ADDRESS, "GlobalIPv6Address": SIX}}
        },
    }


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    fake = Engine()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return fake


def test_every_name_of_the_prediction_is_at_its_address(docker: Engine) -> None:
    found = ensure_internet(IMAGE, Quiet(), docker.place)
    assert found == HERE
    assert found.names["google.com"] == found.names["www.google.com"]
    assert len({found.dns, *found.addresses.values()}) == 1 + len(DOCUMENTED)
    assert set(SPARES) <= set(found.addresses)


def test_addresses_come_by_a_container_that_may_do_that_and_ends(docker: Engine) -> None:
    ensure_internet(IMAGE, Quiet(), docker.place)
    [words] = docker.did("run", "--rm")
    assert {"--cap-drop=ALL", "--cap-add=NET_ADMIN", f"--network=container:{CONTAINER}"} <= set(
        words
    )
    assert docker.told == [
        "".join(f"address add {address}/32 dev eth0\n" for address in ADDRESSES.values())
        + "".join(
            f"address add {beside(address, PREFIX)}/128 dev eth0 nodad\n"
            for address in ADDRESSES.values()
        )
    ]
    [started] = docker.did("run", "--detach")
    assert not [word for word in started if word.startswith(("--cap-add", "--privileged"))]


def test_addresses_that_somebody_has_are_left_to_them(docker: Engine) -> None:
    docker.networks["kind"] = network(
        Containers={"a": {"IPv4Address": "172.18.255.253/16"}, "b": {"IPv4Address": ""}}
    )
    docker.networks["kind"]["IPAM"]["Config"][1]["AuxiliaryAddresses"] = {"c": "172.18.255.251"}
    found = ensure_internet(IMAGE, Quiet(), docker.place)
    free = [f"172.18.255.{n}" for n in (254, 252, *range(250, 0, -1))]
    assert list(found.addresses.values()) == free[: len(DOCUMENTED)]


def test_every_address_has_one_of_ipv6_beside_it_of_its_own(docker: Engine) -> None:
    found = ensure_internet(IMAGE, Quiet(), docker.place)
    six = [found.both(address)[1] for address in found.addresses.values()]

    assert len({*six, found.dns_six}) == len(DOCUMENTED) + 1
    assert all(ip_address(each) in ip_network(f"{PREFIX}/64") for each in six)
    [started] = docker.did("run", "--detach")
    assert "--sysctl=net.ipv6.ip_nonlocal_bind=1" in started


def test_pods_ask_the_name_server_over_a_family_that_they_have() -> None:
    assert HERE.server(FAMILIES["ipv4"]) == HERE.server(FAMILIES["dual"]) == ADDRESS
    assert HERE.server(FAMILIES["ipv6"]) == SIX


def test_network_of_ipv4_alone_has_an_internet_of_ipv4(docker: Engine) -> None:
    docker.networks["kind"] = {"IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}]}}
    docker.first_state = digest(state_bytes(ADDRESSES, initial_sites(ADDRESSES)))
    found = ensure_internet(IMAGE, Quiet(), docker.place)

    assert found.both(ADDRESS) == (ADDRESS,)
    [started] = docker.did("run", "--detach")
    assert "ipv6" not in "".join(started)


def test_network_that_is_too_small_is_said_to_be(docker: Engine) -> None:
    docker.networks["kind"] = {"IPAM": {"Config": [{"Subnet": "172.18.0.0/29"}]}}
    with pytest.raises(EnvironmentFault, match="has no room") as caught:
        ensure_internet(IMAGE, Quiet(), docker.place)
    assert caught.value.seen == "subnets: 172.18.0.0/29"
    assert not docker.did("run")


def test_what_a_killed_run_left_changed_is_put_right(docker: Engine) -> None:
    docker.container = container()
    docker.first_state = "another"
    assert ensure_internet(IMAGE, Quiet(), docker.place) == HERE
    assert docker.told == [INITIAL.decode()]
    assert not docker.did("run")


def test_what_a_run_that_lives_has_changed_is_left_alone(docker: Engine) -> None:
    docker.container = container()
    with Controls(HERE, docker.place) as other:
        other.set("google.com", fault=Fault.DROP)
        changed = docker.told.copy()
        docker.first_state = "another"
        assert ensure_internet(IMAGE, Quiet(), docker.place) == HERE
        assert docker.told == changed
    assert not docker.did("run")


def test_running_container_that_answers_is_used_again(docker: Engine) -> None:
    docker.container = container()
    assert ensure_internet(IMAGE, Quiet(), docker.place).dns == ADDRESS
    assert not docker.did("run")
    assert not docker.did("rm")


@pytest.mark.parametrize(
    "old",
    [
        container(running=False),
        container(image="sha256:old"),
        container(env=["POLICYLAB_STATE=" + INITIAL.decode().replace("google", "goggle")]),
        container(env=["POLICYLAB_NAMES=google.com"]),
        container(on="elsewhere"),
    ],
    ids=["stopped", "another image", "other names", "of before", "another network"],
)
def test_container_that_does_not_fit_is_replaced(docker: Engine, old: dict[str, Any]) -> None:
    docker.container = old
    ensure_internet(IMAGE, Quiet(), docker.place)
    assert docker.did("rm") == [["rm", "--force", "--volumes", "c0"]]
    assert len(docker.did("run", "--detach")) == 1


def test_container_that_does_not_answer_is_replaced(docker: Engine) -> None:
    docker.container = container()
    docker.silent = 1
    ensure_internet(IMAGE, Quiet(), docker.place)
    assert len(docker.did("run", "--detach")) == 1


def test_container_is_labelled_and_never_restarted_or_pulled(docker: Engine) -> None:
    ensure_internet(IMAGE, Quiet(), docker.place)
    [words] = docker.did("run", "--detach")
    assert {
        f"--name={CONTAINER}",
        "--label=policylab.role=internet",
        "--restart=no",
        "--pull=never",
        "--network=kind",
        f"--env={ENV[0]}",
    } <= set(words)
    assert words[-1] == IMAGE


def test_start_waits_for_the_answers(docker: Engine) -> None:
    docker.silent = 1
    assert ensure_internet(IMAGE, Quiet(), docker.place).web == ADDRESS


def test_silence_until_the_deadline_says_what_was_seen(docker: Engine) -> None:
    docker.silent = 1000
    with pytest.raises(EnvironmentFault) as caught:
        ensure_internet(IMAGE, Quiet(), docker.place)
    assert str(caught.value) == (
        "the simulated internet answers for its names: not within 0.3 s\n"
        f"  where: container {CONTAINER} on network kind\n"
        f"  seen:  {ADDRESS}, asked for its state: Timeout\n"
        f"  try:   {internet._hint(docker.place)}"
    )


def test_container_that_ends_at_once_says_its_last_words(docker: Engine) -> None:
    docker.starts_running = False
    with pytest.raises(EnvironmentFault, match="ended when it was started") as caught:
        ensure_internet(IMAGE, Quiet(), docker.place)
    assert caught.value.seen == "policylab: a server ended by itself with exit code 1"


def test_image_that_the_engine_lacks_says_how_to_build_it(docker: Engine) -> None:
    docker.images.clear()
    with pytest.raises(ImageUnavailable) as caught:
        ensure_internet(IMAGE, Quiet(), docker.place)
    assert caught.value.where == IMAGE
    assert caught.value.try_ == "policylab images build"


def test_engine_that_does_not_answer_is_not_an_absent_container(docker: Engine) -> None:
    docker.broken = "Cannot connect to the Docker daemon"
    with pytest.raises(EnvironmentFault) as caught:
        ensure_internet(IMAGE, Quiet(), docker.place)
    assert caught.value.seen == "Cannot connect to the Docker daemon"
    assert not docker.did("run")


@pytest.mark.parametrize(
    "act", [lambda place: ensure_internet(IMAGE, Quiet(), place), remove_internet]
)
def test_container_of_somebody_else_is_never_removed(
    docker: Engine, act: Callable[[Place], object]
) -> None:
    docker.container = container(labels={})
    with pytest.raises(EnvironmentFault, match="policylab did not make it"):
        act(docker.place)
    assert not docker.did("rm")


def test_absent_network_is_made_as_kind_makes_it(docker: Engine) -> None:
    del docker.networks["kind"]
    ensure_internet(IMAGE, Quiet(), docker.place)
    [words] = [words for words in docker.calls if words[:2] == ["network", "create"]]
    assert words[2:] == [
        "--driver=bridge",
        "--opt=com.docker.network.bridge.enable_ip_masquerade=true",
        "--opt=com.docker.network.driver.mtu=1400",
        "--ipv6",
        "--subnet=fc00:f853:0ccd:e793::/64",
        "kind",
    ]


def test_network_without_ipv6_is_made_where_the_engine_has_none(docker: Engine) -> None:
    del docker.networks["kind"]
    docker.ipv6 = False
    ensure_internet(IMAGE, Quiet(), docker.place)
    last = [words for words in docker.calls if words[:2] == ["network", "create"]][-1]
    assert "--ipv6" not in last
    assert "kind" in docker.networks


def test_network_that_is_there_is_left_alone(docker: Engine) -> None:
    ensure_internet(IMAGE, Quiet(), docker.place)
    assert not [words for words in docker.calls if words[:2] == ["network", "create"]]


def test_removal_takes_the_container_only(docker: Engine) -> None:
    docker.container = container()
    remove_internet(docker.place)
    assert docker.did("rm") == [["rm", "--force", "--volumes", "c0"]]
    assert not docker.did("network")


def test_removal_without_a_container_is_no_fault(docker: Engine) -> None:
    remove_internet(docker.place)
    assert not docker.did("rm")


def test_removal_waits_for_the_last_cluster(docker: Engine) -> None:
    docker.container = container()
    docker.ids = ("4f1c",)
    remove_internet(docker.place)
    assert not docker.did("rm")


def test_two_runs_do_not_start_it_at_once(docker: Engine, tmp_path: Path) -> None:
    with (
        alone(tmp_path / "policylab" / f"{CONTAINER}.lock", Quiet(), doing="this", seconds=1),
        pytest.raises(EnvironmentFault, match="no other run is starting") as caught,
    ):
        ensure_internet(IMAGE, Quiet(), docker.place)
    assert caught.value.where.endswith("internet.lock")
    assert docker.calls == []
