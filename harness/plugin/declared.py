"""policylab's own options of pytest: each is `--lab-NAME`, an ini key and an environment variable.

The command line wins over the environment variable, which wins over the ini file. An explicit
`dest` keeps the options of other plugins apart (pytest refuses two options that share a `dest`).

Every run of pytest on a machine that has policylab imports this module, so it imports nothing of
policylab. Values that other modules own are repeated here for `pytest --help`, and a test holds
them equal.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

PARTS = {
    "k8s": "version of Kubernetes",
    "family": "family of addresses",
    "cni-version": "version of the CNI",
    "dataplane": "dataplane of the CNI",
    "kube-proxy": "mode of kube-proxy",
}
"""The parts of a lane beside its CNI, as `harness.edge.cluster.lane` has them, in a few words."""

LABS = "labs"
"""The folder of the labs, below pytest's root folder."""

MODULE = b"harness.lab"
"""The module that every lab imports."""

LOOKED_AT = 200
"""Test files of a folder `labs/` that are looked at: it may be somebody else's, and large."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the plugin.

    Attributes:
        name: its name on the command line, without `--lab-`.
        default: the value in force if nobody chose one; empty if policylab chooses then.
        choices: the values that it may have; empty if `harness.plugin.options` knows them, or if
            it may have any value.
        help: its sentence in `pytest --help`.
        flag: whether it has no value on the command line, where it means `yes`.
    """

    name: str
    default: str
    choices: tuple[str, ...]
    help: str
    flag: bool = False

    @property
    def dest(self) -> str:
        """The name under which pytest keeps the value; it is also the ini key."""
        return f"lab_{self.name.replace('-', '_')}"

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return f"POLICYLAB_{self.name.replace('-', '_').upper()}"


FOLDERS = Path(__file__).parents[1] / "edge" / "cni"
CNIS = tuple(sorted(path.parent.name for path in FOLDERS.glob("*/manifests.yaml.j2")))
"""The CNIs by their folders: to import them would cost every run of pytest 0.2 s."""

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
        CNIS[0],
        (*CNIS, "FOLDER"),
        "the CNI of the cluster; or the folder of your own CNI (docs/cni.md)",
    ),
    *(Option(name, "", (), f"the {short} of the cluster") for name, short in PARTS.items()),
    Option(
        "cluster-mode",
        "auto",
        ("auto", "create", "reuse", "external"),
        "auto: use policylab's cluster again if it is healthy, else make it; create: the cluster "
        "must not exist yet; reuse: the cluster must exist; external: use your own cluster",
    ),
    Option(
        "context",
        "",
        (),
        "use your own cluster, named by its kubectl context (implies mode external)",
    ),
    Option(
        "outside",
        "",
        (),
        "what stands outside of your own cluster (--lab-context): ADDRESS:PORT,... are servers "
        "that you vouch for; stand-in is the simulated internet, beside a kind cluster",
    ),
    Option(
        "add-probers",
        "no",
        ("yes", "no"),
        "let the fixture `reach` add a prober, an ephemeral container, to the pods of your own "
        "cluster that a test names; it stays there, idle, until its pod ends",
        flag=True,
    ),
    Option(
        "prober-image",
        "",
        (),
        "the image of the probers of `reach`: any image that has python3; none: policylab's own",
    ),
    Option(
        "images",
        "auto",
        ("auto", "registry", "bundle", "build"),
        "where the cluster's images come from",
    ),
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
        ("simulated", "real"),
        "the internet that the pods reach: simulated, or the real internet of this machine",
    ),
    Option(
        "keep",
        "always",
        ("always", "on-failure", "never"),
        "whether the cluster stays after the run",
    ),
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


def add_options(parser: pytest.Parser) -> None:
    """Register the options."""
    group = parser.getgroup("policylab", "policylab: labs and tests of network policies")
    for option in LAB_OPTIONS:
        meta = "|".join(option.choices) or option.name.upper()
        default = option.default or ("policylab's choice" if option.name in PARTS else "none")
        text = f"{option.help} (default: {default}; also {option.variable})"
        name = f"--lab-{option.name}"
        if option.flag:
            group.addoption(
                name, dest=option.dest, action="store_const", const="yes", default=None, help=text
            )
        else:
            group.addoption(name, dest=option.dest, default=None, metavar=meta, help=text)
        parser.addini(option.dest, f"{option.help} (--lab-{option.name})", default="")


def value_of(config: pytest.Config, option: Option) -> tuple[str, str]:
    """The value of an option as a user wrote it, or its default, and where it comes from."""
    typed = config.getoption(option.dest)
    if typed is not None:
        return str(typed), "command line"
    if option.variable in os.environ:
        return os.environ[option.variable], f"environment, {option.variable}"
    written = str(config.getini(option.dest))
    return (written, "ini file") if written else (option.default, "default")


def is_typed(config: pytest.Config) -> bool:
    """Whether the command line has an option of policylab."""
    return any(config.getoption(option.dest) is not None for option in LAB_OPTIONS)


def grades(config: pytest.Config) -> bool:
    """Whether the run is about a submission."""
    return any(value_of(config, one)[0] for one in LAB_OPTIONS if one.name == "submission")


def asks_for_labs(config: pytest.Config) -> bool:
    """Whether the paths on the command line lead to labs, as far as is known before collection.

    Labs are in `labs/` below pytest's root folder, and import `harness.lab`: another repository may
    have a folder of that name with something else in it.
    """
    labs = config.rootpath / LABS
    if not labs.is_dir():
        return False
    here = config.invocation_params.dir
    paths = [Path(here, arg.partition("::")[0]).resolve() for arg in config.args]
    leads = any(labs == path or labs in path.parents or path in labs.parents for path in paths)
    return leads and any(_is_lab(file) for file in islice(labs.rglob("test_*.py"), LOOKED_AT))


def _is_lab(file: Path) -> bool:
    try:
        return MODULE in file.read_bytes()
    except OSError:
        return False
