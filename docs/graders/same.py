"""A grader of the usual kind: it compares YAML. `policylab assignment check` shows why not.

python docs/graders/same.py SOLUTION.yaml DIR
"""

import sys
from pathlib import Path
from typing import Any

import yaml


def objects(paths: list[Path]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What the files say of each object, by its kind, namespace and name."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for path in paths:
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if one:
                meta = one.get("metadata", {})
                found[one["kind"], meta.get("namespace", ""), meta.get("name", "")] = one["spec"]
    return found


if __name__ == "__main__":
    wanted = objects([Path(sys.argv[1])])
    got = objects(sorted(Path(sys.argv[2]).iterdir()))
    odd = sorted(key for key in {*wanted, *got} if wanted.get(key) != got.get(key))
    print(*("/".join(key) for key in odd), "differ" if odd else "equal")
    raise SystemExit(bool(odd))
