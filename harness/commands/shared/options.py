"""Options that several verbs share."""

from __future__ import annotations

import argparse
import math
import os

from harness.edge.cluster.lane import PARTS, Lane, Part, chosen
from harness.edge.cluster.state import ClusterMode
from harness.edge.cni.known import CNIS, DEFAULT, named
from harness.edge.images.registry.names import mirror_place
from harness.edge.machine.patience import PATIENCE, Patience
from harness.errors import HarnessError

VARIABLE = "POLICYLAB_PATIENCE"
REGISTRY = "POLICYLAB_REGISTRY"
MODES = (ClusterMode.AUTO, ClusterMode.CREATE, ClusterMode.REUSE)
"""Modes of policylab's own clusters; an option with a context names a user's own cluster."""


def add_cni(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add `--cni`."""
    parser.add_argument(
        "--cni",
        type=_cni,
        default=DEFAULT,
        metavar=f"{{{','.join(CNIS)},FOLDER}}",
        help=f"{meaning}, or with your own, from its folder (default: %(default)s)",
    )


def add_lane(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add the options that say what a cluster is made with: `--cni`, and one for each part."""
    add_cni(parser, f"{meaning} with this CNI")
    add_parts(parser)


def add_parts(parser: argparse.ArgumentParser) -> None:
    """Add an option for each part of the lane but its CNI."""
    for part in PARTS:
        parser.add_argument(
            f"--{part.option}",
            default=part.default,
            choices=part.choices or None,
            metavar=None if part.choices else part.option.upper(),
            help=f"{part.meaning} (default: {part.default or 'the usual one'})",
        )


def add_versions(parser: argparse.ArgumentParser, verb: str, also: str = "") -> None:
    """Add the options that choose versions of images; `also` is what else `--cni` means."""
    parser.add_argument(
        "--cni",
        default="",
        choices=CNIS,
        help=f"the CNI whose version --cni-version names{also} (default: {DEFAULT}, and {verb} "
        "the images of every CNI)",
    )
    for part in PARTS:
        if part.is_version:
            parser.add_argument(
                f"--{part.option}",
                default=part.default,
                choices=part.choices or None,
                metavar=None if part.choices else part.option.upper(),
                help=f"{verb} the images of this {part.short} "
                f"(default: {part.default or 'the usual one'})",
            )


def versions_of(arguments: argparse.Namespace) -> dict[str, str]:
    """The versions that the options of `add_versions` choose, by recipe.

    Raises:
        ContentError: the CNI does not have this version.
    """
    named = {part.field: _value(part, arguments) for part in PARTS if part.is_version}
    return chosen(arguments.cni or DEFAULT, named).versions


def lane_of(arguments: argparse.Namespace) -> Lane:
    """The lane that the options name.

    Raises:
        ContentError: the parts do not fit together.
    """
    return lane_with(arguments.cni, arguments)


def lane_with(cni: str, arguments: argparse.Namespace) -> Lane:
    """The lane with this CNI, and the other parts that the options name.

    Raises:
        ContentError: the parts do not fit together.
    """
    return chosen(cni, {part.field: _value(part, arguments) for part in PARTS})


def _value(part: Part, arguments: argparse.Namespace) -> str:
    return str(getattr(arguments, part.option.replace("-", "_")))


def add_mode(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the option that says what to do with a cluster that already exists."""
    parser.add_argument(
        name,
        default=str(ClusterMode.AUTO),
        choices=[str(mode) for mode in MODES],
        help="auto: use the cluster again if it is healthy, else make it; create: the cluster must "
        "not exist yet; reuse: the cluster must exist and be healthy (default: %(default)s)",
    )


def add_patience(parser: argparse.ArgumentParser) -> None:
    """Add `--patience`, like pytest's `--lab-patience`; the parsed value is a `Patience`."""
    parser.add_argument(
        "--patience",
        type=_patience,
        default=os.environ.get(VARIABLE, "1"),
        metavar="FACTOR",
        help="multiply every deadline: 2 gives a slow machine twice the time "
        f"(default: %(default)s; also {VARIABLE})",
    )


def _cni(text: str) -> str:
    try:
        return named(text)
    except HarnessError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_registry(parser: argparse.ArgumentParser, when: str = "") -> None:
    """Add `--registry`, like pytest's `--lab-registry`; `when` says where it has a meaning."""
    parser.add_argument(
        "--registry",
        type=_place,
        default=os.environ.get(REGISTRY, ""),
        metavar="HOST[:PORT][/PREFIX]",
        help=f"a mirror that has the official images{when}: kindest/node is "
        "HOST/PREFIX/kindest/node there, and quay.io/cilium/cilium is "
        f"HOST/PREFIX/quay.io/cilium/cilium (default: none; also {REGISTRY})",
    )


def _place(text: str) -> str:
    try:
        return mirror_place(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _patience(text: str) -> Patience:
    try:
        return PATIENCE.by(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def positive(text: str) -> int:
    """Read a number from 1 on, for argparse."""
    return _whole(text, 1)


def not_negative(text: str) -> int:
    """Read a number from 0 on, for argparse."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"the number must be {least} or more")
    return number


def seconds(text: str) -> float:
    """Read a time in seconds, 0 or more, for argparse."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds") from None
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no time: write 0 or more seconds")
    return number
