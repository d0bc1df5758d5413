"""`policylab whatif`: what opens and what closes if manifests are applied; no packet is sent."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from harness.commands.shared.lists import FORM, list_of, wanted_list
from harness.commands.shared.output import add_format, add_quiet
from harness.commands.shared.state import CONTEXT_HELP, Given, given
from harness.core.compare.change import Change, change_of
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import State, names_of
from harness.core.manifests.basis import Basis
from harness.core.manifests.wanted.wishes import Wish
from harness.core.model import NetworkPolicy, Topology
from harness.core.policy.selectors import selects
from harness.edge.cni.known import PROFILES
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.compare.change import change_document, change_summary, change_text


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "whatif",
        help="say which flows new manifests open and close",
        description="Compares two states over all pods that were read, declared ports, ports that "
        "a rule names, one port for all others, addresses outside that an ipBlock tells apart, and "
        "pods that nobody declared yet. No packet is sent.",
        epilog=f"Exit code: {ExitCode.OK} no wanted or seen flow closes, {ExitCode.DIFFERS} one "
        f"closes, {ExitCode.NO_VERDICT} nobody can say that all of them still pass, "
        f"{ExitCode.USAGE} the manifests or lists cannot be read.",
    )
    parser.add_argument(
        "new", type=Path, metavar="NEW", help="a folder, a file, or - for stdin: the state after"
    )
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="a folder or file: the state before"
    )
    parser.add_argument("--context", default="", metavar="NAME", help=CONTEXT_HELP)
    parser.add_argument(
        "-n", "--namespace", default="", help="the namespace of objects that state none"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--over",
        action="store_true",
        help="NEW is applied over the state before, as by kubectl apply (default if NEW has no "
        "pods of its own)",
    )
    how.add_argument(
        "--replace",
        action="store_true",
        help="NEW takes the place of the state before: a policy that it does not have is gone "
        "(default if NEW has pods of its own)",
    )
    parser.add_argument(
        "--wanted",
        type=Path,
        metavar="FILE",
        help=f"the wanted flows, as {FORM} (default: the ConfigMap `wanted-flows` of NEW, else of "
        "the state before)",
    )
    parser.add_argument(
        "--seen", type=Path, metavar="FILE", help="flows that were seen, as a list of the same form"
    )
    add_format(parser)
    add_quiet(parser)
    parser.set_defaults(run=_whatif, apply="")


def _whatif(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    before = given(arguments.against, arguments.context, arguments, progress)
    new = given(arguments.new, "", arguments, progress)
    own_pods = new.state.topology.pods.keys() - new.state.assumed
    replaces = arguments.replace or (bool(own_pods) and not arguments.over)
    after = _after(before.state, new.state, replaces=replaces)
    origins = before.origin, f"{new.origin}, {'in its place' if replaces else 'applied over it'}"
    lists = _lists(arguments, before, new, after)
    change = change_of(before.state, after, Wishes(lists), PROFILES.values())
    basis = basis_of(before, new, after)
    if arguments.format == "json":
        document = change_document(change, origins, list(lists), basis)
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    else:
        lines = [
            f"before: {origins[0]}",
            f"after: {origins[1]}; no packet was sent",
            *change_text(change),
            *basis.lines(),
        ]
        summary = change_summary(change, list(lists))
        for line in [*(() if arguments.quiet else lines), summary]:
            sys.stdout.write(f"{line}\n")
    return code_of(change)


def code_of(change: Change) -> ExitCode:
    """What a change says of the listed flows; that one closes is certain, whatever is in doubt."""
    if change.closing:
        return ExitCode.DIFFERS
    return ExitCode.NO_VERDICT if change.doubtful else ExitCode.OK


def _lists(
    arguments: argparse.Namespace, before: Given, new: Given, after: State
) -> dict[str, tuple[Wish, ...]]:
    pods = {**before.state.topology.pods, **after.topology.pods}
    topology = replace(after.topology, pods=pods)
    names = names_of((*before.state.policies, *after.policies))
    resources = (*new.resources, *before.resources)
    wanted = wanted_list(arguments.wanted, resources, topology, names)
    found = {} if wanted is None else {"wanted": wanted}
    if arguments.seen:
        found["seen"] = list_of(arguments.seen, topology, names)
    return found


def _after(before: State, new: State, *, replaces: bool) -> State:
    """The state after. Who is there comes from before, unless the new state says so itself."""
    own = new.topology.pods.keys() - new.assumed
    if replaces and own:
        return new
    old, now = before.topology, new.topology
    topology = Topology(
        {**old.namespaces, **now.namespaces},
        {**old.pods, **{name: pod for name, pod in now.pods.items() if name in own}},
        {**old.services, **{k: v for k, v in now.services.items() if k not in old.services or own}},
        {**now.external, **old.external},
        tuple(dict.fromkeys((*(() if replaces else old.unread), *now.unread))),
        old.assumed,
    )
    kept = () if replaces else before.policies
    policies = {_key(policy): policy for policy in (*kept, *new.policies)}
    return State(topology, tuple(policies.values()), before.assumed - own)


def _key(policy: NetworkPolicy) -> tuple[str, str, str]:
    return policy.kind, policy.namespace, policy.name


def basis_of(before: Given, new: Given, after: State) -> Basis:
    """What the answer rests on, and what it leaves out."""
    own = after.topology is new.state.topology
    basis = before.basis.with_(new.basis) if own else before.basis.with_(_parts(new.basis))
    if assumed := before.state.assumed | after.assumed:
        basis = basis.noting(f"{', '.join(sorted(assumed))} only answers here")
    nobody = (
        f"{policy} selects no pod that was read"
        for policy in dict.fromkeys(after.policies)
        if policy not in before.state.policies and not _selects(policy, after)
    )
    return basis.noting(
        *nobody,
        "ICMP is left out, for NetworkPolicy says nothing of it; so is a pod's talk to itself",
    )


def _parts(basis: Basis) -> Basis:
    """The basis of manifests that have no pods of their own: who is there comes from before."""
    return replace(basis, assumed=(), unknown=()).without_pods()


def _selects(policy: NetworkPolicy, state: State) -> bool:
    return any(
        policy.namespace in ("", pod.namespace) and selects(policy.pod_selector, pod.labels)
        for pod in state.topology.pods.values()
    )
