"""Makes a kind cluster from its images: kind, then the CNI, then DNS."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from harness.edge.api.kube import Kube
from harness.edge.cluster import evidence
from harness.edge.cluster.kind import Kind
from harness.edge.cluster.kindconfig import kind_config
from harness.edge.cluster.nodes import (
    end_starts,
    introduce,
    node_containers,
    node_names,
    node_resolver,
)
from harness.edge.cluster.state import Cluster, ClusterSpec, Home, Record, State
from harness.edge.cluster.tools import Tools
from harness.edge.cni import Cni
from harness.edge.images import ClusterImages
from harness.edge.internet.state import Internet
from harness.edge.machine.docker import Docker
from harness.edge.machine.process import run
from harness.edge.machine.wait import NotYet
from harness.errors import ClusterNotReady, HarnessError
from harness.progress import Progress

KEEP_AS_TOLD = "       success 9984 30 0\n       denial 9984 30 0\n       servfail 0\n"
DNS_SELECTOR = "k8s-app=kube-dns"


class Maker:
    """Makes one cluster from its images."""

    def __init__(
        self,
        spec: ClusterSpec,
        images: ClusterImages,
        internet: Internet,
        progress: Progress,
        tools: Tools,
    ) -> None:
        self.spec = spec
        self.images = images
        self.internet = internet
        self.progress = progress
        self.docker = tools.docker
        self.patience = tools.patience
        self.home = Home(spec.cluster)
        self.kind = tools.kind(
            spec.cluster, self.home, spec.kind_bin or images.kind, tools.patience
        )
        self._connect = tools.connect
        self.cni: Cni = spec.lane.value
        self.record = Record(
            spec.cluster,
            spec.kind_image or images.node,
            spec.lane.cni,
            spec.workers,
            "" if spec.kind_image else images.kubernetes_version,
            self.cni.own.content() if self.cni.own else "",
            spec.lane.variant,
            str(images.source),
            images.mirror,
        )

    def state(self) -> tuple[State, str]:
        """The state of the name, and the faults of the cluster if policylab made it."""
        listed = self.kind.listed()
        record = self.home.record()
        if self.spec.cluster not in listed:
            return State.ABSENT, ""
        if record is None or not record.owns(node_containers(self.spec.cluster, self.docker)):
            return State.FOREIGN, ""
        if not record.made_as(self.record):
            return State.BROKEN, record.differs(self.record)
        try:
            lacking = self._healthy()
        except HarnessError as error:
            lacking = f"{error.what} {error.seen}"
        return (State.BROKEN, lacking) if lacking else (State.HEALTHY, "")

    def _healthy(self) -> str:
        self.kind.export(self.home.kubeconfig)
        return missing(self._connect(self.home.kubeconfig, "", self.patience), self.cni.daemon_set)

    def create(self) -> None:
        """Make the cluster; after a failure or Ctrl-C, delete its unfinished parts."""
        self.home.claim(self.record)
        try:
            self._create()
        except BaseException as error:
            if isinstance(error, HarnessError):
                file = self.home.path.parent.parent / "failures" / f"{self.spec.cluster}.log"
                kept = evidence.keep(self.home, self.kubectl, file, self.patience)
                self.progress.note(f"what the cluster looked like is in {kept}")
            with contextlib.suppress(HarnessError):
                delete(self.home, self.kind, self.docker)
            raise
        self.home.stood(self.record, node_containers(self.spec.cluster, self.docker))

    def _create(self) -> None:
        # Only CoreDNS would read the line, and CoreDNS gets the node's resolver once there is a
        # node.
        server = self.internet.server(self.spec.lane.families)
        line = f"nameserver {server}\n" if server else ""
        self.home.resolv_conf.write_text(line, encoding="utf-8")
        config = self.home.path / "kind.yaml"
        config.write_text(
            kind_config(
                workers=self.spec.workers,
                kubeadm_patch=self.images.kubeadm_patch,
                resolv_conf=self.home.resolv_conf,
                families=self.spec.lane.families,
                proxy_mode=self.spec.lane.proxy_mode,
            ),
            encoding="utf-8",
        )
        self.kind.create(config, self.record.node)
        for image in self.images.load:
            self.kind.load(image)
        for archive in self.cni.own.archives if self.cni.own else ():
            self.kind.load_archive(archive)
        introduce(self.spec.cluster, self.docker)
        self._install()

    @property
    def kubectl(self) -> Path:
        """The kubectl that fits the cluster."""
        return self.spec.kubectl_bin or self.images.kubectl

    def _install(self) -> None:
        kube = self._connect(self.home.kubeconfig, "", self.patience)
        control_plane = f"{self.spec.cluster}-control-plane"
        self.point_dns(kube)  # this is done before its pods can start, so that they need no restart
        with self.progress.step(f"{self.cni.name} {self.cni.version(self.images)}"):
            run(
                [
                    self.kubectl,
                    f"--kubeconfig={self.home.kubeconfig}",
                    "apply",
                    "--server-side",
                    "-f",
                    "-",
                ],
                input=self.cni.manifests(
                    self.images, control_plane=control_plane, families=self.spec.lane.families
                ),
                timeout=self.patience.manifests,
            )

            def ready() -> None:
                if lacking := missing(kube, self.cni.daemon_set):
                    raise NotYet(lacking)

            kube.wait(
                "nodes, CNI and CoreDNS are ready",
                ready,
                seconds=self.patience.cluster_ready,
                every=0.3,
                try_=f"kubectl --kubeconfig {self.home.kubeconfig} get pods -A",
            )

    def point_dns(self, kube: Kube) -> None:
        """Let CoreDNS ask the internet's name server and log every question, unless it does so."""
        found = kube.get("v1", "ConfigMap", "coredns", "kube-system")
        if found is None:
            raise ClusterNotReady("the cluster has no CoreDNS", where=kube.where)
        corefile = found["data"]["Corefile"]
        server = self.internet.server(self.spec.lane.families)
        upstream = server or node_resolver(self.spec.cluster, self.docker)
        wanted = corefile_for(corefile, upstream)
        if wanted == corefile:
            return
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": wanted},
        }
        kube.apply(body)
        for pod in kube.list("v1", "Pod", "kube-system", selector=DNS_SELECTOR):
            if (
                pod["status"].get("phase") == "Running"
            ):  # a pod that has not started yet reads the new file
                kube.delete(pod, grace=0)

    def cluster(self, kube: Kube, *, created: bool) -> Cluster:
        """The cluster as the labs see it."""
        environment = {
            **versions(kube),
            "kind": self.kind.version(),
            **self.spec.lane.facts,
            "cni_version": self.cni.version(self.images),
            "family": self.spec.lane.family,
            "image_source": str(self.images.source),
            "internet": str(self.spec.internet),
        }
        if self.spec.kubeconfig:  # pytest-kind's --kubeconfig: the path that the user chose
            self.kind.export(self.spec.kubeconfig)
        return Cluster(
            name=self.spec.cluster,
            kubeconfig=self.home.kubeconfig,
            context="",
            kubectl=self.kubectl,
            lane=self.spec.lane,
            owned=True,
            created=created,
            refs=self.images.refs,
            environment=environment,
            internet=self.internet,
            patience=self.patience,
        )


def delete(home: Home, kind: Kind, docker: Docker) -> None:
    """Delete a cluster and the folder of its state.

    Raises:
        ClusterNotReady: kind or the engine does not finish.
    """
    kind.delete()
    record = home.record()
    if record is not None and not record.ready:
        end_starts(node_names(kind.name, record.workers), record.node, docker)
    home.remove()


def corefile_for(corefile: str, upstream: str) -> str:
    """The Corefile that logs every question, and sends questions about other names upstream.

    The log lets labs count the questions that the name server really received. CoreDNS caches
    answers for their TTL, and does not cache failures. By default it caches both for at least 5 s,
    which would hide that a name has moved or that its server works again.
    """
    kept = re.sub(r"(?m)^(    cache 30) \{\n(?! +success)", rf"\1 {{\n{KEEP_AS_TOLD}", corefile)
    logged = re.sub(r"(?m)^(\.:53 \{\n)(?!\s+log\n)", r"\1    log\n", kept)
    return re.sub(r"(?m)^(\s+forward \. )\S+", rf"\g<1>{upstream}", logged)


def missing(kube: Kube, daemon_set: str) -> str:
    """The parts that the cluster still lacks before labs can run; empty if it lacks none."""
    nodes = kube.list("v1", "Node")
    unready = [
        body["metadata"]["name"]
        for body in nodes
        if not any(
            c["type"] == "Ready" and c["status"] == "True"
            for c in body["status"].get("conditions", [])
        )
    ]
    if unready or not nodes:
        return f"nodes not ready: {', '.join(unready) or 'none listed'}"
    return _cni_missing(kube, daemon_set) or _dns_missing(kube)


def _dns_missing(kube: Kube) -> str:
    body = kube.get("apps/v1", "Deployment", "coredns", "kube-system")
    if body is None:
        return "there is no CoreDNS"
    status, wanted = body.get("status", {}), body["spec"]["replicas"]
    counts = [status.get(key, 0) for key in ("updatedReplicas", "availableReplicas", "replicas")]
    return "" if counts == [wanted] * len(counts) else f"CoreDNS: {counts[1]} of {wanted} available"


def versions(kube: Kube) -> dict[str, str]:
    """The versions that the nodes report."""
    nodes = kube.list("v1", "Node")
    info = nodes[0]["status"]["nodeInfo"] if nodes else {}
    return {
        "kubernetes": info.get("kubeletVersion", ""),
        "kernel": info.get("kernelVersion", ""),
        "runtime": info.get("containerRuntimeVersion", ""),
        "nodes": str(len(nodes)),
    }


def _cni_missing(kube: Kube, name: str) -> str:
    body = kube.get("apps/v1", "DaemonSet", name, "kube-system")
    if body is None:
        return f"there is no DaemonSet {name}"
    status = body.get("status", {})
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    return "" if wanted and wanted == ready else f"{name}: {ready} of {wanted} pods are ready"
