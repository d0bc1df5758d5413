"""`predict("k8s/")`: what the policies of files say of flows; no packet is sent.

The walk is the one of `policylab explain`, and the matrix is what `policylab probe --expect`
expects. The verdict is that of the API. Where a CNI is known to do otherwise there is no verdict,
unless the test names its CNI.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.lab.profile import CniProfile
from harness.core.manifests.library import in_force
from harness.core.manifests.reader import File, Resource, read_files
from harness.core.model import Pod
from harness.core.outcome import Outcome, Verdict
from harness.core.predict.enforced import as_enforced
from harness.core.predict.scenario import Scenario
from harness.core.predict.walk import Walk, walk
from harness.core.target import Lookup, PodPort, PodRef
from harness.core.target.ask import Ask, flow_of
from harness.edge.cni.known import PROFILES
from harness.edge.files.library import files_at
from harness.errors import ContentError
from harness.plugin.reach.listed import Listed
from harness.plugin.reach.naming import Pods, read_pod, read_source, read_target
from harness.plugin.reach.saying import Asked, Flows, Found, State, asked
from harness.report.walk import walk_text

_STATES = {Verdict.ALLOW: State.OPEN, Verdict.DENY: State.BLOCKED}
_UNSURE = "name the CNI, if the test is for one: predict(..., cni=NAME)"

Key = tuple[tuple[tuple[str, bytes], ...], str, str]


@dataclass(slots=True)
class Predictions:
    """`predict`, the function. Files with equal content are read and judged once in a run.

    `home` is pytest's root folder, to which paths are relative.
    """

    home: Path
    _known: dict[Key, Foretold] = field(default_factory=dict, repr=False)

    def __call__(self, *manifests: str | Path, namespace: str = "", cni: str = "") -> Flows:
        """The flows under the policies of some manifests.

        Args:
            manifests: folders (without the folders in them) and files, relative to pytest's root
                folder; a text with a line break is itself the manifests, as `helm template` and
                `kustomize build` print them.
            namespace: the namespace of objects that name none; `policylab explain -n` has the rest.
            cni: the CNI whose own answer counts where it is known; none: the API's alone counts.

        Raises:
            ContentError: there is no such folder, file or CNI, or nothing to read.
            ManifestError: a manifest cannot be read; the message has every fault of all files.
        """
        __tracebackhide__ = True
        return Flows(asked(lambda: self._judge(manifests, namespace, cni)), self.home)

    def _judge(self, manifests: Sequence[str | Path], namespace: str, cni: str) -> Foretold:
        if not manifests:
            raise ContentError("predict() has nothing to read", try_='predict("k8s/")')
        if cni and cni not in PROFILES:
            raise ContentError(
                f"predict() does not know the CNI {cni}", try_=f"one of {', '.join(PROFILES)}"
            )
        files = list(self._files(manifests))
        key = (tuple((file.origin, file.data) for file in files), namespace, cni)
        if key not in self._known:
            loaded = read_files(files, namespace=namespace)
            resources = in_force(loaded, sorted(loaded))
            profiles = [PROFILES[cni]] if cni else list(PROFILES.values())
            scenario = Scenario(resources, files=loaded, internet=False)
            self._known[key] = Foretold(scenario, resources, profiles, named=bool(cni))
        return self._known[key]

    def _files(self, manifests: Iterable[str | Path]) -> Iterator[File]:
        for number, given in enumerate(manifests, 1):
            if isinstance(given, str) and "\n" in given:
                yield File(f"text-{number}.yaml", given.encode())
            else:
                yield from files_at([self.home / given])


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

    def flows(self, source: str, target: str, control: str) -> Asked:
        """Judge each pair of ends that the names stand for."""
        return Asked(self._flows(source, target), self._flows(control, target) if control else ())

    def _flows(self, source: str, target: str) -> list[Found]:
        where = f"{source} -> {target}"
        pods = self._pods()
        who, whom = read_source(source), read_target(target)
        sources = pods.called(who, where=where) if isinstance(who, PodRef) else (who,)
        targets = pods.targets(whom, where=where)
        return [
            self._found(walk(self._scenario, one, other, self._profiles))
            for one in sources
            for other in targets
        ]

    def lookups(self, source: str, name: str, control: str) -> Asked:
        """Judge the lookup of each pod that the name of the source stands for."""
        return Asked(self._lookups(source, name), self._lookups(control, name) if control else ())

    def _lookups(self, source: str, name: str) -> list[Found]:
        where = f"{source} -> lookup/{name}"
        return [
            self._lookup(pod, name) for pod in self._pods().called(read_pod(source), where=where)
        ]

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
        workloads = {
            f"{one.namespace}/{one.name}": [m.ref for m in one.models if isinstance(m, Pod)]
            for one in self._resources
            if any(isinstance(model, Pod) for model in one.models) and one.kind != "Pod"
        }
        return Pods(names, workloads)

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
        try_ = _UNSURE if own and not self._named else ""
        return Found(told.asked, self._state(told.verdict, own), walk_text(told), try_)

    def _lookup(self, pod: PodRef, name: str) -> Found:
        flow = f"{pod} -> lookup/{name}"
        if self._scenario.asks_outside(pod, name):
            why = f"only name servers outside of the cluster know whether {name} exists"
            return Found(flow, State.UNKNOWN, why, "ask a cluster: reach instead of predict")
        told = self._scenario.predict(Ask(pod, Lookup(name)))
        why = "\n".join(filter(None, [str(told.reading or "left open"), *told.reasons]))
        if told.reading is None:
            return Found(flow, State.UNKNOWN, why)
        resolved = told.reading.outcome is Outcome.RESOLVED
        return Found(flow, State.RESOLVES if resolved else State.FAILS, why)
