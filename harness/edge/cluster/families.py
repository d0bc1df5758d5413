"""Whether a cluster with these families of addresses can be made: a refusal says what lacks."""

from __future__ import annotations

from harness.core.target.family import IPV4, Families, Family
from harness.edge.cluster.lane import Lane
from harness.edge.cni.known import cni_of
from harness.edge.internet.engine import Place
from harness.edge.internet.state import InternetMode
from harness.errors import EnvironmentFault


def ensure_families(lane: Lane, internet: InternetMode = InternetMode.SIMULATED) -> None:
    """Refuse a lane whose CNI policylab cannot install with these families, or without names.

    Raises:
        EnvironmentFault: it cannot; the message has the families that it can.
    """
    if internet is InternetMode.REAL and Family.IPV4 not in lane.families:
        raise EnvironmentFault(
            "pods that have IPv6 alone reach no name server of the real internet here",
            seen="the nodes pass questions on from an address of IPv4",
            try_="--lab-internet=simulated, or --lab-family=dual",
        )
    cni = cni_of(lane.cni)
    if not set(lane.families) <= set(cni.families):
        raise EnvironmentFault(
            f"policylab cannot install {cni.name} with the family {lane.family}",
            seen=f"{cni.name} is installed with {' and '.join(cni.families)} here",
            try_="choose another family, or another CNI",
        )


def ensure_network(families: Families, place: Place) -> None:
    """Refuse IPv6 where Docker's network of the nodes does not have it.

    A network that is not there yet is made with IPv6 by kind.

    Raises:
        EnvironmentFault: the network is there, and has IPv4 alone.
    """
    if families == IPV4:
        return
    found = place.docker.inspect("network", place.network)
    if found is not None and not found.get("EnableIPv6"):
        raise EnvironmentFault(
            f"Docker's network {place.network} has no IPv6, so no node can have it",
            where=f"docker network inspect {place.network}",
            seen="EnableIPv6 is false",
            try_="delete the clusters on it (policylab cluster down --all, kind delete clusters), "
            f"then `docker network rm {place.network}`: it is made again with both families",
        )
