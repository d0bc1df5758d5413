"""The values of the options in force, and the cluster that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.edge.cluster.lane import PARTS, Lane, chosen
from harness.edge.cluster.state import ClusterMode, ClusterSpec
from harness.edge.cni.known import named
from harness.edge.images import Source
from harness.edge.images.registry.names import mirror_place
from harness.edge.internet.state import InternetMode
from harness.edge.internet.vouched import STAND_IN, outside_named
from harness.edge.machine.patience import PATIENCE, Patience
from harness.errors import HarnessError
from harness.plugin.declared import LAB_OPTIONS, Option, value_of

READS: Mapping[str, Callable[[str], str]] = {"cni": named, "outside": outside_named}
"""How the value of an option is read whose values are more than its choices."""

KNOWN = {part.option: (part.default, part.choices) for part in PARTS}
"""The default and the choices of options that do not say them themselves."""


@dataclass(frozen=True, slots=True)
class Options:
    """The values in force, and the origin of each value, both by the option's name."""

    values: dict[str, str]
    origins: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def offline(self) -> bool:
        """Whether the run asks no cluster."""
        return self["offline"] == "yes"

    @property
    def chosen(self) -> list[str]:
        """The values that a user chose, each with its origin: `keep=never (command line)`."""
        return [
            f"{name}={self.values[name]} ({origin})"
            for name, origin in self.origins.items()
            if origin != "default"
        ]

    def header(self) -> str:
        """One line for pytest's header."""
        if self.offline:
            return "policylab: offline, so no cluster is asked and nothing is observed"
        chosen = f"; {', '.join(self.chosen)}" if self.chosen else ""
        return f"policylab: cni={self['cni']}, k8s={self['k8s']}, images={self['images']}{chosen}"


_OPTIONS = pytest.StashKey[Options]()


def options_of(config: pytest.Config) -> Options:
    """The options' values in this run, which are read once.

    Raises:
        pytest.UsageError: a value is not among the choices, or two options contradict each other.
    """
    if _OPTIONS not in config.stash:
        config.stash[_OPTIONS] = _resolved(config)
    return config.stash[_OPTIONS]


def _resolved(config: pytest.Config) -> Options:
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for option in LAB_OPTIONS:
        value, origin = value_of(config, option)
        default, choices = KNOWN.get(option.name, (option.default, option.choices))
        value = default if origin == "default" else value
        values[option.name], origins[option.name] = _read(option, value, choices, origin), origin
    _check(values)
    return Options(values, origins)


def _read(option: Option, value: str, choices: tuple[str, ...], origin: str) -> str:
    if option.name in READS:
        try:
            return READS[option.name](value)
        except HarnessError as error:
            raise pytest.UsageError(
                f"--lab-{option.name}={value} (from the {origin}): {error}"
            ) from error
    if choices and value not in choices:
        raise pytest.UsageError(
            f"--lab-{option.name}={value} (from the {origin}) is not a valid value: "
            f"choose {', '.join(choices)}"
        )
    return value


def _check(values: dict[str, str]) -> None:
    if not values["workers"].isdigit():
        raise pytest.UsageError(f"--lab-workers={values['workers']} is not a number of 0 or more")
    try:
        PATIENCE.by(values["patience"])
    except ValueError as error:
        raise pytest.UsageError(f"--lab-patience: {error}") from None
    try:
        values["registry"] = mirror_place(values["registry"])
    except ValueError as error:
        raise pytest.UsageError(f"--lab-registry: {error}") from None
    if values["offline"] == "yes" and values["context"]:
        raise pytest.UsageError(
            "--lab-offline asks no cluster, and --lab-context names a cluster: choose one of "
            "the two"
        )
    _check_context(values)
    _check_outside(values)


def _check_outside(values: dict[str, str]) -> None:
    if values["outside"] and not values["context"]:
        raise pytest.UsageError(
            f"--lab-outside={values['outside']} is for your own cluster (--lab-context=NAME): a "
            "cluster of policylab has the simulated internet outside"
        )
    if values["outside"] == STAND_IN and values["internet"] == InternetMode.REAL:
        raise pytest.UsageError(
            "--lab-outside=stand-in is a simulated internet, and --lab-internet=real asks for the "
            "real one: choose one of the two"
        )


def _check_context(values: dict[str, str]) -> None:
    external = values["cluster-mode"] == ClusterMode.EXTERNAL
    if external and not values["context"]:
        raise pytest.UsageError("--lab-cluster-mode=external needs --lab-context=NAME")
    for part in PARTS:
        if values["context"] and values[part.option] != part.default:
            raise pytest.UsageError(
                f"--lab-context names your own cluster, which has its own {part.short}, and "
                f"--lab-{part.option}={values[part.option]} chooses one: choose one of the two"
            )
    try:
        _lane(values)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    if values["context"] and values["cluster-mode"] in (ClusterMode.CREATE, ClusterMode.REUSE):
        raise pytest.UsageError(
            "--lab-context names your own cluster, and "
            f"--lab-cluster-mode={values['cluster-mode']} asks for a cluster of policylab: "
            "choose one of the two"
        )


def _lane(values: Mapping[str, str]) -> Lane:
    return chosen(values["cni"], {part.field: values[part.option] for part in PARTS})


def patience_of(options: Options) -> Patience:
    """The deadlines that the options ask for."""
    return PATIENCE.by(options["patience"])


def lane_of(options: Options) -> Lane:
    """What the options say that the cluster is made with."""
    return _lane(options.values)


def cluster_spec(config: pytest.Config, options: Options) -> ClusterSpec:
    """The cluster that the options ask for; pytest-kind's own options count as well."""
    kind = {
        name: config.getoption(name, default=None)
        for name in ("cluster_name", "kubeconfig", "kind_image")
    }
    binaries = {
        name: config.getoption(name, default=None) for name in ("kind_bin", "kind_kubectl_bin")
    }
    name = kind["cluster_name"]
    return ClusterSpec(
        lane_of(options),
        # The user did not choose the default of pytest-kind.
        name="" if name in (None, "pytest-kind") else str(name),
        mode=ClusterMode.EXTERNAL if options["context"] else ClusterMode(options["cluster-mode"]),
        workers=int(options["workers"]),
        images=Source(options["images"]),
        registry=options["registry"],
        internet=InternetMode(options["internet"]),
        context=options["context"],
        outside=options["outside"],
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
