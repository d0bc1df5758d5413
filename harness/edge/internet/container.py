"""The simulated internet: one container outside the clusters, with a name server and a web server.

It is on kind's Docker network, outside every cluster, so that a CNI sees addresses of the world.
All of policylab's clusters on a machine share it. Its own address serves its name server; it has
one more address for each address that `world` names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.edge.files.cache import cache_home
from harness.edge.internet.controls import Controls
from harness.edge.internet.engine import (
    LABEL,
    ROLE,
    Place,
    add_addresses,
    ensure_network,
    free_addresses,
    prefix_of,
)
from harness.edge.internet.state import (
    DOCUMENTED,
    Internet,
    beside,
    digest,
    initial_sites,
    state_bytes,
)
from harness.edge.machine.filelock import alone
from harness.edge.machine.process import tail
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault, ImageUnavailable
from harness.progress import Progress

HERE = Place()
NODE_LABEL = "io.x-k8s.kind.cluster"
STATE = "POLICYLAB_STATE"
READY = "the simulated internet answers for its names"


def ensure_internet(image: str, progress: Progress, place: Place = HERE) -> Internet:
    """The simulated internet at this place, which is started from `image` unless it runs.

    A container is used again if it runs on this image, serves these names and answers; changes that
    a killed run left are undone. Any other container of policylab's is replaced.

    Raises:
        EnvironmentFault: the container cannot be started, or does not answer.
        ImageUnavailable: the engine does not have the image.
    """
    lock, seconds = cache_home() / f"{place.container}.lock", place.patience.internet_turn
    with alone(lock, progress, doing="starting the simulated internet", seconds=seconds):
        wanted = _image_id(image, place)
        found = _container(place)
        if found is not None and (known := _described(found, place)) is not None:
            fits = bool(found["State"]["Running"]) and found["Image"] == wanted
            if fits and _answers_now(known, place, progress):
                return known
        with progress.step("starting the simulated internet"):
            return _start(found, image, place)


def remove_internet(place: Place = HERE, *, beside_nodes: bool = False) -> None:
    """Remove the container, unless nodes of a cluster still run on its network and may need it.

    With `beside_nodes`, it is known that none of them needs it. The network stays, because it
    belongs to kind, and kind keeps it too.
    """
    if beside_nodes or not place.docker.ids(f"network={place.network}", f"label={NODE_LABEL}"):
        _remove(_container(place), place)


def _image_id(image: str, place: Place) -> str:
    found = place.docker.inspect("image", image)
    if found is None:
        raise ImageUnavailable(
            "the image of the simulated internet is not in the local engine",
            where=image,
            seen="no such image",
            try_="policylab images build",
        )
    return str(found["Id"])


def _container(place: Place) -> dict[str, Any] | None:
    """The container of policylab; an error if somebody else made the container with this name."""
    found = place.docker.inspect("container", place.container)
    if found is not None and found["Config"]["Labels"].get(LABEL) != ROLE:
        raise EnvironmentFault(
            f"there is a container named {place.container}, and policylab did not make it",
            where=f"docker container inspect {place.container}",
            seen=f"no label {LABEL}={ROLE}; image {found['Config']['Image']}",
            try_="rename or remove it",
        )
    return found


def _described(found: Mapping[str, Any], place: Place) -> Internet | None:
    """Read the addresses of a container's servers; None if its initial state was another one."""
    own, own_six = _own_addresses(found, place)
    env = dict(line.partition("=")[::2] for line in found["Config"]["Env"])
    try:
        addresses: dict[str, str] = json.loads(env.get(STATE, "{}"))["addresses"]
    except (ValueError, KeyError):
        return None
    prefix = _prefix(place)
    if not own or set(addresses) != set(DOCUMENTED):
        return None
    if env[STATE] != _initial(addresses, prefix).decode():
        return None
    return _internet(own, own_six, addresses, prefix)


def _prefix(place: Place) -> str:
    return prefix_of(place.docker.inspect("network", place.network) or {})


def _initial(addresses: Mapping[str, str], prefix: str) -> bytes:
    return state_bytes(addresses, initial_sites(addresses), prefix)


def _internet(own: str, own_six: str, addresses: Mapping[str, str], prefix: str) -> Internet:
    names = {name: site.address for name, site in initial_sites(addresses).items()}
    return Internet(own, own, names, addresses, prefix=prefix, dns_six=own_six)


def _own_addresses(found: Mapping[str, Any], place: Place) -> tuple[str, str]:
    """The container's addresses of both families; empty where it has none."""
    network = found["NetworkSettings"]["Networks"].get(place.network, {})
    return str(network.get("IPAddress") or ""), str(network.get("GlobalIPv6Address") or "")


def _start(old: Mapping[str, Any] | None, image: str, place: Place) -> Internet:
    ensure_network(place)
    _remove(old, place)
    free = free_addresses(place, len(DOCUMENTED))
    addresses, prefix = dict(zip(DOCUMENTED, free, strict=True)), _prefix(place)
    words = _run_command(image, place, addresses, prefix)
    place.docker.demand("the simulated internet cannot be started", *words)
    add_addresses(place, image, [*free, *(beside(each, prefix) for each in free if prefix)])
    return wait_for(
        READY,
        lambda: _look(addresses, prefix, place),
        seconds=place.patience.internet_start,
        fault=EnvironmentFault,
        where=f"container {place.container} on network {place.network}",
        try_=_hint(place),
    )


def _hint(place: Place) -> str:
    name = place.container
    return f"read `docker logs {name}`; or `docker rm -f {name}`, then run again"


def _run_command(image: str, place: Place, addresses: Mapping[str, str], prefix: str) -> list[str]:
    words = ["run", "--detach", f"--name={place.container}", "--hostname=internet", "--pull=never"]
    words += [f"--network={place.network}", "--restart=no", f"--label={LABEL}={ROLE}"]
    # Every question is logged, and the container may live for weeks.
    words += ["--log-driver=json-file", "--log-opt=max-size=10m"]
    # The web server may listen on addresses that the container gets later.
    words.append("--sysctl=net.ipv4.ip_nonlocal_bind=1")
    if prefix:
        words.append("--sysctl=net.ipv6.ip_nonlocal_bind=1")
    return [*words, f"--env={STATE}={_initial(addresses, prefix).decode()}", image]


def _remove(found: Mapping[str, Any] | None, place: Place) -> None:
    if found is not None:
        what = "the old container of the simulated internet cannot be removed"
        place.docker.demand(what, "rm", "--force", "--volumes", str(found["Id"]))


def _answers_now(known: Internet, place: Place, progress: Progress) -> bool:
    """Whether a running container answers; changes that no live run holds are undone."""
    wanted = digest(_initial(known.addresses, known.prefix))
    try:
        seconds = place.patience.internet_reuse
        state = wait_for(READY, lambda: place.state(known.dns), seconds=seconds)
        if state != wanted:
            if not Controls(known, place).reset_unless_held():
                progress.note("another run has changed the simulated internet, and still holds it")
                return True
            progress.note("an earlier run left changes in the simulated internet; they were undone")
        wait_for(READY, lambda: _ask(known, place), seconds=seconds)
    except EnvironmentFault:
        return False
    return True


def _look(addresses: Mapping[str, str], prefix: str, place: Place) -> Internet:
    """The addresses, once the servers answer; a container that has ended is an error at once."""
    found = _container(place)
    if found is None or not found["State"]["Running"]:
        raise EnvironmentFault(
            "the simulated internet ended when it was started",
            where=f"container {place.container}",
            seen=_last_words(place),
            try_=_hint(place),
        )
    own, own_six = _own_addresses(found, place)
    if not own or (prefix and not own_six):
        raise NotYet(f"no address on network {place.network}")
    known = _internet(own, own_six, addresses, prefix)
    _ask(known, place)
    return known


def _last_words(place: Place) -> str:
    done = place.docker.call("logs", "--tail=15", place.container, check=False)
    return tail(done.stdout + done.stderr) or "it printed nothing"


def _ask(known: Internet, place: Place) -> None:
    """Ask the name server for its state, and each address for a page; raise NotYet."""
    wanted = digest(_initial(known.addresses, known.prefix))
    for server in filter(None, (known.dns, known.dns_six)):
        if (state := place.state(server)) != wanted:
            raise NotYet(f"{server}: state {state}, not {wanted}")
    for address in (known.web, *known.addresses.values()):
        for each in known.both(address) if address != known.web else (address,):
            place.servers.page(each, place.patience.internet_answer)
