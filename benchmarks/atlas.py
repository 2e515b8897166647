"""The atlas: how far torch's derivatives are off, function by function: every float32, and a million
float64 from -20 to 20. It writes `docs/accuracy.md`.

Usage: python benchmarks/atlas.py [--dtype NAME] [--limit MINUTES] [FUNCTION]...

What is finished stands in `benchmarks/atlas.jsonl`, a line a sweep, and is not made again as long as
the versions are the same; `--limit` ends before the next sweep once that long has passed. All of
float32 takes some three minutes of CPU time a function, some ten where there are no cells, and
float64 seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import torch
from throughput import GRADCHECK

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.records.versions import versions

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

FOLDER = Path(__file__).parent
KEPT, PAGE = FOLDER / "atlas.jsonl", FOLDER.parent / "docs" / "accuracy.md"
SWEEPS = {
    "float64": ("--over", "x=-20:20", "--points", "1000000"),
    "float32": ("--over", "x=all"),
}
# Exit codes of sweeps that came to their end.
_WHOLE = (0, 1, 4)
# What is told of each sweep in the table, in this order.
TOLD = ("wrong", "imprecise", "inconclusive", "kink", "undefined", "not settled")


def functions() -> list[str]:
    """Functions of one number that torch differentiates and that need no settings."""

    def fits(row: Function) -> bool:
        signature = row.parsed
        plain = len(signature.args) == 1 and not signature.args[0].kind and not signature.variadic
        free = not any(parameter.required for parameter in signature.settings)
        return plain and free and row.backward and not row.helper and is_elementwise(row.name)

    return sorted(row.name for row in table().values() if fits(row))


def main() -> None:
    """Make the sweeps that are missing, and the page."""
    words = sys.argv[1:]
    limit = float(words.pop(words.index("--limit") + 1)) if "--limit" in words else 1e9
    only = words.pop(words.index("--dtype") + 1) if "--dtype" in words else ""
    chosen = [word for word in words if not word.startswith("--")] or functions()
    begun, kept = monotonic(), finished()
    for dtype in [only] if only else SWEEPS:
        for name in chosen:
            if (name, dtype) in kept:
                continue
            if monotonic() - begun > 60 * limit:
                break
            entry = made(name, dtype)
            if entry is None:
                continue
            kept[name, dtype] = entry
            with KEPT.open("a", encoding="utf-8") as file:
                file.write(json.dumps(kept[name, dtype]) + "\n")
    PAGE.write_text(page(kept), encoding="utf-8")


def finished() -> dict[tuple[str, str], dict[str, Any]]:
    """The sweeps that are kept, of these versions."""
    lines = KEPT.read_text("utf-8").splitlines() if KEPT.exists() else []
    entries = [json.loads(line) for line in lines]
    known = {name: versions()[name] for name in ("torch", "python_flint")}
    return {(e["name"], e["dtype"]): e for e in entries if e["versions"] == known}


def made(name: str, dtype: str) -> dict[str, Any] | None:
    """One sweep: its counts, the worst of each outcome, and its time; None where a part of it was
    not made.
    """
    begun = monotonic()
    command = [GRADCHECK, "sweep", f"{name}(x)", "--dtype", dtype]
    command += [*SWEEPS[dtype], "--timeout", "3600", "-f", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in _WHOLE:
        print(f"{name} {dtype}: ended with {done.returncode}, not kept", flush=True)
        return None
    (sweep,) = json.loads(done.stdout)["sweeps"] or [None]
    known = {key: versions()[key] for key in ("torch", "python_flint")}
    entry: dict[str, Any] = {"name": name, "dtype": dtype, "versions": known}
    entry["minutes"] = round((monotonic() - begun) / 60, 2)
    if sweep is not None:
        entry |= {"points": sweep["points"], "outcomes": sweep["outcomes"], "worst": {}}
        for outcome, point in sweep["worst"].items():
            at = point["at"]["x"]
            entry["worst"][outcome] = {
                "at": at,
                "ulps": point["ulps"],
                "cause": point["partial"]["cause"],
                "reason": point["partial"]["reason"],
                "torch": passes(name, float(at)),
            }
    print(f"{name} {dtype}: {entry.get('outcomes')} in {entry['minutes']} min", flush=True)
    return entry


def passes(name: str, at: float) -> bool | None:
    """Whether `torch.autograd.gradcheck` lets the derivative pass at a point, in float64; None where
    it cannot be asked.
    """
    row, x = lookup(name), torch.tensor(at, dtype=torch.float64, requires_grad=True)
    settings = {key: value for key, value in row.bound({}).items() if value is not None}
    try:
        return bool(
            torch.autograd.gradcheck(
                lambda x: row.torch(torch, x, **settings), x, raise_exception=False
            )
        )
    except Exception:  # noqa: BLE001 - whatever it cannot do
        return None


def page(kept: dict[tuple[str, str], dict[str, Any]]) -> str:
    """The page of all that is kept."""
    found = versions()
    lines = [
        "# Accuracy: an atlas of torch's derivatives",
        "",
        "How far the derivative that torch computes is from the true one, function by function, as",
        "`gradcheck sweep` finds it. This page is made by `python benchmarks/atlas.py`, which goes on",
        f"where it ended; it was made with torch {found['torch']} and python-flint {found['python_flint']}.",
        "The true derivative is a proved piecewise polynomial, enclosed in bulk where there is none;",
        "see [sweeps](sweeps.md). `sees it` says whether `torch.autograd.gradcheck` fails, in float64, at",
        "the worst point that is wrong.",
    ]
    for dtype, what in (
        ("float32", "Every float32"),
        ("float64", "A million float64 from -20 to 20"),
    ):
        entries = [e for (_, d), e in sorted(kept.items()) if d == dtype and "outcomes" in e]
        lines += ["", f"## {what}", ""]
        missing = len(functions()) - len(entries)
        if missing:
            lines += [f"{missing} of {len(functions())} functions are still to be swept."]
        if missing and entries:
            lines += [""]
        if entries:
            lines += [_line(["function", "worst ulp", "at", *TOLD, "cause", "sees it"])]
            lines += [_line(["---"] * (5 + len(TOLD)))]
            lines += [_line(_cells(entry)) for entry in entries]
    return "\n".join(lines) + "\n"


def _cells(entry: dict[str, Any]) -> list[str]:
    """A row of the table: the worst point is that of the worst outcome that has ulps."""
    worst = {name: point for name, point in entry["worst"].items() if point["ulps"] is not None}
    outcome = next((name for name in (*TOLD, "agree") if name in worst), None)
    point = worst[outcome] if outcome else {"ulps": None, "at": None, "cause": None}
    wrong = entry["worst"].get("wrong")
    sees = (
        "" if wrong is None else {True: "no", False: "yes", None: "cannot be asked"}[wrong["torch"]]
    )
    counts = [f"{entry['outcomes'].get(name, 0):,}" for name in TOLD]
    ulps = "" if point["ulps"] is None else f"{float(point['ulps']):.4g}"
    at = "" if point["at"] is None else f"{float(point['at']):.9g}"
    return [f"`{entry['name']}`", ulps, at, *counts, point["cause"] or "", sees]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
