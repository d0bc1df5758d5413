"""Everything that policylab must know about a CNI, as one value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.core.lab.profile import CniProfile
from harness.core.outcome import Reading
from harness.core.target.family import IPV4, Families, Family
from harness.edge.images.versions import short
from harness.errors import ImageUnavailable

if TYPE_CHECKING:
    from harness.edge.api.kube import Kube
    from harness.edge.api.kubectl import Exec
    from harness.edge.cni.drops import DropCounter
    from harness.edge.images import ClusterImages

POD_CIDRS = {Family.IPV4: "10.244.0.0/16", Family.IPV6: "fd00:10:244::/56"}
"""The network of pods, by family."""
API_PORT = 6443
MANIFESTS = "manifests.yaml.j2"

Realised = Callable[[Collection[str]], None]
"""Waits until the CNI says that the policies of these namespaces are in force.

Raises `NotSettled` at its deadline, and `ProbeError` if the CNI does not answer.
"""


class NameMemory(Protocol):
    """What a CNI remembers of the answers to lookups, for longer than the pod lives that asked."""

    def known(self) -> frozenset[str]:
        """Every address that it knows; raises `ProbeError` if it does not answer."""
        ...

    def forget(self, name: str) -> None:
        """Tell it to forget what a name led to, which it does in its own time."""
        ...


@dataclass(frozen=True, slots=True)
class Own:
    """What the folder of somebody else's CNI installs (`harness.edge.cni.folder`).

    `version` in words; `manifests` as they are applied; `archives` have the images that the
    manifests name.
    """

    version: str
    manifests: str
    archives: tuple[Path, ...]

    def content(self) -> str:
        """What is installed, as one value: another build of the CNI has another one.

        It reads the archives, which may be large.
        """
        found = sha256(sha256(self.manifests.encode()).digest())
        for archive in self.archives:
            with archive.open("rb") as opened:
                found.update(file_digest(opened, "sha256").digest())
        return found.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Dataplane:
    """One of the ways in which a CNI moves and drops packets.

    `name`: its name in options and results.
    `settings`: the parameters of the manifests that choose it.
    `kernel`: the options of the kernel that it needs, beside those of its CNI.
    `replaces_kube_proxy`: whether it routes Services by itself. A cluster then has no kube-proxy.
    `drops`: makes the reader of its count of drops; None if it is the reader of its CNI.
    """

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    kernel: tuple[str, ...] = ()
    replaces_kube_proxy: bool = False
    drops: Callable[[Kube, Exec], DropCounter] | None = None


@dataclass(frozen=True, slots=True)
class Cni:
    """One CNI.

    `profile`: its behaviour where CNIs differ, and its name in options and results.
    `package`: the package of its folder, where `manifests.yaml.j2` is.
    `daemon_set`: the DaemonSet in kube-system that is ready when the CNI is.
    `images`: the manifests' parameters that are images, each with its name in `ClusterImages.refs`.
    `drops`: makes the reader of its count of drops; None if policylab cannot read such a count.
    `realised`: makes the wait until the CNI itself reports its policies in force; None if the CNI
        reports nothing. Then policylab knows only the flows that flipped.
    `remembers`: makes the reader of what it remembers of lookups; None if it looks at none.
    `with_addresses`: the annotations of a pod that asks for these addresses; None if a pod cannot.
    `lanes`: how many tutorials may change their policies at the same time. More than one is faster;
        one where a change in one namespace disturbs the flows of another.
    `kernel`: the options of the kernel that it needs, beside those of every node
        (`harness.edge.machine.health.kernel.FEATURES`).
    `families`: the families of addresses with which policylab can install it.
    `dataplanes`: the dataplanes that it offers, the usual one first; none if it offers no choice.
    `changes`: the lines of `profile` that are otherwise in a variant, by the word for this variant
        in names (`harness.edge.cluster.lane`): a dataplane's name, `kp-iptables`, `v1.15`. Only
        what a live row showed belongs here.
    `settings`: further parameters of the manifests.
    `own`: what its folder installs, if it is not one of policylab's CNIs.

    `drops`, `realised` and `remembers` get the API, and the door to programs in pods.
    """

    profile: CniProfile
    package: str
    daemon_set: str
    images: Mapping[str, str] = field(default_factory=dict)
    drops: Callable[[Kube, Exec], DropCounter] | None = None
    realised: Callable[[Kube, Exec], Realised] | None = None
    remembers: Callable[[Kube, Exec], NameMemory] | None = None
    with_addresses: Callable[[Sequence[str]], Mapping[str, str]] | None = None
    lanes: int = 4
    kernel: tuple[str, ...] = ()
    families: Families = IPV4
    dataplanes: tuple[Dataplane, ...] = ()
    changes: Mapping[str, Mapping[str, Reading]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    own: Own | None = None

    @property
    def name(self) -> str:
        """The CNI's name in options and results."""
        return self.profile.name

    def with_dataplane(self, name: str) -> Cni:
        """The CNI with this dataplane, one of its own; with its usual one if the name is empty."""
        found = [each for each in self.dataplanes if name in ("", each.name)]
        if not found:
            return self
        return replace(
            self,
            drops=found[0].drops or self.drops,
            kernel=(*self.kernel, *found[0].kernel),
            settings={**self.settings, **found[0].settings},
        )

    def in_variant(self, words: Collection[str]) -> Cni:
        """The CNI with the profile of a variant: of each of these words that is in `changes`."""
        found = [word for word in self.changes if word in words]
        lines: dict[str, Any] = {}
        for word in found:
            lines |= self.changes[word]
        return replace(self, profile=replace(self.profile, variant="-".join(found), **lines))

    def version(self, images: ClusterImages) -> str:
        """The version that these images have, e.g. v3.30.1.

        Raises:
            ImageUnavailable: the images were made without this CNI.
        """
        if self.own:
            return self.own.version
        if self.name not in images.cnis:
            raise ImageUnavailable(
                f"the images do not have the CNI {self.name}",
                where=f"images from {images.source}",
                seen=f"known to them: {', '.join(images.cnis) or 'none'}",
                try_="--lab-images=build, or a newly made bundle",
            )
        return images.cnis[self.name].version

    def manifests(
        self, images: ClusterImages, *, control_plane: str, families: Families = IPV4
    ) -> str:
        """The YAML that installs the CNI: the CRDs from its module, then policylab's own objects.

        `control_plane` is the name of the node at which the CNI reaches the API; `families` are
        those of the pods.

        Raises:
            ImageUnavailable: the images were made without this CNI.
        """
        if self.own:
            return self.own.manifests
        from harness.edge.files.template import filled  # Jinja2 takes 0.2 s to import

        objects = filled(
            self.package,
            MANIFESTS,
            api_name=control_plane,
            api_port=API_PORT,
            ipv4=POD_CIDRS[Family.IPV4] if Family.IPV4 in families else "",
            ipv6=POD_CIDRS[Family.IPV6] if Family.IPV6 in families else "",
            version=short(self.version(images)),
            **self.settings,
            **{parameter: images.refs[name] for parameter, name in self.images.items()},
        )
        crds = images.cnis[self.name].crds.read_text(encoding="utf-8")
        return f"{crds}\n---\n{objects}"
