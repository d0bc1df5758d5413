"""policylab's own pytest options: each is `--lab-NAME`, an ini key and an environment variable.

The command line wins over the environment, and that over the ini file. An explicit `dest` keeps
other plugins' options apart (pytest refuses two options that share one).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.edge.cluster.opening import ClusterMode, ClusterSpec
from harness.edge.cni.known import CNIS, DEFAULT
from harness.edge.images import Source
from harness.edge.internet.state import InternetMode

KEEPS = ("always", "on-failure", "never")


@dataclass(frozen=True, slots=True)
class Option:
    """One option: name after `--lab-`, default, what it may be (empty: anything), help."""

    name: str
    default: str
    choices: tuple[str, ...]
    help: str

    @property
    def dest(self) -> str:
        """Where pytest keeps it, and its ini key."""
        return f"lab_{self.name.replace('-', '_')}"

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"POLICYLAB_{self.name.replace('-', '_').upper()}"


OPTIONS = (
    Option("cni", DEFAULT, CNIS, "the CNI of the cluster"),
    Option(
        "cluster-mode", "auto", tuple(ClusterMode), "auto re-uses our cluster when it is healthy"
    ),
    Option(
        "context", "", (), "an existing cluster's context, instead of kind (implies mode external)"
    ),
    Option("images", "auto", tuple(Source), "where cluster images come from"),
    Option(
        "internet",
        "simulated",
        tuple(InternetMode),
        "what names outside of the cluster lead to; real: this machine's internet",
    ),
    Option("keep", "always", KEEPS, "whether the cluster outlives the run"),
    Option("workers", "0", (), "worker nodes beside the control plane"),
    Option("report-dir", "results", (), "where labs.json, report.html and evidence go"),
    Option(
        "policies", "apply", ("apply", "skip"), "skip: self-test, every denied row must then fail"
    ),
)


@dataclass(frozen=True, slots=True)
class Options:
    """The values in force, and where each came from."""

    values: dict[str, str]
    origins: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def header(self) -> str:
        """One line for pytest's header: what is not at its default, and who said so."""
        said = [
            f"{name}={self.values[name]} ({origin})"
            for name, origin in self.origins.items()
            if origin != "default"
        ]
        return f"policylab: cni={self['cni']}, images={self['images']}" + (
            f"; {', '.join(said)}" if said else ""
        )


def add_options(parser: pytest.Parser) -> None:
    """Register the options."""
    group = parser.getgroup("policylab", "labs on a live cluster")
    for option in OPTIONS:
        meta = "|".join(option.choices) or option.name.upper()
        text = f"{option.help} (default: {option.default or 'none'}; also {option.variable})"
        group.addoption(
            f"--lab-{option.name}", dest=option.dest, default=None, metavar=meta, help=text
        )
        parser.addini(option.dest, f"{option.help} (--lab-{option.name})", default="")


def resolve(config: pytest.Config) -> Options:
    """The options' values.

    Raises:
        pytest.UsageError: a value is not among the choices, or two options contradict each other.
    """
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for option in OPTIONS:
        value, origin = _value(config, option)
        if option.choices and value not in option.choices:
            raise pytest.UsageError(
                f"--lab-{option.name}={value} (from the {origin}): "
                f"choose {', '.join(option.choices)}"
            )
        values[option.name], origins[option.name] = value, origin
    _check(values)
    return Options(values, origins)


def _value(config: pytest.Config, option: Option) -> tuple[str, str]:
    typed = config.getoption(option.dest)
    if typed is not None:
        return str(typed), "command line"
    if option.variable in os.environ:
        return os.environ[option.variable], f"environment, {option.variable}"
    written = str(config.getini(option.dest))
    return (written, "ini file") if written else (option.default, "default")


def _check(values: dict[str, str]) -> None:
    if not values["workers"].isdigit():
        raise pytest.UsageError(f"--lab-workers={values['workers']}: a number from 0 on")
    external = values["cluster-mode"] == ClusterMode.EXTERNAL
    if external and not values["context"]:
        raise pytest.UsageError("--lab-cluster-mode=external needs --lab-context=NAME")
    if values["context"] and values["cluster-mode"] in (ClusterMode.CREATE, ClusterMode.REUSE):
        raise pytest.UsageError(
            "--lab-context takes an existing cluster, "
            f"--lab-cluster-mode={values['cluster-mode']} one of kind: choose"
        )


def cluster_spec(config: pytest.Config, options: Options) -> ClusterSpec:
    """The cluster that the options ask for, pytest-kind's own options included."""
    kind = {
        name: config.getoption(name, default=None)
        for name in ("cluster_name", "kubeconfig", "kind_image")
    }
    binaries = {
        name: config.getoption(name, default=None) for name in ("kind_bin", "kind_kubectl_bin")
    }
    name = kind["cluster_name"]
    return ClusterSpec(
        cni=options["cni"],
        # pytest-kind's default is no wish of the user's.
        name="" if name in (None, "pytest-kind") else str(name),
        mode=ClusterMode.EXTERNAL if options["context"] else ClusterMode(options["cluster-mode"]),
        workers=int(options["workers"]),
        images=Source(options["images"]),
        internet=InternetMode(options["internet"]),
        context=options["context"],
        kubeconfig=_path(kind["kubeconfig"]),
        kind_image=kind["kind_image"],
        kind_bin=_path(binaries["kind_bin"]),
        kubectl_bin=_path(binaries["kind_kubectl_bin"]),
    )


def keeps_cluster(config: pytest.Config, options: Options, *, failed: bool) -> bool:
    """Whether the cluster stays after the run; pytest-kind's --keep-cluster counts as `always`."""
    if config.getoption("keep_cluster", default=False):
        return True
    return options["keep"] == "always" or (options["keep"] == "on-failure" and failed)


def _path(value: object) -> Path | None:
    return Path(str(value)) if value else None
