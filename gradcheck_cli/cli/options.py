"""The options of `check` and `run` as Typer takes them, made from the rows of `settings`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gradcheck_cli.settings.table import FLAG, SETTINGS


def _option(name: str) -> Any:
    """The option of a setting; an empty variable counts as unset, and one for a list is split at
    blanks.
    """
    row = SETTINGS[name]
    # `--help` names no variables: all follow one rule, and a column of them hides what the options
    # do.
    return typer.Option(
        *row.words,
        envvar=row.variable,
        show_envvar=False,
        show_default=row.kind is not FLAG,
        metavar=row.metavar,
        help=row.help,
    )


ExpressionArgument = Annotated[
    str,
    typer.Argument(metavar="EXPR", help="A program; `-` reads it from stdin, `@FILE` from a file."),
]
Suites = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SUITE|DIR]...", help="Suite files and folders of them; `-` reads one from stdin."
    ),
]

At = Annotated[list[str] | None, _option("at")]
Wrt = Annotated[str, _option("wrt")]
Dtype = Annotated[str, _option("dtype")]
Device = Annotated[str, _option("device")]
Cotangent = Annotated[str | None, _option("cotangent")]
Rtol = Annotated[str | None, _option("rtol")]
Atol = Annotated[str | None, _option("atol")]
Step = Annotated[str | None, _option("step")]
Strict = Annotated[bool, _option("strict")]
Format = Annotated[str, _option("format")]
Export = Annotated[list[str] | None, _option("export")]
Quiet = Annotated[bool, _option("quiet")]
Verbose = Annotated[bool, _option("verbose")]
Color = Annotated[str, _option("color")]

Jobs = Annotated[str, _option("jobs")]
Keyword = Annotated[str | None, _option("keyword")]
Tag = Annotated[list[str] | None, _option("tag")]
Maxfail = Annotated[str, _option("maxfail")]
LastFailed = Annotated[bool, _option("last-failed")]
Shard = Annotated[str | None, _option("shard")]
Resume = Annotated[bool, _option("resume")]
Timeout = Annotated[str, _option("timeout")]
MaxMemory = Annotated[str | None, _option("max-memory")]
Seed = Annotated[str, _option("seed")]
ExitZero = Annotated[bool, _option("exit-zero")]
Cluster = Annotated[str | None, _option("cluster")]

# Two options that set nothing of their own.
Exitfirst = Annotated[bool, typer.Option("--exitfirst", "-x", help="As --maxfail 1.")]
ShowSettings = Annotated[
    bool,
    typer.Option(
        "--show-settings", help="Print every setting, its value and where it comes from, and exit."
    ),
]
