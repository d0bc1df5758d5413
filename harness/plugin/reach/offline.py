"""`predict("k8s/")`: what the policies of files say of flows; no packet is sent.

The walk is the one of `policylab explain`, and the matrix is what `policylab probe --expect`
expects. The verdict is that of the API. Where a CNI is known to do otherwise there is no verdict,
unless the test names its CNI.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.dns.podconf import CLUSTER_DOMAIN
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import Resource, pods_of
from harness.core.manifests.schema.kinds import is_own
from harness.core.manifests.workloads import WORKLOADS
from harness.core.model import NetworkPolicy
from harness.core.outcome import Outcome, Verdict
from harness.core.predict.enforced import as_enforced
from harness.core.predict.scenario import Scenario
from harness.core.predict.walk import Walk, walk
from harness.core.target import Lookup, PodPort, PodRef
from harness.core.target.ask import Ask, flow_of
from harness.edge.cni.known import PROFILES
from harness.errors import ContentError
from harness.plugin.reach.listed import Listed
from harness.plugin.reach.naming import Pods, pairs, read_name, read_pod, read_source, read_target
from harness.plugin.reach.reading import Given, files_of, manifests_in
from harness.plugin.reach.saying import Asked, Flows, Found, State, asked
from harness.report.walk import walk_text

_STATES = {Verdict.ALLOW: State.OPEN, Verdict.DENY: State.BLOCKED}
_UNSURE = "name the CNI, if the test is for one: predict(..., cni=NAME)"
_OUTSIDE = "write an address: .to('net/ADDRESS:PORT'); or ask a cluster: reach instead of predict"

Key = tuple[tuple[tuple[str, bytes], ...], str, str]


def _not_its(profile: CniProfile, policies: Iterable[NetworkPolicy]) -> ContentError:
    """The error that a CNI has nothing to do with some of the policies."""
    theirs = [policy for policy in policies if policy.kind not in profile.kinds]
    return ContentError(
        f"{profile.name.capitalize()} does not enforce policies of every kind that was read",
        where=theirs[0].origin,
        seen=f"{theirs[0].kind} {theirs[0].name}",
        try_="leave cni= out, or hand over what a cluster with this CNI gets",
    )


def _is_unknown(resource: Resource) -> bool:
    return resource.passed_over_whole and not is_own(resource.group)


@dataclass(slots=True)
class Predictions:
    """`predict`, the function. Files with equal content are read and judged once in a run.

    `home` is pytest's root folder, to which paths are relative.
    """

    home: Path
    _known: dict[Key, Foretold] = field(default_factory=dict, repr=False)

    def __call__(
        self,
        *manifests: str | bytes | Path,
        namespace: str = "",
        cni: str = "",
        recursive: bool | None = None,
    ) -> Flows:
        """The flows under the policies of some manifests.

        Args:
            manifests: folders and files, relative to pytest's root folder; a text with a line break
                is itself the manifests, as `helm template` and `kustomize build` print them. Of
                two objects of one name the later one counts.
            namespace: the namespace of objects that name none; `policylab explain -n` has the rest.
            cni: the CNI whose own answer counts where it is known; none: the API's alone counts.
            recursive: whether folders in a folder are read as well. If it is not said, a folder
                that has manifests in its folders is refused.

        Raises:
            ContentError: there is no such folder, file or CNI, or nothing to read; or the files do
                not say what a cluster would get, as those of a kustomization.
            ManifestError: a manifest cannot be read; the message has every fault of all files.
        """
        __tracebackhide__ = True
        return Flows(asked(lambda: self._judge(manifests, namespace, cni, recursive)), self.home)

    def _judge(
        self, manifests: Sequence[Given], namespace: str, cni: str, recursive: bool | None
    ) -> Foretold:
        if not manifests:
            raise ContentError("predict() has nothing to read", try_='predict("k8s/")')
        if cni and cni not in PROFILES:
            raise ContentError(
                f"predict() does not know the CNI {cni}", try_=f"one of {', '.join(PROFILES)}"
            )
        files = files_of(manifests, self.home, recursive=recursive)
        key = (tuple((file.origin, file.data) for file in files), namespace, cni)
        if key not in self._known:
            found = manifests_in(files, namespace)
            profiles = [PROFILES[cni]] if cni else list(PROFILES.values())
            scenario = Scenario(found.resources, files=found.loaded, internet=False)
            self._known[key] = Foretold(scenario, found.resources, profiles, named=bool(cni))
        return self._known[key]


class Foretold:
    """Answers by policy semantics alone.

    `scenario` is the state of the manifests, `resources` are its objects. `profiles` are the CNIs
    whose own answers are looked at; `named`: the test is for the only one of them.
    """

    def __init__(
        self,
        scenario: Scenario,
        resources: Sequence[Resource],
        profiles: Sequence[CniProfile],
        *,
        named: bool,
    ) -> None:
        self._scenario, self._resources = scenario, resources
        self._profiles, self._named = profiles, named
        state = (scenario.topology, scenario.policies)
        self._enforced = tuple(filter(None, (as_enforced(*state, one) for one in profiles)))
        if named and not self._enforced:
            raise _not_its(profiles[0], scenario.policies)

    def flows(self, source: str, target: str, control: str) -> Asked:
        """Judge each pair of ends that the names stand for."""
        return Asked(self._flows(source, target), self._flows(control, target) if control else ())

    def _flows(self, source: str, target: str) -> list[Found]:
        where = f"{source} -> {target}"
        pods = self._pods()
        who, whom = read_source(source), read_target(target)
        sources: Sequence[PodRef | str] = (who,)
        if isinstance(who, PodRef):
            sources = pods.called(who, where=where)
        targets = pods.targets(whom, where=where)
        return [
            self._found(walk(self._scenario, one, other, self._profiles))
            for one, other in pairs(sources, targets)
        ]

    def lookups(self, source: str, name: str, control: str) -> Asked:
        """Judge the lookup of each pod that the name of the source stands for."""
        return Asked(self._lookups(source, name), self._lookups(control, name) if control else ())

    def _lookups(self, source: str, name: str) -> list[Found]:
        where = f"{source} -> lookup/{read_name(name)}"
        pods = self._pods().called(read_pod(source), where=where)
        return [self._lookup(pod, name) for pod in pods]

    def matrix(self, file: Path, namespaces: Sequence[str]) -> list[tuple[Found, State]]:
        """Compare the policies with a list, between the pods of its namespaces."""
        table = Listed.read(file, self._scenario.topology, self._pods(), namespaces)
        wrong = []
        for ask, target in table.asks:
            hoped = table.hoped(ask)
            if self._judged(ask, target) is not hoped:
                told = walk(self._scenario, ask.source, ask.target, self._profiles)
                wrong.append((self._found(told), hoped))
        return wrong

    def _pods(self) -> Pods:
        names = {pod.ref: None for pod in self._scenario.topology.pods.values()}
        workloads: dict[str, list[PodRef]] = {}
        for one in self._resources:
            if one.kind in WORKLOADS:
                known = workloads.setdefault(f"{one.namespace}/{one.name}", [])
                known += [pod.ref for pod in pods_of(one)]
        unread = {f"{r.namespace}/{r.name}": r.kind for r in self._resources if _is_unknown(r)}
        return Pods(names, workloads, unread, self._scenario.topology.services)

    def _judged(self, ask: Ask, to: PodPort) -> State:
        """The state of a flow between two pods, without the reasons, which take much longer."""
        flow = flow_of(ask.source, to, self._scenario.topology)
        verdict = self._scenario.oracle.verdict(flow)
        own = {each.profile.name: each.other_than(verdict, [flow]) for each in self._enforced}
        return self._state(verdict, {name: words for name, words in own.items() if words})

    def _state(self, verdict: Verdict, own: Mapping[str, str]) -> State:
        """The state, by the API's verdict and the CNIs' own answers that are other ones."""
        if not own:
            return _STATES.get(verdict, State.UNKNOWN)
        (words, *_) = own.values()
        says = next((each for each in Verdict if str(each) == words), Verdict.UNDEFINED)
        return _STATES.get(says, State.UNKNOWN) if self._named else State.UNKNOWN

    def _found(self, told: Walk) -> Found:
        own = told.answers or {}
        try_ = _UNSURE if own and not self._named else _OUTSIDE if told.unsure else ""
        return Found(told.asked, self._state(told.verdict, own), walk_text(told), try_)

    def _lookup(self, pod: PodRef, name: str) -> Found:
        flow = f"{pod} -> lookup/{name}"
        if self._scenario.asks_outside(pod, name):
            why = f"only name servers outside of the cluster know whether {name} exists"
            return Found(flow, State.UNKNOWN, why, "ask a cluster: reach instead of predict")
        if space := self._unmentioned(name):
            why = f"no manifest is about the namespace {space}, so nobody knows what is in it"
            return Found(flow, State.UNKNOWN, why, "is the name right? or hand its manifests over")
        told = self._scenario.predict(Ask(pod, Lookup(name)))
        why = "\n".join(filter(None, [str(told.reading or "left open"), *told.reasons]))
        if told.reading is None:
            return Found(flow, State.UNKNOWN, why)
        resolved = told.reading.outcome is Outcome.RESOLVED
        return Found(flow, State.RESOLVES if resolved else State.FAILS, why)

    def _unmentioned(self, name: str) -> str:
        """The namespace in a full name of the cluster's if no manifest is about it; else empty."""
        inner, is_full, _ = name.lower().removesuffix(".").partition(f".svc.{CLUSTER_DOMAIN}")
        space = inner.rpartition(".")[2] if is_full else ""
        return space if space and not self._scenario.zone.has_namespace(space) else ""
