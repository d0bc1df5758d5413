"""The config file for kind (kind.x-k8s.io/v1alpha4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.edge.cni import POD_CIDR

SERVICE_CIDR = "10.96.0.0/16"
NODE_RESOLV_CONF = "/etc/policylab/resolv.conf"

# The machine's search list is left out: pods inherit it, and each domain in it costs a question.
# From 1.35 on, the kubelet refuses a machine with version 1 of the control groups, unless it is
# told not to (k8s.io/kubernetes 1.37, pkg/kubelet/apis/config). On version 2 this changes nothing.
_KUBELET = {
    "kind": "KubeletConfiguration",
    "resolvConf": NODE_RESOLV_CONF,
    "failCgroupV1": False,
}

# kube-proxy programs a changed Service at once, instead of once a second. Zero would mean the
# default, 1 s (k8s.io/kubernetes 1.37, pkg/proxy/apis/config/v1alpha1/defaults.go).
_PROXY = {"kind": "KubeProxyConfiguration", "nftables": {"minSyncPeriod": "1ms"}}


def kind_config(*, workers: int, kubeadm_patch: str | None, resolv_conf: Path) -> str:
    """The config for one control plane and `workers` workers, without kind's own CNI."""
    mount = {
        "hostPath": str(resolv_conf),
        "containerPath": NODE_RESOLV_CONF,
        "readOnly": True,
    }
    roles = ["control-plane", *["worker"] * workers]
    patches = [yaml.safe_dump(patch) for patch in (_KUBELET, _PROXY)]
    config: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {
            "disableDefaultCNI": True,
            "kubeProxyMode": "nftables",
            "podSubnet": POD_CIDR,
            "serviceSubnet": SERVICE_CIDR,
        },
        "nodes": [{"role": role, "extraMounts": [mount]} for role in roles],
        "kubeadmConfigPatches": patches + ([kubeadm_patch] if kubeadm_patch else []),
    }
    return yaml.safe_dump(config, sort_keys=False)
