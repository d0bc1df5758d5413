"""policylab's own options of pytest: each is `--lab-NAME`, an ini key and an environment variable.

The command line wins over the environment variable, which wins over the ini file. An explicit
`dest` keeps the options of other plugins apart (pytest refuses two options that share a `dest`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.edge.cluster.lane import PARTS, Lane
from harness.edge.cluster.state import ClusterMode, ClusterSpec
from harness.edge.cni.known import CNIS, DEFAULT, named
from harness.edge.images import Source
from harness.edge.images.registry.names import mirror_place
from harness.edge.internet.state import InternetMode
from harness.edge.machine.patience import PATIENCE, Patience
from harness.errors import HarnessError

KEEPS = ("always", "on-failure", "never")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the plugin.

    Attributes:
        name: its name on the command line, without `--lab-`.
        default: the value in force if nobody chose one.
        choices: the values that it may have; empty if it may have any value.
        help: its sentence in `pytest --help`.
        flag: whether it has no value on the command line, where it means `yes`.
        read: makes the value of what was typed, where it may be more than one of the choices; it
            raises a `HarnessError` if the text is wrong.
    """

    name: str
    default: str
    choices: tuple[str, ...]
    help: str
    flag: bool = False
    read: Callable[[str], str] | None = None

    @property
    def dest(self) -> str:
        """The name under which pytest keeps the value; it is also the ini key."""
        return f"lab_{self.name.replace('-', '_')}"

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return f"POLICYLAB_{self.name.replace('-', '_').upper()}"


LAB_OPTIONS = (
    Option(
        "offline",
        "no",
        ("yes", "no"),
        "compare what the tutorials say with what the policies predict, and ask no cluster",
        flag=True,
    ),
    Option(
        "cni",
        DEFAULT,
        (*CNIS, "FOLDER"),
        "the CNI of the cluster; or the folder of your own CNI (docs/cni.md)",
        read=named,
    ),
    *(Option(part.option, part.default, part.choices, part.meaning) for part in PARTS),
    Option(
        "cluster-mode",
        "auto",
        tuple(ClusterMode),
        "auto: use policylab's cluster again if it is healthy, else make it; create: the cluster "
        "must not exist yet; reuse: the cluster must exist; external: use your own cluster",
    ),
    Option(
        "context",
        "",
        (),
        "use your own cluster, named by its kubectl context (implies mode external)",
    ),
    Option("images", "auto", tuple(Source), "where the cluster's images come from"),
    Option(
        "registry",
        "",
        (),
        "HOST[:PORT][/PREFIX] of a mirror that has the official images, for --lab-images=registry "
        "and auto: kindest/node is HOST/PREFIX/kindest/node there, and quay.io/cilium/cilium is "
        "HOST/PREFIX/quay.io/cilium/cilium",
    ),
    Option(
        "internet",
        "simulated",
        tuple(InternetMode),
        "the internet that the pods reach: simulated, or the real internet of this machine",
    ),
    Option("keep", "always", KEEPS, "whether the cluster stays after the run"),
    Option("workers", "0", (), "the number of worker nodes, in addition to the control plane"),
    Option(
        "report-dir",
        "results",
        (),
        "the folder for the results; each run gets a folder of its own in it",
    ),
    Option(
        "patience",
        "1",
        (),
        "a number by which every deadline is multiplied: 2 gives a slow machine twice the time, "
        "and changes nothing that is measured",
    ),
    Option(
        "submission",
        "",
        (),
        "a folder of policies to grade: the rows of an assignment take the place of the labs",
    ),
    Option(
        "assignment",
        "",
        (),
        "the assignment to which --lab-submission belongs: a name or a folder; none: the shipped "
        "one that has its namespaces",
    ),
    Option(
        "policies",
        "apply",
        ("apply", "skip"),
        "skip: leave all policies out, so that every row that documents a denial must fail (a test "
        "of policylab itself)",
    ),
)


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


def add_options(parser: pytest.Parser) -> None:
    """Register the options."""
    group = parser.getgroup("policylab", "labs on a live cluster")
    for option in LAB_OPTIONS:
        meta = "|".join(option.choices) or option.name.upper()
        text = f"{option.help} (default: {option.default or 'none'}; also {option.variable})"
        name = f"--lab-{option.name}"
        if option.flag:
            group.addoption(
                name, dest=option.dest, action="store_const", const="yes", default=None, help=text
            )
        else:
            group.addoption(name, dest=option.dest, default=None, metavar=meta, help=text)
        parser.addini(option.dest, f"{option.help} (--lab-{option.name})", default="")


def resolve(config: pytest.Config) -> Options:
    """The options' values.

    Raises:
        pytest.UsageError: a value is not among the choices, or two options contradict each other.
    """
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for option in LAB_OPTIONS:
        value, origin = _value(config, option)
        if option.read:
            try:
                value = option.read(value)
            except HarnessError as error:
                raise pytest.UsageError(
                    f"--lab-{option.name}={value} (from the {origin}): {error}"
                ) from error
        elif option.choices and value not in option.choices:
            raise pytest.UsageError(
                f"--lab-{option.name}={value} (from the {origin}) is not a valid value: "
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
    external = values["cluster-mode"] == ClusterMode.EXTERNAL
    if external and not values["context"]:
        raise pytest.UsageError("--lab-cluster-mode=external needs --lab-context=NAME")
    for part in PARTS:
        if values["context"] and values[part.option] != part.default:
            raise pytest.UsageError(
                f"--lab-context names your own cluster, which has its own {part.short}, and "
                f"--lab-{part.option}={values[part.option]} chooses one: choose one of the two"
            )
    if values["context"] and values["cluster-mode"] in (ClusterMode.CREATE, ClusterMode.REUSE):
        raise pytest.UsageError(
            "--lab-context names your own cluster, and "
            f"--lab-cluster-mode={values['cluster-mode']} asks for a cluster of policylab: "
            "choose one of the two"
        )


def patience_of(options: Options) -> Patience:
    """The deadlines that the options ask for."""
    return PATIENCE.by(options["patience"])


def lane_of(options: Options) -> Lane:
    """What the options say that the cluster is made with."""
    return Lane(options["cni"], **{part.field: options[part.option] for part in PARTS})


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
