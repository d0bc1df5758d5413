"""A job of a runner of GitHub, for the scripts of the action: its environment, and what they write.

Its policylab only writes down what it is asked, unless a test puts another program there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "policylab"
WORDS = """#!{python}
import json, os, sys
asked = [os.path.basename(sys.argv[0]), os.getcwd(), *sys.argv[1:]]
open({file!r}, "a").write(json.dumps(asked) + "\\n")
print({says!r})
sys.exit({code})
"""
SAYS = "what the command says"


@dataclass(frozen=True, slots=True)
class Job:
    """A job; `folder` has its workspace, its temporary folder, and the files of its steps."""

    folder: Path

    @classmethod
    def begin(cls, folder: Path, *, code: int = 0, says: str = SAYS) -> Job:
        job = cls(folder)
        job.workspace.mkdir()
        for name in ("policylab", "pytest"):
            job.notes(name, code=code, says=says)
        return job

    @property
    def workspace(self) -> Path:
        return self.folder / "work"

    @property
    def bin(self) -> Path:
        """Where policylab is installed."""
        return self.folder / "temp" / "policylab" / "bin"

    @property
    def asked(self) -> Path:
        return self.folder / "asked"

    def notes(self, name: str, *, code: int = 0, says: str = SAYS) -> Path:
        """A program that writes down what it is asked, says something, and ends so."""
        fields = {"python": sys.executable, "file": str(self.asked), "says": says, "code": code}
        return self.program(name, WORDS.format(**fields))

    def program(self, name: str, text: str) -> Path:
        file = self.bin / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
        return file

    def start(self, script: str = "run.sh", **inputs: str) -> subprocess.Popen[str]:
        """A script as a step of the action starts it."""
        return subprocess.Popen(
            [ACTION / script],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "GITHUB_ACTION_PATH": str(ACTION),
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, script: str = "run.sh", **inputs: str) -> tuple[int, str]:
        """How a script ends, and what it says."""
        with self.start(script, **inputs) as step:
            said = step.communicate()[0]
        return step.returncode, said

    @property
    def commands(self) -> list[list[str]]:
        """The programs that were run: name, folder, arguments."""
        lines = self.asked.read_text(encoding="utf-8").splitlines() if self.asked.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def outputs(self) -> dict[str, str]:
        text = (self.folder / "output").read_text(encoding="utf-8")
        return dict(line.split("=", 1) for line in text.splitlines())

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text(encoding="utf-8")

    @property
    def results(self) -> str:
        return str(self.workspace / "policylab-results")
