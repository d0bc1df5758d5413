"""The simulated internet: one container beside the clusters, with a name server and a web server.

It stands on Docker's network of kind, outside every cluster, so that a CNI sees an address of the
world; all of policylab's clusters of a machine share it. The container writes its own zone when it
starts, because only then Docker has given it an address.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from harness.core.world import INTERNET
from harness.edge.images.store import cache_home
from harness.edge.process import CommandFailed, Completed, Progress, run, tail
from harness.edge.wait import NotYet, wait_for
from harness.errors import EnvironmentFault, ImageUnavailable

__all__ = ["CONTAINER", "Internet", "ensure_internet", "remove_internet"]

CONTAINER = "policylab-internet"
LABEL, ROLE = "policylab.role", "internet"
NODE_LABEL = "io.x-k8s.kind.cluster"
KNOWN = "google.com"
TTL_SECONDS = 30
MTU = "com.docker.network.driver.mtu"
ENGINE_SECONDS = 60.0
ANSWER_SECONDS = 1.0
REUSE_SECONDS = 2.0
START_SECONDS = 20.0
LOCK_SECONDS = 90.0
HTTP_OK = 200
READY = f"the simulated internet answers for {KNOWN}"
LOOK = f"docker logs {CONTAINER}; `docker rm -f {CONTAINER}` and run again to start afresh"


@dataclass(frozen=True, slots=True)
class Internet:
    """Where the simulated internet is: its name server, its web server, and every name it knows."""

    dns: str
    web: str
    names: Mapping[str, str]


def ensure_internet(image: str, progress: Progress, *, network: str = "kind") -> Internet:
    """Return the simulated internet on that network, started from `image` if need be.

    One that runs on this image, serves these names and answers is used again; any other of ours is
    replaced. Raises `EnvironmentFault` if it cannot be started or does not answer.
    """
    with _alone(progress):
        wanted = _image_id(image)
        found = _container()
        if found is not None and _fits(found, wanted, network) and _answers_now(found, network):
            return _described(_address(found, network))
        with progress.step("starting the simulated internet"):
            _ensure_network(network)
            _remove(found)
            _docker(_run_command(image, network), "the simulated internet cannot be started")
            address = wait_for(
                READY,
                lambda: _look(network),
                seconds=START_SECONDS,
                fault=EnvironmentFault,
                where=f"container {CONTAINER} on network {network}",
                try_=LOOK,
            )
    return _described(address)


def remove_internet(*, network: str = "kind") -> None:
    """Remove the container, unless nodes of a cluster still run on its network and may need it.

    The network stays: it is kind's, and kind keeps it too.
    """
    filters = [f"--filter=network={network}", f"--filter=label={NODE_LABEL}"]
    nodes = _docker(["ps", "--quiet", *filters], "the engine does not list its containers")
    if not nodes.stdout.split():
        _remove(_container())


@contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Let one run at a time look and start; the lock goes with the process, however that ends."""
    path = cache_home() / "internet.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        if not _take(handle):
            with progress.step("waiting for another run, which is starting the simulated internet"):
                wait_for(
                    "no other run is starting the simulated internet",
                    lambda: _taken(handle),
                    seconds=LOCK_SECONDS,
                    fault=EnvironmentFault,
                    where=str(path),
                    try_="let the other run of policylab finish, or end it",
                )
        yield


def _take(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(handle: IO[str]) -> None:
    if not _take(handle):
        raise NotYet("another process holds the lock")


def _docker(words: Sequence[str], what: str) -> Completed:
    try:
        return run(["docker", *words], timeout=ENGINE_SECONDS)
    except CommandFailed as error:
        raise EnvironmentFault(
            what,
            where=error.where,
            seen=error.seen,
            try_="is Docker's engine well? `docker info` and `docker ps --all` tell",
        ) from error


def _inspect(kind: str, name: str) -> dict[str, Any] | None:
    """Return what the engine says of a container, an image or a network; None if it has none."""
    done = run(["docker", kind, "inspect", name], timeout=ENGINE_SECONDS, check=False)
    if done.returncode == 0:
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found[0]
    said = done.stderr.lower()
    if "no such" in said or "not found" in said:
        return None
    raise EnvironmentFault(
        f"the engine does not say whether there is a {kind} {name}",
        where=f"docker {kind} inspect {name}",
        seen=tail(done.stderr) or f"exit code {done.returncode}",
        try_="is Docker's engine running? `docker info` tells",
    )


def _image_id(image: str) -> str:
    found = _inspect("image", image)
    if found is None:
        raise ImageUnavailable(
            "the image of the simulated internet is not in the local engine",
            where=image,
            seen="no such image",
            try_="policylab images build",
        )
    return str(found["Id"])


def _container() -> dict[str, Any] | None:
    """Return our container; refuse to touch one of that name that somebody else made."""
    found = _inspect("container", CONTAINER)
    if found is not None and found["Config"]["Labels"].get(LABEL) != ROLE:
        raise EnvironmentFault(
            f"a container named {CONTAINER} is there, and policylab did not make it",
            where=f"docker container inspect {CONTAINER}",
            seen=f"no label {LABEL}={ROLE}; image {found['Config']['Image']}",
            try_="rename or remove it",
        )
    return found


def _settings() -> dict[str, str]:
    return {"POLICYLAB_NAMES": " ".join(INTERNET), "POLICYLAB_TTL": str(TTL_SECONDS)}


def _fits(found: Mapping[str, Any], image_id: str, network: str) -> bool:
    env = {f"{name}={value}" for name, value in _settings().items()}
    return (
        bool(found["State"]["Running"])
        and found["Image"] == image_id
        and env <= set(found["Config"]["Env"])
        and bool(_address(found, network))
    )


def _address(found: Mapping[str, Any], network: str) -> str:
    networks = found["NetworkSettings"]["Networks"]
    return str(networks.get(network, {}).get("IPAddress", ""))


def _run_command(image: str, network: str) -> list[str]:
    words = ["run", "--detach", f"--name={CONTAINER}", "--hostname=internet", "--pull=never"]
    words += [f"--network={network}", "--restart=no", f"--label={LABEL}={ROLE}"]
    # Every question is logged, and the container may live for weeks.
    words += ["--log-driver=json-file", "--log-opt=max-size=10m"]
    words += [f"--env={name}={value}" for name, value in _settings().items()]
    return [*words, image]


def _remove(found: Mapping[str, Any] | None) -> None:
    if found is not None:
        what = "the old container of the simulated internet cannot be removed"
        _docker(["rm", "--force", "--volumes", str(found["Id"])], what)


def _answers_now(found: Mapping[str, Any], network: str) -> bool:
    address = _address(found, network)
    try:
        wait_for(READY, lambda: _ask(address), seconds=REUSE_SECONDS)
    except EnvironmentFault:
        return False
    return True


def _look(network: str) -> str:
    """Return the address once both servers answer there; do not wait for what has ended."""
    found = _container()
    if found is None or not found["State"]["Running"]:
        raise EnvironmentFault(
            "the simulated internet ended when it was started",
            where=f"container {CONTAINER}",
            seen=_last_words(),
            try_=LOOK,
        )
    if not (address := _address(found, network)):
        raise NotYet(f"no address on network {network}")
    _ask(address)
    return address


def _last_words() -> str:
    done = run(["docker", "logs", "--tail=15", CONTAINER], timeout=ENGINE_SECONDS, check=False)
    return tail(done.stdout + done.stderr) or "it printed nothing"


def _ask(address: str) -> None:
    """Ask for a name and for a page; whatever is not the right answer is the last thing seen."""
    question = dns.message.make_query(KNOWN, dns.rdatatype.A)
    try:
        answer = dns.query.udp(question, address, timeout=ANSWER_SECONDS)
    except (OSError, dns.exception.DNSException) as error:
        raise NotYet(f"{address}, asked for {KNOWN}: {type(error).__name__}: {error}") from error
    got = [str(record) for records in answer.answer for record in records]
    if got != [address]:
        raise NotYet(f"{address}, asked for {KNOWN}: {got or 'no address'}, not its own")
    web = http.client.HTTPConnection(address, 80, timeout=ANSWER_SECONDS)
    try:
        web.request("GET", "/", headers={"Host": KNOWN})
        status = web.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotYet(f"http://{address}/: {type(error).__name__}: {error}") from error
    finally:
        web.close()
    if status != HTTP_OK:
        raise NotYet(f"http://{address}/: status {status}")


def _described(address: str) -> Internet:
    return Internet(dns=address, web=address, names=dict.fromkeys(INTERNET, address))


def _ensure_network(name: str) -> None:
    """Make the network that kind would make, if it has not made it yet.

    kind takes any network of that name. IPv6 is tried first, as kind does, because the network
    outlives us and a cluster with both families may come later.
    """
    if _inspect("network", name) is not None:
        return
    words = ["network", "create", "--driver=bridge"]
    words.append("--opt=com.docker.network.bridge.enable_ip_masquerade=true")
    if mtu := ((_inspect("network", "bridge") or {}).get("Options") or {}).get(MTU):
        words.append(f"--opt={MTU}={mtu}")
    both = [*words, "--ipv6", f"--subnet={_subnet(name)}", name]
    if run(["docker", *both], timeout=ENGINE_SECONDS, check=False).returncode != 0:
        _docker([*words, name], f"Docker's network {name} cannot be made")


def _subnet(name: str) -> str:
    """Return the private IPv6 subnet that kind gives to a network of this name."""
    digest = hashlib.sha1(name.encode() + bytes(4), usedforsecurity=False).hexdigest()
    part = digest[4:16]
    return f"fc00:{part[:4]}:{part[4:8]}:{part[8:]}::/64"
