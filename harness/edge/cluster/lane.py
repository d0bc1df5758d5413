"""A lane: what a cluster is made with, as one value.

Names of clusters and folders of results come from it, so that no two lanes share a cluster, and no
result of one lane is taken for a result of another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from harness.core.target.family import FAMILIES, Families
from harness.edge.cni import Cni
from harness.edge.cni.known import CNIS, DEFAULT, cni_of
from harness.edge.images.versions import KUBERNETES as RECIPE
from harness.edge.images.versions import default, versions_of
from harness.errors import ContentError

KUBERNETES = versions_of(RECIPE)
"""The short names of the versions of Kubernetes that a cluster can have, the default first."""

DEFAULT_KUBERNETES = default(RECIPE)
"""The version of a run that names none; empty if policylab does not run from a clone."""

PROXY_MODES = ("nftables", "iptables")
"""The modes of kube-proxy that a cluster can have, the usual one first."""

NO_PROXY = "none"
"""In the place of a mode: the CNI routes Services by itself, and there is no kube-proxy."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What a cluster is made with.

    A further part is a further field, and a line of `PARTS`: its default is what a run has that
    does not name the part.

    Attributes:
        cni: the CNI's name, or the full path of its folder.
        kubernetes: the short name of the version of Kubernetes, e.g. 1.37.
        family: the addresses of pods and Services: ipv4, ipv6, or dual for both.
        cni_version: the short name of the CNI's version, e.g. 1.15; empty for its usual one.
        dataplane: the name of the CNI's dataplane; empty for its usual one.
        kube_proxy: the mode of kube-proxy; empty for the usual one, which is `NO_PROXY` if the
            dataplane replaces kube-proxy.
    """

    cni: str = DEFAULT
    kubernetes: str = DEFAULT_KUBERNETES
    family: str = "ipv4"
    cni_version: str = ""
    dataplane: str = ""
    kube_proxy: str = ""

    @property
    def key(self) -> str:
        """The lane as a part of a name: its CNI, and each other part that is not the default."""
        return "-".join([cni_of(self.cni).name, *self._unusual(PARTS)])

    @property
    def variant(self) -> str:
        """Each part beside the CNI and Kubernetes that is not the default, as a part of a name."""
        return "-".join(self._unusual(PARTS[1:]))

    @property
    def words(self) -> str:
        """The lane in words, for people."""
        name = cni_of(self.cni).name
        base = f"{name} on Kubernetes {self.kubernetes}" if self.kubernetes else name
        return ", ".join([base, *self._unusual(PARTS[1:])])

    @property
    def families(self) -> Families:
        """The families of addresses that pods and Services have."""
        return FAMILIES[self.family]

    @property
    def value(self) -> Cni:
        """The CNI as it is in this lane: its dataplane, and what the variant changes."""
        cni = cni_of(self.cni).with_dataplane(self.dataplane)
        return cni.in_variant(tuple(self._unusual(PARTS)))

    @property
    def proxy_mode(self) -> str:
        """The mode of kube-proxy, or `NO_PROXY`."""
        return self.kube_proxy or _proxy_modes(self)[0]

    @property
    def kernel(self) -> tuple[str, ...]:
        """What kube-proxy needs of the kernel, beside what every node needs."""
        return PROXY_KERNEL.get(self.proxy_mode, ())

    @property
    def versions(self) -> dict[str, str]:
        """The short names of the versions of recipes (`images/NAME`) that are chosen."""
        found = {RECIPE: self.kubernetes, self.cni: self.cni_version}
        return {name: version for name, version in found.items() if version}

    @property
    def arguments(self) -> str:
        """The options of a verb that name the lane; without usual values, but with versions."""
        parts = ((part, getattr(self, part.field)) for part in PARTS)
        named = [
            f"--{part.option} {value}"
            for part, value in parts
            if value and (part.is_version or value != part.default)
        ]
        return " ".join([f"--cni {self.cni}", *named])

    @property
    def facts(self) -> dict[str, str]:
        """What the results of a run say of it, beside the versions that the programs report.

        `profile` is the column of the table of CNI differences that holds for it.
        """
        found = {
            "cni": cni_of(self.cni).name,
            "dataplane": self.dataplane or next(iter(_dataplanes(self)), ""),
            "kube_proxy": self.proxy_mode,
            "profile": self.value.profile.column,
        }
        return {name: value for name, value in found.items() if value}

    def _unusual(self, parts: tuple[Part, ...]) -> Iterator[str]:
        for part in parts:
            value = getattr(self, part.field)
            if value != part.default:
                yield part.mark + value


PROXY_KERNEL: Mapping[str, tuple[str, ...]] = {
    "iptables": ("NFT_COMPAT", "NETFILTER_XT_MATCH_STATISTIC")
}
"""The options of the kernel that a mode of kube-proxy needs."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a lane that a user chooses, beside its CNI.

    Attributes:
        field: its field in `Lane`.
        option: the option's name: `--lab-OPTION` of pytest, and `--OPTION` of a verb.
        short: the part in a few words, for messages.
        choices: the values that it may have in any lane; empty if they depend on the lane.
        offered: the values that it may have in a lane, the usual one first. It reads only the
            fields that come before this part's own.
        mark: what stands before the value in names, if the value alone would say too little.
        is_version: whether it chooses a version of images.
    """

    field: str
    option: str
    short: str
    choices: tuple[str, ...] = ()
    offered: Callable[[Lane], tuple[str, ...]] | None = None
    mark: str = ""
    is_version: bool = False

    @property
    def meaning(self) -> str:
        """The part in words, for help texts."""
        told = f"the {self.short} of the cluster"
        if self.offered is None:
            return told
        by_cni = ((cni, self.offered(Lane(cni))) for cni in CNIS)
        each = (f"{cni} has {' or '.join(values)}" for cni, values in by_cni if values)
        return f"{told}: {'; '.join(dict.fromkeys(each))}; the first is the usual one"

    @property
    def default(self) -> str:
        """The value of a run that names none."""
        return str(getattr(Lane(), self.field))

    def settled(self, lane: Lane) -> Lane:
        """The lane with the default in the place of the usual value, which is the same.

        Raises:
            ContentError: the lane cannot have the value; the message has those that it can.
        """
        value = getattr(lane, self.field)
        if self.offered is None or not value:
            return lane
        offered = self.offered(lane)
        if value not in offered:
            dataplane = replace(lane, **{self.field: ""}).dataplane
            so = f" and the dataplane {dataplane}" if dataplane else ""
            raise ContentError(
                f"a cluster with {cni_of(lane.cni).name}{so} cannot have {value} as its "
                f"{self.short.removesuffix(' of the CNI')}",
                where=f"--{self.option}={value} or --lab-{self.option}={value}",
                seen=f"it has {', '.join(offered) or 'no choice'}",
                try_=f"choose one of {', '.join(offered)}" if offered else "leave the option out",
            )
        return replace(lane, **{self.field: ""}) if value == offered[0] else lane


def _cni_versions(lane: Lane) -> tuple[str, ...]:
    return versions_of(lane.cni) if lane.cni in CNIS else ()


def _dataplanes(lane: Lane) -> tuple[str, ...]:
    return tuple(each.name for each in cni_of(lane.cni).dataplanes)


def _proxy_modes(lane: Lane) -> tuple[str, ...]:
    for each in cni_of(lane.cni).dataplanes:
        if each.name == lane.dataplane and each.replaces_kube_proxy:
            return (NO_PROXY,)
    return PROXY_MODES


PARTS = (
    Part("kubernetes", "k8s", "version of Kubernetes", KUBERNETES, is_version=True),
    Part("family", "family", "family of addresses", ("ipv4", "ipv6", "dual")),
    Part(
        "cni_version",
        "cni-version",
        "version of the CNI",
        offered=_cni_versions,
        mark="v",
        is_version=True,
    ),
    Part("dataplane", "dataplane", "dataplane of the CNI", offered=_dataplanes),
    Part("kube_proxy", "kube-proxy", "mode of kube-proxy", offered=_proxy_modes, mark="kp-"),
)
"""Every part that is chosen by an option, in the order of the fields; `harness.plugin.declared`
names each of them as well."""


def chosen(cni: str, parts: Mapping[str, str]) -> Lane:
    """The lane with this CNI, and these parts by their fields.

    Raises:
        ContentError: the parts do not fit together; the message says which.
    """
    lane = Lane(cni, **parts)
    for part in PARTS:
        lane = part.settled(lane)
    return lane
