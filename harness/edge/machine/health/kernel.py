"""The kernel: what a node of a cluster and its CNI use of it.

The kernel's own configuration says what it has. Where no program may read it, the lists of its
modules say so; where neither can be read, nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.edge.machine.health.finding import Finding, State
from harness.edge.machine.health.looks import Looks

RELEASE = "/proc/sys/kernel/osrelease"
CONFIG = "/proc/config.gz"
LOADED = "/proc/modules"
CGROUPS = "/sys/fs/cgroup"
CURE = "boot a kernel that has CONFIG_{option}; the kernels of Debian and Ubuntu have it"


@dataclass(frozen=True, slots=True)
class Feature:
    """A part of the kernel: its module (empty if it never is one), and what it is, in words."""

    module: str
    words: str


FEATURES: Mapping[str, Feature] = {
    "OVERLAY_FS": Feature("overlay", "file systems in layers"),
    "VETH": Feature("veth", "the interfaces of pods"),
    "BRIDGE": Feature("bridge", "the network between nodes"),
    "NF_TABLES": Feature("nf_tables", "nftables, by which kube-proxy routes Services"),
    "NFT_COMPAT": Feature("nft_compat", "rules of iptables in nftables"),
    "NFT_CT": Feature("nft_ct", "the state of connections in nftables"),
    "NFT_FIB": Feature("nft_fib", "questions about routes in nftables"),
    "NFT_MASQ": Feature("nft_masq", "the change of source addresses in nftables"),
    "NETFILTER_XT_MATCH_STATISTIC": Feature(
        "xt_statistic", "the choice by chance, by which iptables spreads connections"
    ),
    "CGROUP_BPF": Feature("", "eBPF programs that see each connect() of a pod"),
    "IP_SET": Feature("ip_set", "sets of addresses for rules"),
    "VXLAN": Feature("vxlan", "VXLAN, the tunnel between nodes"),
    "BPF_SYSCALL": Feature("", "eBPF programs"),
    "NET_CLS_BPF": Feature("cls_bpf", "eBPF programs on interfaces"),
    "NETFILTER_XT_TARGET_TPROXY": Feature("xt_TPROXY", "the redirection of DNS to a proxy"),
    "NET_IPIP": Feature("ipip", "IPIP, another tunnel"),
    "IP_SCTP": Feature("sctp", "SCTP"),
}
"""The parts by the name of their option, CONFIG_NAME."""

NODE = ("OVERLAY_FS", "VETH", "BRIDGE", "NF_TABLES")
"""What every node of kind needs, whichever CNI it has."""

UNUSED: Mapping[str, str] = {
    "NET_IPIP": "policylab's Calico uses VXLAN, so nothing is to be done",
    "IP_SCTP": "no shipped lab sends SCTP, and `conformance` skips its cases of SCTP, so nothing "
    "is to be done; `explain` predicts it anyway",
}
"""What policylab can do without, and why."""


def kernel(looks: Looks, cnis: Mapping[str, Iterable[str]], *, six: bool = False) -> list[Finding]:
    """The findings about the kernel; `cnis` has, by its name, what each CNI needs of it.

    `six`: the cluster needs IPv6.
    """
    known = _Known(looks)
    users: dict[str, list[str]] = {option: ["every node"] for option in NODE}
    for name, options in cnis.items():
        for option in options:
            users.setdefault(option, []).append(name)
    found = [_needed(known, option, each) for option, each in users.items()]
    found += [_unused(known, option, why) for option, why in UNUSED.items()]
    return [*found, cgroups(looks), _ipv6(looks, needed=six)]


def _needed(known: _Known, option: str, users: Iterable[str]) -> Finding:
    words, name = FEATURES[option].words, f"kernel: {option}"
    by = " and ".join(users)
    match known.has(option):
        case True:
            return Finding(name, State.GOOD, f"the kernel has {words}")
        case False:
            return Finding(
                name,
                State.LACK,
                f"the kernel lacks {words}, which {by} needs",
                where=known.source,
                seen=f"CONFIG_{option} is not set",
                cure=CURE.format(option=option),
            )
    return Finding(
        name,
        State.UNKNOWN,
        f"nobody can say whether the kernel has {words}, which {by} needs",
        where=known.source,
        seen="neither the kernel's configuration nor the lists of its modules can be read",
        cure="run `policylab cluster up`: it says what fails",
    )


def _unused(known: _Known, option: str, why: str) -> Finding:
    words, name = FEATURES[option].words, f"kernel: {option}"
    if known.has(option):
        return Finding(name, State.GOOD, f"the kernel has {words}")
    told = "lacks" if known.has(option) is False else "perhaps lacks"
    return Finding(name, State.NOTE, f"the kernel {told} {words}", where=known.source, cure=why)


class _Known:
    """What can be read of the kernel; `source` says where."""

    def __init__(self, looks: Looks) -> None:
        release = (looks.text(RELEASE) or "").strip()
        modules = f"/lib/modules/{release}"
        boot = f"/boot/config-{release}"
        packed = looks.text(CONFIG)
        self._config = looks.text(boot) if packed is None else packed
        self._loaded = looks.text(LOADED) or ""
        self._builtin = looks.text(f"{modules}/modules.builtin")
        self._files = looks.text(f"{modules}/modules.dep")
        self.source = modules if self._config is None else CONFIG if packed is not None else boot

    def has(self, option: str) -> bool | None:
        """Whether the kernel has it; None if nobody can say."""
        module = FEATURES[option].module
        if module and re.search(rf"(?m)^{module} ", self._loaded):
            return True
        if self._config is not None:
            found = re.search(rf"(?m)^CONFIG_{option}=([ym])$", self._config)
            if found is None or found[1] == "y":
                return found is not None
            # A module that the configuration names may not be installed.
            return None if self._files is None else self._file(module, self._files)
        if not module or self._builtin is None or self._files is None:
            return None
        return self._file(module, self._builtin) or self._file(module, self._files)

    @staticmethod
    def _file(module: str, listed: str) -> bool:
        return re.search(rf"(?m)(?:^|/){module}\.ko\b", listed) is not None


def cgroups(looks: Looks) -> Finding:
    """The version of the control groups, by which nodes bound what pods use."""
    name = "control groups"
    if looks.there(f"{CGROUPS}/cgroup.controllers"):
        return Finding(name, State.GOOD, "control groups have version 2")
    if looks.there(f"{CGROUPS}/memory") or looks.there(f"{CGROUPS}/cpu"):
        return Finding(
            name,
            State.NOTE,
            "control groups have version 1, which Kubernetes is about to give up",
            where=CGROUPS,
            cure="nothing is to be done today; systemd.unified_cgroup_hierarchy=1 on the kernel's "
            "command line gives version 2",
        )
    return Finding(
        name,
        State.LACK,
        "no control groups are mounted, so no container can start",
        where=CGROUPS,
        seen="neither version 1 nor version 2",
        cure="start the machine with systemd, or mount them: apt-get install cgroupfs-mount",
    )


def _ipv6(looks: Looks, *, needed: bool) -> Finding:
    name, off = "IPv6", "/proc/sys/net/ipv6/conf/all/disable_ipv6"
    if (looks.text(off) or "").strip() == "0":
        return Finding(name, State.GOOD, "the kernel speaks IPv6")
    if looks.there("/proc/net/route") and not looks.there("/proc/net/if_inet6"):
        return Finding(
            name,
            State.LACK,
            "the kernel has no IPv6, and the web servers of labs listen on both families",
            where="/proc/net/if_inet6",
            seen="no such file",
            cure="boot without ipv6.disable=1, or a kernel that has CONFIG_IPV6",
        )
    return Finding(
        name,
        State.LACK if needed else State.NOTE,
        "the kernel does not speak IPv6, so only clusters of IPv4 can be made",
        where=off,
        cure="sysctl net.ipv6.conf.all.disable_ipv6=0 switches it on, where the kernel has it",
    )
