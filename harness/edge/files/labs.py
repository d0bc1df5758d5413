"""Reads the labs of this checkout as data: their tables and their claim ledgers."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

from harness.core.lab.claims import Claim, Shown, parse_claims
from harness.core.lab.documented import Table
from harness.errors import ContentError

HOME = Path(__file__).parents[3] / "labs"
LEDGER = "claims.toml"


def phase_of(path: Path) -> str:
    """The name of the phase: `test_02_default_deny.py` has the phase `default-deny`."""
    return "-".join(path.stem.split("_")[2:])


def load_table(path: Path) -> Table:
    """The outcome table of one lab module, which is imported.

    Raises:
        ContentError: the module has no `OUTCOMES`, or its table is wrong.
    """
    spec = importlib.util.spec_from_file_location(f"lab_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ContentError("this is not a Python module", where=str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(getattr(module, "OUTCOMES", None), "table", None)
    if not isinstance(found, Table):
        raise ContentError("the lab has no OUTCOMES", where=str(path))
    return found


def has_labs() -> bool:
    """Whether policylab runs from a clone of its repository, which has its labs."""
    return any(HOME.glob(f"*/{LEDGER}"))


def load_shown(home: Path = HOME) -> dict[str, list[Shown]]:
    """Every row of every lab, by tutorial, in the labs' order.

    Raises:
        ContentError: the checkout has no labs.
    """
    found: dict[str, list[Shown]] = {}
    # A folder `labs` beside the package need not be ours: ours have a ledger.
    for path in sorted(home.glob("*/test_*.py") if home != HOME or has_labs() else ()):
        table = load_table(path)
        rows = found.setdefault(table.tutorial, [])
        rows += [Shown(phase_of(path), row, table.cni) for row in table.rows]
    if not found:
        raise ContentError(
            "there are no labs", where=str(home), try_="run this command from a clone of policylab"
        )
    return found


def load_claims(home: Path = HOME) -> dict[str, tuple[Claim, ...]]:
    """The claim ledgers, by tutorial.

    Raises:
        ContentError: a ledger is wrong.
    """
    found: dict[str, tuple[Claim, ...]] = {}
    for path in sorted(home.glob(f"*/{LEDGER}")):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ContentError(
                "a claim ledger is not valid TOML", where=str(path), seen=str(error)
            ) from error
        claims = parse_claims(data, where=str(path))
        found[str(data["tutorial"])] = claims
    return found
