"""How long policylab waits before it gives up: every deadline of the edge, in one value.

A slow machine gets more of all of them (`--lab-patience=2`). What is measured is not here: the
times of a round of probes are part of what a lab says, and do not change with the machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Patience:
    """Deadlines, all in seconds.

    This machine:
    `engine_version`: until Docker's engine says which version it is.
    `engine_start`: until an engine that policylab started answers.
    `engine_answer`: for a question to the engine, or for a change that it makes at once.
    `engine_remove`: until the engine has removed a container or an image.
    `engine_move`: for the engine to load, save, pull, build or commit images of some gigabytes.
    `package_lists`: until apt has read the lists of its archives.
    `packages`: until apt or pip has installed a few packages.
    `tool_answer`: for a program of this machine that answers at once.

    Images:
    `registry_answer`: until a registry has said what an image is made of, or is held to be out of
        reach. A mirror that fetches the image itself at the first question is slower than others.
    `compile`: for the Go commands of one folder of `images/`.
    `definitions`: until `go run` has printed the resource definitions of a CNI.
    `debian_root`: until mmdebstrap has made one root file system.
    `build_turn`: until another run has built its images.

    The simulated internet:
    `internet_answer`: for one question to its name server or its web server.
    `internet_reuse`: until one that runs already answers.
    `internet_start`: until one that was started answers.
    `internet_turn`: until another run has started it.
    `internet_change`: until a change of a name is in force.
    `internet_changes`: until another run has put its changes back.

    Clusters:
    `kind_answer`: for a list, a version or a kubeconfig of kind's.
    `kind_create`: until kind has made a cluster. kubeadm gives up long before.
    `kind_load`: until kind has copied one image into all nodes.
    `kind_delete`: until kind has deleted a cluster.
    `node_end`: until the engine has made, and given up, a node of which kind was interrupted.
    `manifests`: until the API has taken the CNI's objects.
    `cluster_ready`: until nodes, CNI and CoreDNS are ready.
    `images_named`: until each node tells the API of images that were loaded into it. The kubelet
        looks every 30 s, and tells what it sees within 10 s.
    `evidence`: for each question about a cluster that failed.

    The Kubernetes API:
    `api_answer`: for one request.
    `api_conflict`: until a pod that others keep changing has taken a prober.
    `namespace_usable`: until a new namespace can hold pods.
    `objects_gone`: until objects that were deleted are gone.

    Probes (not the times of a round, which are measured):
    `pods_ready`: until pods and their probers run.
    `prober_start`: until probers that start at once have said hello.
    `prober_start_each`: so much more of it for each of them.
    `prober_end`: until a prober that is ended is gone.
    `round_line`: after a round's end, for its line: load may keep kubectl or the agent.
    `starved`: for how long rounds that a starved prober measured are made again.
    `lookup`: for one lookup by a pod's own resolver.
    `command`: for a tutorial's own command.
    `held_answer`: for one answer over a connection that is kept open.
    `stream_answer`: until the agent of a constant stream has answered; its last answer is long.

    States and measurements:
    `settle`: until a change of policies is in force.
    `taken_in`: the same where pods, or labels of pods or namespaces, change as well.
    `others_change`: until other processes of a run of pytest have taken back their policies.
    `self_test`: the same where no policy is applied, so that most changes never come.
    `log`: until a log shows a line that was written.
    `deployment`: until a Deployment is available, or has crashed, as the row says.
    `at_rest`: until a CNI's account of drops stands still.
    `forgotten`: until Cilium has forgotten the addresses of a name. Measured: each within 20 s
        after two runs, one still there after 90 s in a third.
    `cached`: until CoreDNS answers anew. Its cache keeps an answer for 30 s at most.

    Made-up policies:
    `shrink`: for one disagreement; what is found by then is written down.
    `shrink_try`: until a smaller case is in force; a case that still differs waits all of it.

    CNIs:
    `cni_answer`: until a CNI's agent has run one of its commands.
    `cni_realised`: until a CNI says that policies are in force, also for pods with other labels:
        Cilium needs up to 36 s for those (measured).
    """

    engine_version: float = 20.0
    engine_start: float = 60.0
    engine_answer: float = 60.0
    engine_remove: float = 120.0
    engine_move: float = 900.0
    package_lists: float = 300.0
    packages: float = 900.0
    tool_answer: float = 60.0

    registry_answer: float = 20.0
    compile: float = 3600.0
    definitions: float = 900.0
    debian_root: float = 1200.0
    build_turn: float = 2700.0

    internet_answer: float = 1.0
    internet_reuse: float = 2.0
    internet_start: float = 20.0
    internet_turn: float = 90.0
    internet_change: float = 10.0
    internet_changes: float = 600.0

    kind_answer: float = 60.0
    kind_create: float = 900.0
    kind_load: float = 300.0
    kind_delete: float = 120.0
    node_end: float = 30.0
    manifests: float = 60.0
    cluster_ready: float = 180.0
    images_named: float = 90.0
    evidence: float = 15.0

    api_answer: float = 10.0
    api_conflict: float = 10.0
    namespace_usable: float = 60.0
    objects_gone: float = 90.0

    pods_ready: float = 90.0
    prober_start: float = 15.0
    prober_start_each: float = 0.25
    prober_end: float = 3.0
    round_line: float = 10.0
    starved: float = 20.0
    lookup: float = 60.0
    command: float = 30.0
    held_answer: float = 8.0
    stream_answer: float = 15.0

    settle: float = 15.0
    taken_in: float = 60.0
    others_change: float = 600.0
    self_test: float = 2.0
    log: float = 5.0
    deployment: float = 60.0
    at_rest: float = 10.0
    forgotten: float = 90.0
    cached: float = 45.0

    shrink: float = 90.0
    shrink_try: float = 2.0

    cni_answer: float = 20.0
    cni_realised: float = 60.0

    def times(self, factor: float) -> Self:
        """The same with every deadline multiplied."""
        return type(self)(**{each.name: getattr(self, each.name) * factor for each in fields(self)})

    def by(self, text: str) -> Self:
        """The same multiplied by the number that a user wrote.

        Raises:
            ValueError: the text is not a number above 0.
        """
        try:
            factor = float(text)
        except ValueError:
            factor = 0.0
        if not 0 < factor < math.inf:
            raise ValueError(f"{text} is not a number above 0")
        return self.times(factor)


PATIENCE = Patience()
"""What a machine of two cores needs, with a margin."""
