"""What an answer rests on: what was assumed, what is not known, and what was passed over.

Every command prints it in one way, so that no answer says more than was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.core.manifests.reader import Loaded, Resource
from harness.core.manifests.schema.kinds import is_own
from harness.core.model import NetworkPolicy, Pod, Rule, Selector, Topology
from harness.core.policy.selectors import NAME_LABEL
from harness.listing import few

SHOWN = 8
"""Names that a sentence tells; the rest is counted."""
PLAIN = frozenset({"image", "annotations", "status"})
"""Fields of which nobody would think that they decide a flow."""
_OF_STATEFUL_SETS = ("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index")
_OF_JOBS = ("job-name", "batch.kubernetes.io/job-name")

NO_PODS = "no pods were read, so policies select nobody here"


@dataclass(frozen=True, slots=True)
class Basis:
    """What an answer rests on, in sentences.

    `assumed`: what no file says, and was taken for granted; were it otherwise, the answer could be
    another one. `unknown`: what could decide some flows and is not known; such a flow's verdict is
    undefined. `notes`: what was passed over because it decides no flow, and what became of objects
    that a reader would ask about.
    """

    assumed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Each sentence with the word that says what kind it is."""
        yield from (f"assumed: {sentence}" for sentence in self.assumed)
        yield from (f"not known: {sentence}" for sentence in self.unknown)
        yield from (f"note: {sentence}" for sentence in self.notes)

    def document(self) -> dict[str, list[str]]:
        """The same for programs."""
        return {
            "assumed": list(self.assumed),
            "unknown": list(self.unknown),
            "notes": list(self.notes),
        }

    def noting(self, *notes: str) -> Basis:
        """The same with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    def without_pods(self) -> Basis:
        """The same for a part of a state: that it has no pods of its own says nothing."""
        return replace(self, notes=tuple(note for note in self.notes if note != NO_PODS))

    def with_(self, other: Basis) -> Basis:
        """What an answer rests on that compares two states; each sentence stands once."""
        return Basis(
            tuple(dict.fromkeys((*self.assumed, *other.assumed))),
            tuple(dict.fromkeys((*self.unknown, *other.unknown))),
            tuple(dict.fromkeys((*self.notes, *other.notes))),
        )


NO_BASIS = Basis()
"""The basis of an answer that rests on nothing but what was read."""


def basis_of(
    resources: Iterable[Resource], topology: Topology, loaded: Loaded | None = None
) -> Basis:
    """What answers about a state rest on.

    `topology` is the one of the resources with its surroundings; `loaded` are the files from which
    the resources come, if they come from files.
    """
    resources = tuple(resources)
    policies = [m for r in resources for m in r.models if isinstance(m, NetworkPolicy)]
    return Basis(
        tuple(_assumed(resources, policies, topology, loaded)),
        tuple(_unknown(policies, topology)),
        tuple(_notes(resources, loaded)),
    )


def _assumed(
    resources: Sequence[Resource],
    policies: Sequence[NetworkPolicy],
    topology: Topology,
    loaded: Loaded | None,
) -> Iterator[str]:
    yield from topology.assumed
    if loaded and loaded.namespace:
        yield (
            f"objects that state no namespace are in `{loaded.namespace}`: {loaded.because} "
            "(-n NAME names another one)"
        )
    keys = {key for policy in policies for key in _keys(policy)}
    if NAME_LABEL in keys and any(r.kind == "Namespace" for r in resources):
        yield f"each namespace bears the label {NAME_LABEL}, as the API server adds it"
    for kind, labels in (("StatefulSet", _OF_STATEFUL_SETS), ("Job", _OF_JOBS)):
        used = sorted(keys.intersection(labels))
        if used and any(r.kind == kind for r in resources):
            yield f"the pods of a {kind} bear {' and '.join(used)}, as its controller adds it"


def _keys(policy: NetworkPolicy) -> Iterator[str]:
    """The label keys by which a policy selects anything."""
    rules = (*policy.ingress, *policy.egress, *policy.ingress_deny, *policy.egress_deny)
    for selector in (policy.pod_selector, policy.namespace_selector, *_selectors(rules)):
        if selector is not None:
            yield from (requirement.key for requirement in selector.requirements)


def _selectors(rules: Iterable[Rule]) -> Iterator[Selector | None]:
    for rule in rules:
        for peer in rule.peers:
            yield peer.pod_selector
            yield peer.namespace_selector


def _unknown(policies: Sequence[NetworkPolicy], topology: Topology) -> Iterator[str]:
    for unread in topology.unread:
        place = f" ({unread.origin})" if unread.origin else ""
        yield f"{unread}{place} is not read, and {unread.why}"
    homes = {pod.namespace for pod in topology.pods.values()}
    for name in sorted(homes - topology.namespaces.keys()):
        yield f"the labels of the namespace {name}: nothing declares it"
    rules = [r for p in policies for r in (*p.ingress, *p.egress)]
    blocks = any(
        peer.ip_block and not peer.ip_block.outside_only for r in rules for peer in r.peers
    )
    nameless = [pod for pod in topology.pods.values() if pod.ip is None]
    if blocks and nameless:
        yield f"the addresses of {len(nameless)} pods, which an ipBlock could mean"


def _notes(resources: Sequence[Resource], loaded: Loaded | None) -> Iterator[str]:
    others = [r for r in resources if r.passed_over_whole]
    for own, what in ((True, "for they decide no flow"), (False, "for their kinds are not known")):
        kinds = Counter(r.kind for r in others if is_own(r.group) is own)
        if kinds:
            told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            more = "" if own else ": what they bring, such as pods, is not known either"
            yield f"passed over, {what}: {kinds.total()} objects ({told}){more}"
    fields = sorted({f.rpartition(".")[2] for r in resources for f in r.passed_over} - PLAIN)
    if fields:
        yield f"passed over, for they decide no flow: the fields {few(fields, SHOWN)}"
    for resource in resources:
        yield from resource.notes
    yield from loaded.notes if loaded else ()
    if not any(isinstance(model, Pod) for r in resources for model in r.models):
        yield NO_PODS
