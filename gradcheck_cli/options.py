"""The options of `check`, declared beside their types and help, and what `--color` comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gradcheck_cli.language.errors import mistake
from gradcheck_cli.reports import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

Expression = Annotated[str, typer.Argument(metavar="EXPR", help="A program; `-` reads it from stdin, `@FILE` from a file.")]
At = Annotated[list[str] | None, typer.Option("--at", metavar="NAME=VALUE", help="The point: a number, pi/4, [[1, 2], [3, 4]], or a grid 0:1:5. Repeatable.")]
Wrt = Annotated[str, typer.Option("--wrt", metavar="NAMES", help="Inputs to differentiate (all).")]
Dtype = Annotated[str, typer.Option("--dtype", help="float64, float32, bfloat16, float16; a comma list checks each.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, or all (those present).")]
Cotangent = Annotated[str | None, typer.Option("--cotangent", metavar="VALUE", help="Upstream gradient, shaped like the result (ones).")]
Rtol = Annotated[str | None, typer.Option("--rtol", help="Your own relative tolerance instead of the computed one.")]
Atol = Annotated[str | None, typer.Option("--atol", help="Your own absolute tolerance instead of the computed one.")]
Step = Annotated[str | None, typer.Option("--step", metavar="H", help="Plain central difference with this step as the numeric opinion.")]
Strict = Annotated[bool, typer.Option("--strict", help="imprecise and kink exit 1 too.")]
Format = Annotated[str, typer.Option("--format", "-f", help=", ".join(FORMATS))]
Export = Annotated[list[str] | None, typer.Option("--export", metavar="[FORMAT:]FILE", help="Also write a report to a file. Repeatable.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only what does not agree, and the summary.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Whole formulas and points.")]
Color = Annotated[str, typer.Option("--color", help="auto, always or never.")]


def wants_colour(choice: str, environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether a stream gets colour: --color, then NO_COLOR, FORCE_COLOR, TERM=dumb, then whether it is a terminal."""
    if choice not in ("auto", "always", "never"):
        raise mistake("unknown-color", f"no colour choice named `{choice}`", help="known: auto, always, never")
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0") or environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return environment.get("TERM") != "dumb" and terminal
