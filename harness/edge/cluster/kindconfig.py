"""The config file for kind (kind.x-k8s.io/v1alpha4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.core.target.family import FAMILIES, IPV4, Families, Family
from harness.edge.cni import POD_CIDRS

SERVICE_CIDRS = {Family.IPV4: "10.96.0.0/16", Family.IPV6: "fd00:10:96::/112"}
"""The network of Services, by family; kind's own values, as those of pods."""
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
_AT_ONCE = {"minSyncPeriod": "1ms"}
_PROXY = {"kind": "KubeProxyConfiguration", "nftables": _AT_ONCE, "iptables": _AT_ONCE}


def kind_config(
    *,
    workers: int,
    kubeadm_patch: str | None,
    resolv_conf: Path,
    proxy_mode: str,
    families: Families = IPV4,
) -> str:
    """The config for one control plane and `workers` workers, without kind's own CNI.

    `proxy_mode` is the mode of kube-proxy; `none` leaves kube-proxy out.
    """
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
            "kubeProxyMode": proxy_mode,
            "podSubnet": ",".join(POD_CIDRS[family] for family in families),
            "serviceSubnet": ",".join(SERVICE_CIDRS[family] for family in families),
            **_named(families),
        },
        "nodes": [{"role": role, "extraMounts": [mount]} for role in roles],
        "kubeadmConfigPatches": patches + ([kubeadm_patch] if kubeadm_patch else []),
    }
    return yaml.safe_dump(config, sort_keys=False)


def _named(families: Families) -> dict[str, str]:
    """The parts of a config that only a cluster has that speaks IPv6."""
    if families == IPV4:
        return {}
    name = next(name for name, found in FAMILIES.items() if found == families)
    # For IPv6 alone, kind would publish the API on ::1, which not every engine can forward
    # (https://kind.sigs.k8s.io/docs/user/configuration/#ip-family).
    return {"ipFamily": name, "apiServerAddress": "127.0.0.1"}
