"""Made-up pods on a cluster, on which one state of policies is tried after the other.

The pods have no server: their probers answer on every port that they declare. Each flow has its
positive control, the same flow without policies; a flow that was silent there is never judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.core.fuzz.result import differs
from harness.core.manifests.reader import Resource
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.probe.greeting import STAY, greeting
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.api.kube import Kube
from harness.edge.cluster.opening import Cluster
from harness.edge.internet.state import Internet
from harness.edge.probe.doors import Doors
from harness.edge.probe.programs.held import Held
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.stage import Entered, Stage
from harness.edge.stage.twice import asked_again
from harness.errors import ProbeError

Seen = Answer[Observation]


class Trial:
    """One set of pods. `fence` waits until every change that was made so far is in force.

    `internet` is what is outside; None if nothing is known of it.
    """

    def __init__(
        self,
        cluster: Cluster,
        doors: Doors,
        *,
        fence: Callable[[], None],
        internet: Internet | None = None,
    ) -> None:
        self.kube: Kube = doors.kube()
        # One agent for all pods of a node, where it can be: a process costs more than its probes.
        self._prober = doors.nodes(cluster.toolbox) if cluster.lets_enter else doors.prober()
        self._programs = doors.programs()
        realised = cluster.lane.value.realised
        self.stage = Stage(
            self.kube,
            self._prober,
            {},
            images=cluster.refs,
            internet=internet,
            fence=fence,
            realised=realised and realised(self.kube, doors.programs()),
            made_up=True,
            families=cluster.families,
        )
        self._fence = fence
        self._controls: dict[Ask, str] = {}

    def close(self) -> None:
        """Remove the namespaces."""
        self.stage.close()
        self._prober.close()

    def bring(
        self,
        resources: Sequence[Resource],
        *,
        name: str,
        patience: float | None = None,
        shown: Callable[[], Mapping[Ask, Reading]] | None = None,
    ) -> Entered:
        """Bring the cluster to the state of these objects (see `Stage.bring`).

        Flows that do not show the state before the deadline are judged as they are.
        """
        return self.stage.bring(resources, name=[name], patience=patience, shown=shown)

    def control(self, asks: Iterable[Ask]) -> None:
        """Wait until these flows are answered, while no policy is there, and keep what each shows.

        Policies that were there before may be in force for a moment. A flow that was not answered
        once is not waited for again.
        """
        asks = [ask for ask in asks if not self._controls.get(ask)]
        self.stage.wait_shown(dict.fromkeys(asks, Reading(Outcome.CONNECTED)))
        for ask, found in self.stage.observer.read(self.uncontrolled(asks)).items():
            seen = found.value
            answered = seen is not None and seen.reading.outcome is Outcome.CONNECTED
            self._controls[ask] = "" if answered else str(seen.reading if seen else found.problem)

    def forget(self, those: Callable[[Ask], bool]) -> None:
        """Forget the controls of flows whose ends are others now."""
        self._controls = {ask: why for ask, why in self._controls.items() if not those(ask)}

    def uncontrolled(self, asks: Iterable[Ask]) -> list[Ask]:
        """The flows that have no control yet."""
        return [ask for ask in asks if ask not in self._controls]

    def end(self, pod: PodRef) -> None:
        """Let a pod end, and stay as an object."""
        self.stage.end(pod)

    def hold(self, ask: Ask) -> Held:
        """A connection over a flow to a pod, which stays open; a context manager.

        Raises:
            ProbeError: the pod behind it has no address that is known.
        """
        target = ask.target
        if not isinstance(target, PodPort):
            raise ProbeError("only a connection to a pod can be held", where=str(ask))
        address = next(iter(self.stage.addresses.pod(target.pod).values()))
        replayer = Replayer(self._programs, self._prober.names, self.kube.patience)
        request = greeting(f"{STAY.decode()}{target.port}").decode()
        return replayer.hold(ask.source, address, target.port, request=request)

    def look(self, asks: Iterable[Ask]) -> dict[Ask, Seen]:
        """What these flows show; one whose control was not answered has no verdict."""
        return self.sound(self.stage.observer.read(asks))

    def sound(self, found: Mapping[Ask, Seen]) -> dict[Ask, Seen]:
        """The same, without a verdict where the control was not answered."""
        return {
            ask: Answer(problem=ProbeError("no answer without policies either", seen=why))
            if (why := self._controls.get(ask))
            else seen
            for ask, seen in found.items()
        }

    def again(self, found: Mapping[Ask, Seen], expected: Mapping[Ask, Reading]) -> dict[Ask, Seen]:
        """The flows that differ, once more when every change is certainly in force (ADR 0030)."""

        def wrong(ask: Ask, seen: Seen) -> bool:
            return ask in expected and differs(expected[ask], seen)

        return asked_again(found, wrong, self.look, self._fence)
