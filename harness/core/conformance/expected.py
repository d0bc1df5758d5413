"""Lines that say which flows pass: `deny * -> red/a:*`, `allow red/b -> red/a:8080/TCP`.

All flows between pods pass until a line says otherwise, and the last line that fits a flow counts.
In a pattern `*` stands for any letters. A target in the grammar of tables (`svc/red/web:80`,
`net/google.com:80`, `name/web.red:80`), or the node port of a Service (`nodeport/red/web:80`, with
the Service's own port) is a flow of its own: it is asked for where a line names it,
by each pod that the pattern of the line fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.core.conformance.case import Cast, Said
from harness.core.model import PodRef
from harness.core.target import (
    ExternalPort,
    NamePort,
    NodePort,
    PodPort,
    ServiceAddress,
    Target,
    parse_target,
)
from harness.core.target.ask import Ask
from harness.errors import ContentError

MAX_FLOWS = 20_000
FORM = "write `allow red/b -> red/a:8080/TCP`, with `*` for any part"
_NAMED = ("svc/", "nodeport/", "net/", "name/")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and its place (FILE:LINE) for messages."""

    text: str
    where: str


def expected(lines: Iterable[Line], cast: Cast) -> dict[Ask, Said]:
    """What the lines say of every flow of this cast.

    Raises:
        ContentError: a line is not of its form, or fits no flow; or there are too many flows.
    """
    found = dict.fromkeys(_between_pods(cast), Said.ALLOW)
    if len(found) > MAX_FLOWS:
        raise ContentError(f"the pods have {len(found)} flows, and {MAX_FLOWS} are the most")
    for line in lines:
        said, source, target = _parts(line)
        sources = [ref for ref in map(_ref, cast.pods) if fnmatchcase(str(ref), source)]
        fits = (
            [Ask(ref, _target(target, cast, line)) for ref in sources]
            if target.startswith(_NAMED)
            else [
                ask
                for ask in found
                if isinstance(ask.target, PodPort)
                and fnmatchcase(str(ask.source), source)
                and fnmatchcase(written(ask.target), target)
            ]
        )
        if not fits:
            raise ContentError(f"`{line.text}` fits no flow", where=line.where, try_=FORM)
        found |= dict.fromkeys(fits, said)
    return found


def written(port: PodPort) -> str:
    """A port of a pod as the lines have it."""
    return f"{port.pod}:{port.port}/{port.protocol}"


def _between_pods(cast: Cast) -> list[Ask]:
    return [
        Ask(_ref(source), PodPort(_ref(target), port.number, port.protocol))
        for source in cast.pods
        for target, pod in cast.pods.items()
        if source != target
        for port in pod.ports
    ]


def _ref(key: str) -> PodRef:
    namespace, _, name = key.partition("/")
    return PodRef(namespace, name)


def _parts(line: Line) -> tuple[Said, str, str]:
    word, _, flow = line.text.partition(" ")
    source, arrow, target = flow.partition(" -> ")
    if word not in set(Said) or not arrow or not source.strip() or not target.strip():
        raise ContentError(
            f"`{line.text}` is no line about flows", where=line.where, seen=line.text, try_=FORM
        )
    # `*` alone is every end, and `red/*` every pod of red, with all of its ports.
    return Said(word), source.strip(), target.strip()


def _target(text: str, cast: Cast, line: Line) -> Target:
    found = parse_target(text, where=line.where)
    match found:
        case NodePort(namespace, name) if f"{namespace}/{name}" in cast.services:
            _has_node_port(f"{namespace}/{name}", cast, line)
            return found
        case ServiceAddress(namespace, name) if f"{namespace}/{name}" in cast.services:
            return found
        case NamePort(name) if _service(name) in cast.services:
            return found
        case ExternalPort():
            return found
    raise ContentError(
        f"`{text}` is nothing that this case has",
        where=line.where,
        seen=f"its Services: {', '.join(cast.services) or 'none'}",
    )


def _has_node_port(key: str, cast: Cast, line: Line) -> None:
    if cast.services.get(key, {}).get("type") not in ("NodePort", "LoadBalancer"):
        what = f"the Service {key} has no port at the nodes"
        raise ContentError(what, where=line.where, try_="give it `type: NodePort`")


def _service(name: str) -> str:
    """The Service that a short name (`web.red`) stands for."""
    service, _, namespace = name.partition(".")
    return f"{namespace}/{service}"
