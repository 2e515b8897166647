"""Pages of `--help`: options in groups, an example, the exit codes; wrapped, and never cut."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

from typer.core import TyperCommand, TyperGroup

from gradcheck_cli.cli.arguments import COMMANDS
from gradcheck_cli.cli.streams import columns
from gradcheck_cli.language.errors import did_you_mean
from gradcheck_cli.settings.table import GROUPS, LAST_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Columns of a page in a pipe, the most and the least of any, and the most of its left column: 23
# hold `--export [FORMAT:]FILE`.
_PIPE, _WIDEST, _NARROWEST, _LEFT = 80, 100, 30, 23
# What exit codes mean; README's table has the same words.
EXITS = {
    "0": "as expected",
    "1": "a gradient is wrong; with --strict also imprecise or at a kink",
    "2": "could not start: usage, an input that cannot be read, a missing file, an absent device; "
    "or the report could not be written",
    "3": "the tool or a worker failed, crashed, or ran out of time or memory",
    "4": "nothing is wrong, but something could not be verified",
    "5": "nothing was selected",
    "130": "interrupted; what was finished is written",
}
# Of a command that shows something.
SHOWN = {"0": "it is shown", "2": "usage, or there is no such thing", "3": "the tool failed"}
# Sections whose rows are options or arguments.
_OPTIONS = ("Arguments", "Options", *GROUPS, LAST_GROUP)
EXAMPLE = 'gradcheck "sigmoid(x**2)+tanh(x**3)" --at x=3'


class Notes(NamedTuple):
    """What a page says below its options.

    Attributes:
        examples: commands that work as they stand.
        exits: what the exit codes of the command mean.
        topics: of the manual, to read on.
    """

    examples: tuple[str, ...]
    exits: Mapping[str, str]
    topics: tuple[str, ...]


# Of every command, by its name.
NOTES: dict[str, Notes] = {}


class PagedCommand(TyperCommand):
    """A command with a page of its own, and an answer to a slip in an option."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands behind the command in the line on its usage."""
        return ["[OPTIONS]", *(str(p.metavar) for p in self.get_params(ctx) if not _is_option(p))]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer; an option that there is not gets the nearest one named."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if hasattr(error, "possibilities"):
                # difflib's, and it has `--at` for `--fromat`.
                error.possibilities = None
                near = did_you_mean(str(getattr(error, "option_name", "")), _words(self, ctx))
                message = str(getattr(error, "message", ""))
                error.message = f"{message}; {near}" if near else message  # type: ignore[attr-defined]
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        formatter.write(_command_page(self, ctx))


class CommandGroup(TyperGroup):
    """All commands, in the order of `COMMANDS`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In order of use."""
        return sorted(super().list_commands(ctx), key=COMMANDS.index)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer, which shows the help where there are no words: the short one."""
        ctx.meta["short"] = not args
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page of all commands."""
        formatter.write(_group_page(self, ctx, short=ctx.meta.get("short", False)))


def _group_page(group: CommandGroup, ctx: Any, *, short: bool) -> str:
    commands = {name: group.commands[name].help or "" for name in group.list_commands(ctx)}
    sections = {"Commands": [(name, " ".join(text.split())) for name, text in commands.items()]}
    if not short:
        sections["Options"] = [_row(param) for param in group.get_params(ctx)]
        sections["Exit codes"] = list(EXITS.items())
    sections["Further help"] = [
        ("gradcheck COMMAND -h", "The options of a command."),
        ("gradcheck explain", "The topics of the manual; it needs no network."),
    ]
    if short:
        sections["Further help"].insert(0, ("gradcheck -h", "Options and exit codes."))
    usage = "gradcheck EXPR --at NAME=VALUE [OPTIONS]\n       gradcheck COMMAND [OPTIONS] [ARGS]..."
    return _page(f"Usage: {usage}", group.help or "", (EXAMPLE,), sections)


def _command_page(command: PagedCommand, ctx: Any) -> str:
    params = command.get_params(ctx)
    sections = {"Arguments": [_row(param) for param in params if not _is_option(param)]}
    options = [param for param in params if _is_option(param)]
    for heading in (*GROUPS, LAST_GROUP):
        sections[heading] = [
            _row(param)
            for param in options
            if (getattr(param, "rich_help_panel", None) or LAST_GROUP) == heading
        ]
    switches = [param for param in options if param.secondary_opts]
    if switches:
        there, opposite = switches[0].opts[0], switches[0].secondary_opts[0]
        sections[LAST_GROUP].append((opposite, f"Undoes {there}; every switch has its opposite."))
    notes = NOTES[str(command.name)]
    sections["Exit codes"] = list(notes.exits.items())
    sections["Further help"] = [
        (f"gradcheck explain {topic}".rstrip(), "") for topic in notes.topics
    ]
    return _page(command.get_usage(ctx), command.help or "", notes.examples, sections)


def _page(
    usage: str,
    text: str,
    examples: Iterable[str],
    sections: Mapping[str, list[tuple[str, str]]],
) -> str:
    """A page as wide as the terminal; examples stay whole, to be copied."""
    width = max(min(columns() or _PIPE, _WIDEST), _NARROWEST)
    # All options are one table.
    options = _left(
        [row for name, rows in sections.items() if name in _OPTIONS for row in rows], width
    )
    lines = [usage, "", *_wrapped(" ".join(text.split()), width, "  ")]
    lines += ["", "Examples:" if len(tuple(examples)) > 1 else "Example:"]
    lines += [f"  {example}" for example in examples]
    for heading, rows in sections.items():
        if rows:
            left = options if heading in _OPTIONS else _left(rows, width)
            lines += ["", f"{heading}:"]
            lines += [line for row in rows for line in _lines(row, left, width)]
    return "".join(f"{line}\n" for line in lines)


def _left(rows: list[tuple[str, str]], width: int) -> int:
    """Columns of the left half; a wider head has a line of its own."""
    most = min(_LEFT, width // 3)
    heads = [len(head) for head, text in rows if text]
    return max((size for size in heads if size <= most), default=most)


def _lines(row: tuple[str, str], left: int, width: int) -> Iterator[str]:
    head, text = row
    rest = _wrapped(text, width, " " * (left + 4))
    if rest and len(head) <= left:
        rest[0] = f"  {head:<{left}}  {rest[0].strip()}"
    else:
        yield f"  {head}"
    yield from rest


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _is_option(param: Any) -> bool:
    return bool(param.param_type_name == "option")


def _words(command: PagedCommand, ctx: Any) -> list[str]:
    """Every option, those of the group too; the opposite of a switch last."""
    group = ctx.parent.command.get_params(ctx.parent) if ctx.parent else []
    options = [param for param in (*command.get_params(ctx), *group) if _is_option(param)]
    return [
        word for kind in ("opts", "secondary_opts") for p in options for word in getattr(p, kind)
    ]


def _row(param: Any) -> tuple[str, str]:
    """An option or argument, and what it is for."""
    text, default = param.help or "", param.default
    if param.show_default and isinstance(default, str) and default:
        text += f"  [default: {default}]"
    if not _is_option(param):
        return param.metavar, text
    words = ", ".join(sorted(param.opts, key=lambda word: word.startswith("--")))
    return (words if param.is_flag or not param.metavar else f"{words} {param.metavar}"), text
