"""What the simulated internet asks of Docker: its container, its network, and its addresses."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.edge.machine.process import CommandFailed, Completed, run, tail
from harness.errors import EnvironmentFault

__all__ = ["ENGINE_SECONDS", "LABEL", "ROLE", "Place", "add_addresses", "docker"]
__all__ += ["ensure_network", "free_addresses", "inspect"]

LABEL, ROLE = "policylab.role", "internet"
MTU = "com.docker.network.driver.mtu"
ENGINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """The container's name, and Docker's network that it stands on."""

    container: str = "policylab-internet"
    network: str = "kind"


def docker(
    words: Sequence[str], what: str, *, data: bytes | None = None, try_: str = ""
) -> Completed:
    """Run a command of the engine; `what` is the error's first line if it fails."""
    try:
        return run(["docker", *words], timeout=ENGINE_SECONDS, input=data)
    except CommandFailed as error:
        raise EnvironmentFault(
            what,
            where=error.where,
            seen=error.seen,
            try_=try_ or "is Docker's engine well? `docker info` and `docker ps --all` tell",
        ) from error


def inspect(kind: str, name: str) -> dict[str, Any] | None:
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


def ensure_network(name: str) -> None:
    """Make the network that kind would make, if it has not made it yet.

    kind takes any network of that name. IPv6 is tried first, as kind does, because the network
    outlives us and a cluster with both families may come later.
    """
    if inspect("network", name) is not None:
        return
    words = ["network", "create", "--driver=bridge"]
    words.append("--opt=com.docker.network.bridge.enable_ip_masquerade=true")
    if mtu := ((inspect("network", "bridge") or {}).get("Options") or {}).get(MTU):
        words.append(f"--opt={MTU}={mtu}")
    both = [*words, "--ipv6", f"--subnet={_subnet(name)}", name]
    if run(["docker", *both], timeout=ENGINE_SECONDS, check=False).returncode != 0:
        docker([*words, name], f"Docker's network {name} cannot be made")


def _subnet(name: str) -> str:
    """Return the private IPv6 subnet that kind gives to a network of this name."""
    digest = hashlib.sha1(name.encode() + bytes(4), usedforsecurity=False).hexdigest()
    part = digest[4:16]
    return f"fc00:{part[:4]}:{part[4:8]}:{part[8:]}::/64"


def free_addresses(network: str, count: int) -> list[str]:
    """Return so many IPv4 addresses of a network that nobody has, from its upper end.

    The engine hands out addresses from the lower end, so it would come to these last.
    """
    found = inspect("network", network) or {}
    taken = set(_taken(found))
    for pool in _pools(found):
        last = int(pool.broadcast_address)
        upper = (ipaddress.IPv4Address(last - n) for n in range(1, pool.num_addresses // 2))
        free = [str(address) for _, address in zip(range(count + len(taken)), upper, strict=False)]
        free = [address for address in free if address not in taken][:count]
        if len(free) == count:
            return free
    raise EnvironmentFault(
        f"Docker's network {network} has no room for the simulated internet",
        where=f"docker network inspect {network}",
        seen=f"subnets: {', '.join(map(str, _pools(found))) or 'none of IPv4'}",
        try_=f"it needs {count} addresses of IPv4 in the upper half of a subnet",
    )


def _pools(network: Mapping[str, Any]) -> list[ipaddress.IPv4Network]:
    configs = (network.get("IPAM") or {}).get("Config") or []
    subnets = (ipaddress.ip_network(config["Subnet"]) for config in configs)
    return [subnet for subnet in subnets if isinstance(subnet, ipaddress.IPv4Network)]


def _taken(network: Mapping[str, Any]) -> Iterator[str]:
    for config in (network.get("IPAM") or {}).get("Config") or []:
        yield config.get("Gateway", "")
        yield from (config.get("AuxiliaryAddresses") or {}).values()
    for member in (network.get("Containers") or {}).values():
        yield member.get("IPv4Address", "").partition("/")[0]


def add_addresses(place: Place, image: str, addresses: Sequence[str]) -> None:
    """Give the running container these addresses beside its own.

    A second container does it, which sees the first one's network only and ends at once: so what
    serves strangers has no capability to change a network.
    """
    words = ["run", "--rm", "--pull=never", f"--network=container:{place.container}"]
    words += ["--cap-drop=ALL", "--cap-add=NET_ADMIN", "--entrypoint=ip", "--interactive", image]
    batch = "".join(f"address add {address}/32 dev eth0\n" for address in addresses)
    what = "the simulated internet does not get its addresses"
    docker([*words, "-batch", "-"], what, data=batch.encode())
