"""The three graders of the usual kinds: what the page says of them is so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[3]
GRADERS = HOME / "docs" / "graders"
REFERENCE = HOME / "assignments" / "lab12" / "reference.yaml"
WORDS = {"fields": [], "same": [str(REFERENCE)], "curl": ["--predict"]}


def _accepts(name: str, text: str, folder: Path) -> bool:
    (folder / "policies.yaml").write_text(text, encoding="utf-8")
    argv = [sys.executable, str(GRADERS / f"{name}.py"), *WORDS[name], str(folder)]
    done = subprocess.run(argv, cwd=HOME, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("name", WORDS)
def test_a_grader_accepts_the_right_solution_and_not_every_wrong_one(
    name: str, tmp_path: Path
) -> None:
    right = REFERENCE.read_text(encoding="utf-8")

    assert _accepts(name, right, tmp_path)
    assert not _accepts(name, right.replace("port: 6379", "port: 1"), tmp_path)


def test_the_grader_that_reads_fields_misses_a_policy_that_opens_everything(
    tmp_path: Path,
) -> None:
    more = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: more, namespace: secure-zone}
spec: {podSelector: {matchLabels: {app: secure-db}}, ingress: [{}], egress: [{}]}
"""
    assert _accepts("fields", REFERENCE.read_text(encoding="utf-8") + more, tmp_path)


def test_the_grader_that_compares_yaml_rejects_another_name(tmp_path: Path) -> None:
    text = REFERENCE.read_text(encoding="utf-8").replace("name: allow-dns", "name: names")

    assert not _accepts("same", text, tmp_path)


def test_the_grader_that_sends_requests_misses_dns(tmp_path: Path) -> None:
    text = REFERENCE.read_text(encoding="utf-8").replace("port: 53", "port: 54")

    assert _accepts("curl", text, tmp_path)
