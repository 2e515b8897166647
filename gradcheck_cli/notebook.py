"""The magics `%gradcheck` and `%%gradcheck`: `%load_ext gradcheck_cli.notebook` in IPython."""

from __future__ import annotations

import re
import shlex
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer
from IPython.core.magic import no_var_expand

from gradcheck_cli.checks.watch import prepare
from gradcheck_cli.cli import app
from gradcheck_cli.cli.arguments import in_order
from gradcheck_cli.cli.check import CASE_LIMIT
from gradcheck_cli.cli.context import settings_for
from gradcheck_cli.cli.exports import require_places, write
from gradcheck_cli.cli.streams import render_report
from gradcheck_cli.language.errors import UserError, mistake
from gradcheck_cli.settings.file import Preset
from gradcheck_cli.settings.table import settings_of

if TYPE_CHECKING:
    from gradcheck_cli.checks.report import LiveReport

# Where the options of a line begin.
_OPTIONS = re.compile(r"(?:^|(?<=\s))(?:--[a-z][a-z-]+\b|-[hqvf]+\b|--(?=\s|$))")
# What no result depends on, and a notebook has all the same.
_SHARED = ("export", "quiet", "verbose")
# What Typer raises for options that it cannot read; it has no name of its own for that.
_UsageError: Any = typer.BadParameter.__base__


class MagicError(Exception):
    """A mistake of the user's: IPython shows its message, and no traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows."""
        return str(self).splitlines()


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; IPython calls it."""
    # A program may hold braces and dollars, which IPython would take for Python to be evaluated.
    shell.register_magic_function(no_var_expand(gradcheck), "line_cell", "gradcheck")


def gradcheck(line: str, cell: str | None = None) -> LiveReport | None:
    """The report of a program, with the options of `gradcheck check`:

        %gradcheck sigmoid(x**2) + tanh(x**3) --at x=3
        report = %gradcheck x**2 --at x=0:1:5 --dtype float64,float32

        %%gradcheck --at x=[1,2] --jacobian
        y = x - mean(x)
        y / norm(y)

    `%gradcheck --help` lists them. Neither a configuration file nor a variable of the environment
    has a say.

    Raises:
        MagicError: what is asked cannot be read, or be checked.
    """
    try:
        return _report(line, cell)
    except UserError as error:
        raise MagicError(str(error)) from None


def _report(line: str, cell: str | None) -> LiveReport | None:
    words = _words(line)
    context = _context(words)
    if context is None:
        return None
    text, settings = context.params["expression"], settings_for(context, {})
    if cell is not None and text:
        way_out = "write nothing but options on the line of `%%gradcheck`"
        raise mistake("bad-option", "the program is what stands in the cell", help=way_out)
    require_places(settings.export)
    job = prepare(text if cell is None else cell, settings)
    ended = job.watched(lambda result, done: True, CASE_LIMIT, threading.Event())
    if ended.error is not None:
        raise ended.error
    report = job.report(ended, ["gradcheck", *words], strict=settings.strict)
    for form, path in settings.export:
        if reason := write(path, render_report(report, form)):
            raise mistake("unwritable", f"the report cannot be written to `{path}`: {reason}")
    return replace(report, verbose=settings.verbose, quiet=settings.quiet)


def _words(line: str) -> list[str]:
    """The words of a line, in order, as a shell would hand them over; a program before the options
    needs no quotes, and blanks in brackets end no word.
    """
    options = _OPTIONS.search(line)
    place = options.start() if options else len(line)
    program = line[:place].strip()
    try:
        words = _split(line[place:])
        if program[:1] in ("'", '"') and len(quoted := shlex.split(program)) == 1:
            program = quoted[0]
    except ValueError as error:
        raise mistake("bad-option", f"the line cannot be read: {error}") from error
    if program.startswith("--"):  # two signs, not the name of an option
        return in_order(["check", *words, "--", program])
    return in_order(["check", *([program] if program else []), *words])


def _split(text: str) -> list[str]:
    depth, signs = 0, []
    for sign in text:
        depth = max(0, depth + (sign in "([{") - (sign in ")]}"))
        signs.append("\0" if depth and sign.isspace() else sign)
    return [word.replace("\0", " ") for word in shlex.split("".join(signs))]


def _context(words: list[str]) -> Any:
    """What Typer reads; None where the help was asked for, and printed.

    Raises:
        UserError: an option that there is none of, or that a notebook has no use for.
    """
    group: Any = typer.main.get_command(app)
    try:
        context = group.commands["check"].make_context("%gradcheck", words[1:], obj=Preset())
    except typer.Exit:
        return None
    except _UsageError as error:
        raise mistake("bad-option", error.format_message()) from error
    unfit = {row.key for row in settings_of("check") if not row.matters and row.name not in _SHARED}
    for name in unfit | {"show_settings"}:
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            way_out = "a report shows itself, and `--export FILE` writes it in any format"
            raise mistake("bad-option", f"a notebook has no use for `{option}`", help=way_out)
    return context
