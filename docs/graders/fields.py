"""A grader of the usual kind for lab12: it reads fields. Do not use it.

python docs/graders/fields.py DIR
"""

import sys
from pathlib import Path
from typing import Any

import yaml


def objects(folder: Path) -> list[dict[str, Any]]:
    """All objects of the folder's files; a List is opened."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.iterdir()):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            found += (document or {}).get("items", [document] if document else [])
    return found


def fails(policies: list[dict[str, Any]]) -> list[str]:
    """The points of the task that no policy seems to be about."""
    specs = [(p["metadata"]["namespace"], p["spec"]) for p in policies]

    def labels(namespace: str, app: str) -> list[dict[str, Any]]:
        chosen = {"app": app}
        return [
            spec
            for home, spec in specs
            if home == namespace and spec["podSelector"].get("matchLabels") == chosen
        ]

    def ports(spec: dict[str, Any], field: str) -> set[Any]:
        rules = spec.get(field) or []
        return {port.get("port") for rule in rules for port in rule.get("ports") or []}

    missing = []
    for namespace in ("frontend-zone", "secure-zone"):
        mine = [spec for home, spec in specs if home == namespace and not spec["podSelector"]]
        if not any(set(spec.get("policyTypes", ())) == {"Ingress", "Egress"} for spec in mine):
            missing.append(f"{namespace} has no default deny")
        if not any(53 in ports(spec, "egress") for spec in mine):  # noqa: PLR2004 - the port of DNS
            missing.append(f"{namespace} may not ask for names")
    for namespace, app, field, port in (
        ("frontend-zone", "web-server", "egress", 80),
        ("secure-zone", "payment-api", "ingress", 80),
        ("secure-zone", "payment-api", "egress", 6379),
        ("secure-zone", "secure-db", "ingress", 6379),
    ):
        if not any(port in ports(spec, field) for spec in labels(namespace, app)):
            missing.append(f"{app} has no {field} on {port}")
    return missing


if __name__ == "__main__":
    found = fails(objects(Path(sys.argv[1])))
    print(*(found or ["all is there"]), sep="; ")
    raise SystemExit(bool(found))
