"""`gradcheck lift`: a suite out of a notebook or a script."""

from __future__ import annotations

import shlex
from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gradcheck_cli.cli.entry import command
from gradcheck_cli.cli.streams import out, say
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.language.files import error_text

if TYPE_CHECKING:
    from gradcheck_cli.lifting import Lifted

# Nothing was there to be lifted.
_NOTHING = 5


@command(
    "lift",
    "gradcheck lift lesson.ipynb -o lesson.gradcheck.yaml",
    exits={
        "0": "a suite is written",
        "2": "the file cannot be read, or the suite not written",
        "3": "the tool failed",
        "5": "nothing in the file is differentiated",
    },
    topics=("lifting", "suites", "claims"),
)
def lift_command(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.ipynb|FILE.py", help="What is read.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="SUITE", help="The suite to write; stdout if it is missing."
        ),
    ] = None,
) -> None:
    """Write a suite from a notebook or a script, which is read and never run."""
    from gradcheck_cli.lifting import lift

    if output is not None and output.exists():
        raise mistake(
            "unwritable",
            f"`{output}` is there already, and `lift` writes over nothing",
            help="name another file with `-o`",
        )
    lifted = lift(file)
    for each in lifted.unread:
        say(f"{file}: {each}")
    if not lifted.checks:
        say(f"{file}: nothing is lifted: no `backward()` of an input is read")
        raise typer.Exit(_NOTHING)
    if output is None:
        out(lifted.suite)
        return
    _write(output, lifted)


def _write(path: Path, lifted: Lifted) -> None:
    from gradcheck_cli.reports.format import count_of

    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(lifted.suite)
    except OSError as error:
        message = f"`{path}` cannot be written: {error_text(error)}"
        raise mistake("unwritable", message) from error
    left = f", {len(lifted.unread):,} not lifted" if lifted.unread else ""
    counts = f"{count_of(lifted.checks, 'check')}, {count_of(lifted.claims, 'claim')}{left}"
    out(f"wrote {path}: {counts}\nnext: {shlex.join(['gradcheck', 'run', str(path)])}\n")
