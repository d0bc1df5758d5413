"""Small states for the rules of lint: objects as text, and what lint finds in them."""

from __future__ import annotations

from harness.core.lint.finding import Finding
from harness.core.lint.ignores import ignores_in
from harness.core.lint.linting import Linted, lint
from harness.core.manifests.reader import parse
from harness.edge.cni.known import PROFILES

FILE = "shop.yaml"


def namespace(name: str, labels: str = "") -> str:
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"


def pod(name: str, labels: str = "", ports: str = "", more: str = "") -> str:
    """`name` is NAMESPACE/NAME; `ports` are written as `8080 http, 53/UDP dns`."""
    space, _, own = name.partition("/")
    listed = ", ".join(_port(port) for port in ports.split(", ") if port)
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {own}, namespace: {space}, "
        f"labels: {{{labels}}}}}\nspec:\n  {more or 'dnsPolicy: ClusterFirst'}\n"
        f"  containers: [{{name: main, image: a, ports: [{listed}]}}]\n"
    )


def _port(text: str) -> str:
    number, _, name = text.partition(" ")
    number, _, protocol = number.partition("/")
    called = f", name: {name}" if name else ""
    return f"{{containerPort: {number}, protocol: {protocol or 'TCP'}{called}}}"


def service(name: str, selector: str, ports: str) -> str:
    space, _, own = name.partition("/")
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {own}, namespace: {space}}}\n"
        f"spec: {{selector: {{{selector}}}, ports: [{ports}]}}\n"
    )


def policy(name: str, spec: str) -> str:
    space, _, own = name.partition("/")
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {own}, namespace: {space}}}\nspec:\n{spec}"
    )


DENY = """\
  podSelector: {}
  policyTypes: [Ingress, Egress]
"""

DNS = """\
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
"""


def linted(*objects: str) -> Linted:
    text = "---\n".join(objects)
    resources = parse(text, origin=FILE)
    return lint(resources, tuple(PROFILES.values()), ignores_in(FILE, text))


def found(rule: str, *objects: str) -> Finding:
    """The one finding of a rule."""
    (one,) = every(rule, *objects)
    return one


def every(rule: str, *objects: str) -> list[Finding]:
    """All findings of a rule."""
    return [finding for finding in linted(*objects).findings if finding.rule == rule]


def rules_found(*objects: str) -> list[str]:
    """The rules that find something, each as often as it does."""
    return [finding.rule for finding in linted(*objects).findings]


def line_of(text: str, *objects: str) -> int:
    """The line at which a text stands, for the first time."""
    rows = "---\n".join(objects).split("\n")
    return next(number for number, row in enumerate(rows, 1) if text in row)
