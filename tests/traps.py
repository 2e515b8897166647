"""Traps: modules that leave a mark when they are imported, to be laid where nobody should look."""

from __future__ import annotations

from pathlib import Path

MARKS = "executed"
# What Python imports by itself, what everybody imports, and what the tool's processes import.
NAMES = (
    "sitecustomize", "usercustomize", "typing", "json", "pickle", "queue", "signal", "pathlib", "subprocess", "threading", "ctypes", "importlib", "random",
    "numpy", "torch", "sympy", "flint", "mpmath", "gmpy2", "psutil", "yaml", "rich", "typer", "pytest", "gradcheck_cli",
)  # fmt: skip
EVERYTHING = (
    *(f"{name}.py" for name in NAMES),
    "gradcheck_cli/__init__.py",
    "gradcheck_cli/__main__.py",
    "gradcheck_cli/processes.py",
    "gradcheck_cli/symbolic/__init__.py",
    "gradcheck_cli/symbolic/server.py",
    "gradcheck_cli/runs/__init__.py",
    "gradcheck_cli/runs/worker.py",
)


def plant(folder, *files):
    """Lay traps in a folder: these files, each of which leaves its name."""
    for name in files:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = str(Path(folder) / MARKS)
        path.write_text(
            f"with open({mark!r}, 'a') as marks:\n    marks.write({name!r} + '\\n')\n",
            encoding="utf-8",
        )


def executed(folder):
    """The traps of a folder that were sprung."""
    path = Path(folder) / MARKS
    return path.read_text(encoding="utf-8").split() if path.exists() else []
