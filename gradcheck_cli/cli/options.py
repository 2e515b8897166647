"""The options of the commands as Typer takes them, made from the rows of `settings`."""

from __future__ import annotations

from functools import cache
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gradcheck_cli.cli.context import settings_for
from gradcheck_cli.cli.streams import say
from gradcheck_cli.records.outcome import INTERRUPTED
from gradcheck_cli.settings.table import FLAG, group_of, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.settings.table import Setting


class Before(NamedTuple):
    """An annotation of an option that is no setting: the setting that it stands before."""

    name: str


ExpressionArgument = Annotated[
    str,
    typer.Argument(
        metavar="EXPR",
        help="A program or a notebook cell; `-` reads it from stdin, `@FILE` from a file.",
    ),
]
Suites = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SUITE|DIR]...", help="Suite files and folders of them; `-` reads one from stdin."
    ),
]
# Two options that set nothing of their own.
Exitfirst = Annotated[
    bool,
    typer.Option("--exitfirst", "-x", help="As --maxfail 1.", rich_help_panel=group_of("maxfail")),
    Before("maxfail"),
]
ShowSettings = Annotated[
    bool,
    typer.Option(
        "--show-settings", help="Print every setting, its value and where it comes from, and exit."
    ),
]


def with_settings(
    command: str, **instead: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for the function of a command. Typer sees the options of the command's settings
    where the function has a parameter `settings`, and the function gets all of them as that.

    Args:
        instead: what is built in for this command, where it is another than for the others.
    """
    # What is for runs alone stands first in their help.
    rows = sorted(settings_of(command), key=lambda row: not {*row.commands} <= {"run", "sweep"})

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        # What Typer reads at run time the decorator reads, too.
        own = dict(signature(function, eval_str=True).parameters)
        del own["settings"]

        def run(context: typer.Context, **parameters: Any) -> None:
            mine = {"context": context, **parameters}
            given = {name: mine[name] for name in own}
            try:
                function(**given, settings=settings_for(context, instead))
            except KeyboardInterrupt:  # of one that comes later the report says what is missing
                say("interrupted: no report was written")
                raise typer.Exit(INTERRUPTED) from None

        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__signature__ = Signature(_parameters(own, rows, instead))  # type: ignore[attr-defined]
        run.__annotations__ = {}
        return run

    return decorate


def _parameters(
    own: Mapping[str, Parameter], rows: list[Setting], instead: Mapping[str, str]
) -> list[Parameter]:
    """The parameters that Typer sees: those of the function, and an option for each setting."""
    context = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
    options = {
        row.name: _parameter(row, instead.get(row.name, row.default)) for row in rows if row.words
    }
    placed: dict[str, list[Parameter]] = {name: [] for name in options}
    last: list[Parameter] = []
    for parameter in own.values():
        if parameter.name != "context":
            marks = getattr(parameter.annotation, "__metadata__", ())
            before = next((mark.name for mark in marks if isinstance(mark, Before)), "")
            placed.get(before, last).append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
    return [context, *(p for name in options for p in (*placed[name], options[name])), *last]


@cache
def _parameter(row: Setting, default: str | bool | None) -> Parameter:
    """The option of a setting, one for all commands; an empty variable counts as unset, and one for
    a list is split at blanks.
    """
    kind: Any = bool if row.kind is FLAG else list[str] if row.kind.repeats else str
    # `--help` names no variables: all follow one rule, and a column of them hides what the options
    # do.
    option = typer.Option(
        *row.words,
        envvar=row.variable,
        show_envvar=False,
        show_default=row.kind is not FLAG,
        metavar=row.metavar,
        help=row.help,
        rich_help_panel=group_of(row.name),
    )
    return Parameter(
        row.key,
        Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind if default is not None else kind | None, option],
    )
