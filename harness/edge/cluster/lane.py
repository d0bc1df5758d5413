"""A lane: what a cluster is made with, as one value.

Names of clusters and folders of results come from it, so that no two lanes share a cluster, and no
result of one lane is taken for a result of another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from harness.core.target.family import FAMILIES, Families
from harness.edge.cni.known import DEFAULT, cni_of
from harness.edge.images.versions import default, kubernetes_versions

KUBERNETES = kubernetes_versions()
"""The short names of the versions of Kubernetes that a cluster can have, the default first."""

DEFAULT_KUBERNETES = default()
"""The version of a run that names none; empty if policylab does not run from a clone."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What a cluster is made with.

    A further part is a further field, and a line of `PARTS`: its default is what a run has that
    does not name the part.

    Attributes:
        cni: the CNI's name, or the full path of its folder.
        kubernetes: the short name of the version of Kubernetes, e.g. 1.37.
        family: the addresses of pods and Services: ipv4, ipv6, or dual for both.
    """

    cni: str = DEFAULT
    kubernetes: str = DEFAULT_KUBERNETES
    family: str = "ipv4"

    @property
    def key(self) -> str:
        """The lane as a part of a name: its CNI, and each other part that is not the default."""
        return "-".join([cni_of(self.cni).name, *self._unusual(1)])

    @property
    def variant(self) -> str:
        """Each part beside the CNI and Kubernetes that is not the default, as a part of a name."""
        return "-".join(self._unusual(2))

    @property
    def words(self) -> str:
        """The lane in words, for people."""
        name = cni_of(self.cni).name
        base = f"{name} on Kubernetes {self.kubernetes}" if self.kubernetes else name
        return ", ".join([base, *self._unusual(2)])

    @property
    def families(self) -> Families:
        """The families of addresses that pods and Services have."""
        return FAMILIES[self.family]

    def _unusual(self, first: int) -> Iterator[str]:
        for part in fields(self)[first:]:
            value = getattr(self, part.name)
            if value != part.default:
                yield value


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a lane that a user chooses, beside its CNI.

    Attributes:
        field: its field in `Lane`.
        option: the option's name: `--lab-OPTION` of pytest, and `--OPTION` of a verb.
        choices: the values that it may have.
        short: the part in a few words, for messages.
    """

    field: str
    option: str
    choices: tuple[str, ...]
    short: str

    @property
    def meaning(self) -> str:
        """The part in words, for help texts."""
        return f"the {self.short} of the cluster"

    @property
    def default(self) -> str:
        """The value of a run that names none."""
        return str(getattr(Lane(), self.field))


PARTS = (
    Part("kubernetes", "k8s", KUBERNETES, "version of Kubernetes"),
    Part("family", "family", ("ipv4", "dual"), "family of addresses"),
)
"""Every part that is chosen by an option; `harness.plugin.declared` names each of them as well."""
