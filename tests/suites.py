"""Suites for tests: cases made by hand, and `gradcheck run` as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from clocks import HUNG
from tool import DECIDES, OWN

from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_value
from gradcheck_cli.questions.points import Axis, Block, Listed, Points
from gradcheck_cli.suites.spec import Place, SuiteCase

FAULTS = Path(__file__).parent / "faults"


def made(name, text, *values, **options):
    """A case of one input `x` that takes each of the values."""
    points = Points(
        (
            Block(
                (
                    Axis(
                        ("x",),
                        (Listed(tuple(read_value(str(value)) for value in values or (0.5,))),),
                    ),
                )
            ),
        )
    )
    settings = {name: options.pop(name) for name in ("strict", "timeout") if name in options}
    return SuiteCase(
        id=f"made::{name}",
        place=Place("made", 3, 5),
        program=parse(text),
        points=points,
        settings=settings,
        **options,
    )


def environment(*, faults=False, **variables):
    """A plain environment, with workers that come to harm where that is wanted. A run has one worker
    where it does not say how many: each takes two seconds to start.
    """
    found = {
        name: value
        for name, value in os.environ.items()
        if name not in DECIDES and not name.startswith(OWN)
    }
    if faults:
        paths = filter(None, (str(FAULTS), found.get("PYTHONPATH")))
        found["PYTHONPATH"] = os.pathsep.join(paths)
    return found | {"GRADCHECK_JOBS": "1"} | variables


def started(folder, *words, faults=False, stdout=subprocess.PIPE, **variables):
    """`gradcheck` on its way."""
    command = [sys.executable, "-m", "gradcheck_cli", *words]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(faults=faults, **variables),
    )


def ran(folder, *words, faults=False, **variables):
    """`gradcheck` when it has ended: exit code, stdout, stderr."""
    process = started(folder, *words, faults=faults, **variables)
    out, err = process.communicate(timeout=HUNG)
    return process.returncode, out, err


def written(folder, *cases, name="suite.gradcheck.yaml", head=""):
    """A suite file with these lines as cases."""
    path = Path(folder) / name
    path.write_text(
        "\n".join(
            ["version: 1", *([head] if head else []), "cases:", *(f"  - {case}" for case in cases)]
        )
        + "\n",
        encoding="utf-8",
    )
    return path
