"""The simulated internet in Docker: its container, its network, and its addresses."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.edge.internet.servers import SERVERS, Servers
from harness.edge.machine.docker import DOCKER, Docker
from harness.edge.machine.patience import Patience
from harness.errors import EnvironmentFault

LABEL, ROLE = "policylab.role", "internet"
IPV6, MOST_PREFIX = 6, 96
"""The longest prefix behind which a whole address of IPv4 has room."""

MTU = "com.docker.network.driver.mtu"


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the simulated internet.

    Attributes:
        container: the container's name.
        network: the name of its Docker network.
        docker: the engine that has both.
        servers: gives access to the container's name server and web server.
    """

    container: str = "policylab-internet"
    network: str = "kind"
    docker: Docker = DOCKER
    servers: Servers = SERVERS

    @property
    def patience(self) -> Patience:
        """The deadlines of all steps."""
        return self.docker.patience

    def state(self, address: str) -> str:
        """The digest of the state that the name server has in force.

        Raises:
            NotYet: the name server does not answer with a digest.
        """
        return self.servers.state(address, self.patience.internet_answer)


def place_with(patience: Patience) -> Place:
    """The usual place, with other deadlines."""
    return Place(docker=Docker(patience=patience))


def ensure_network(place: Place) -> None:
    """Make the network that kind would make, if it has not made it yet.

    kind uses any network with this name. IPv6 is tried first, as kind does, because the network
    stays and a later cluster may use both families.

    Raises:
        EnvironmentFault: the engine does not make the network.
    """
    docker, name = place.docker, place.network
    if docker.inspect("network", name) is not None:
        return
    words = ["network", "create", "--driver=bridge"]
    words.append("--opt=com.docker.network.bridge.enable_ip_masquerade=true")
    if mtu := ((docker.inspect("network", "bridge") or {}).get("Options") or {}).get(MTU):
        words.append(f"--opt={MTU}={mtu}")
    both = [*words, "--ipv6", f"--subnet={_subnet(name)}", name]
    if docker.call(*both, check=False).returncode != 0:
        docker.demand(f"Docker's network {name} cannot be made", *words, name)


def _subnet(name: str) -> str:
    """The private IPv6 subnet that kind gives to a network of this name."""
    digest = hashlib.sha1(name.encode() + bytes(4), usedforsecurity=False).hexdigest()
    part = digest[4:16]
    return f"fc00:{part[:4]}:{part[4:8]}:{part[8:]}::/64"


def free_addresses(place: Place, count: int) -> list[str]:
    """`count` free IPv4 addresses of the network, from its upper end.

    The engine assigns addresses from the lower end, so it reaches these addresses last.

    Raises:
        EnvironmentFault: the network has too few free addresses.
    """
    network = place.network
    found = place.docker.inspect("network", network) or {}
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


def prefix_of(network: Mapping[str, Any]) -> str:
    """The prefix of the network's addresses of IPv6; empty if it has none, or too few of them."""
    configs = (network.get("IPAM") or {}).get("Config") or []
    subnets = (ipaddress.ip_network(config["Subnet"]) for config in configs)
    wide = (s for s in subnets if s.version == IPV6 and s.prefixlen <= MOST_PREFIX)
    return next((str(subnet.network_address) for subnet in wide), "")


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
    """Give the running container these addresses in addition to its own.

    A second container adds them: it shares only the network of the first, and ends at once. The
    container that serves the pods therefore has no capability to change a network.

    Raises:
        EnvironmentFault: the container does not get the addresses.
    """
    words = ["run", "--rm", "--pull=never", f"--network=container:{place.container}"]
    words += ["--cap-drop=ALL", "--cap-add=NET_ADMIN", "--entrypoint=ip", "--interactive", image]
    lengths = [f"{each}/128" if ":" in each else f"{each}/32" for each in addresses]
    # Nobody else can have such an address of IPv6, so nobody is asked whether it is free.
    batch = "".join(
        f"address add {each} dev eth0{' nodad' if ':' in each else ''}\n" for each in lengths
    )
    what = "the simulated internet does not get its addresses"
    place.docker.demand(what, *words, "-batch", "-", input=batch.encode())
