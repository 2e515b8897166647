"""What a shell gets that asks how a word may go on: Typer's scripts ask, this answers.

Typer would answer as well, but knows of no default command, and takes `--dtype=fl` for one word
where bash asks for three.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from gradcheck_cli.cli.arguments import COMMANDS, in_order
from gradcheck_cli.language.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a shell takes as it stands, whatever is around it; zsh takes blanks in quotes.
_PLAIN, _PLAIN_IN_ZSH = re.compile(r"[\w@%+=:,./-]*"), re.compile(r"[\w@%+=:,./ -]*")
# Where bash cuts a word in pieces that stand alone (COMP_WORDBREAKS).
_BREAKS = ("=", ":", "@")


class Candidate(NamedTuple):
    """A word that may stand where the cursor is, and what it is."""

    word: str
    help: str = ""


class Line(NamedTuple):
    """A command line as far as the cursor.

    Attributes:
        before: the finished words behind the program's name.
        word: the one at the cursor, without its quotes.
        kept: what of it the shell leaves as it is.
        quoted: whether it stands in quotes that are still open.
    """

    before: list[str]
    word: str
    kept: str = ""
    quoted: bool = False


def answer(group: Any, shell: str, environment: Mapping[str, str]) -> tuple[str, int] | None:
    """What to print, and the exit code; None for a shell that is not known here."""
    if shell not in _SHELLS:
        return None
    line_of, page_of = _SHELLS[shell]
    line = line_of(environment)
    said: Page = page_of(candidates(group, line.before, line.word), line, environment)
    return said


def candidates(group: Any, before: list[str], word: str) -> list[Candidate]:
    """How a word may go on.

    Args:
        group: all commands.
        before: the finished words before it.
    """
    starts = [] if before else [*_commands(group, word), *_options(group, word)]
    if before == ["help"]:
        return _commands(group, word)
    try:
        ordered = in_order(before) or ["check"]
    except UserError:  # a slip, of which the command itself tells
        return []
    if ordered[0] not in COMMANDS:
        return []
    return starts + _of_command(group.commands[ordered[0]], ordered[1:], word, "--" not in before)


def _of_command(command: Any, before: list[str], word: str, options: bool) -> list[Candidate]:
    context = typer.Context(command, info_name=command.name)
    awaiting, places = _read(command, context, before)
    if awaiting is not None:
        return _values(awaiting, context, word)
    name, equals, value = word.partition("=")
    if options and word.startswith("--") and equals:
        param = _valued(command, context).get(name)
        given = _values(param, context, value) if param else []
        return [Candidate(f"{name}={word}", said) for word, said in given]
    if options and word.startswith("-"):
        return _options(command, word)
    params = [p for p in command.get_params(context) if p.param_type_name == "argument"]
    if places < len(params):
        return _values(params[places], context, word)
    if params and params[-1].nargs == -1:
        return _values(params[-1], context, word)
    return [] if word else _options(command, "--")


def _read(command: Any, context: Any, words: list[str]) -> tuple[Any, int]:
    """The option that the next word is the value of, if there is one, and how many words are
    arguments.
    """
    valued, places = _valued(command, context), 0
    rest = iter(words)
    for word in rest:
        short = f"-{word[-1]}" if re.fullmatch("-[A-Za-z]+", word) else word
        if word == "--":
            return None, places + len(list(rest))
        if short in valued:
            if next(rest, None) is None:
                return valued[short], places
        elif not word.startswith("-") or word == "-":
            places += 1
    return None, places


def _valued(command: Any, context: Any) -> dict[str, Any]:
    """The options that take a value, by their words."""
    params = command.get_params(context)
    return {
        word: param
        for param in params
        if param.param_type_name == "option" and not param.is_flag
        for word in param.opts
    }


def _values(param: Any, context: Any, word: str) -> list[Candidate]:
    items = param.shell_complete(context, word)
    return [Candidate(str(item.value), item.help or "") for item in items]


def _commands(group: Any, word: str) -> list[Candidate]:
    names = [name for name in COMMANDS if name.startswith(word)]
    return [Candidate(name, _sentence(group.commands[name].help)) for name in names]


def _options(command: Any, word: str) -> list[Candidate]:
    """The long options; the opposites of switches where `--no` is asked for, and short ones where
    there is no more than a dash.
    """
    if not word.startswith("-"):
        return []
    context = typer.Context(command, info_name=command.name)
    options = [p for p in command.get_params(context) if p.param_type_name == "option"]
    rows = [
        Candidate(name, _sentence(param.help))
        for param in options
        for name in (*param.opts, *(param.secondary_opts if word.startswith("--no") else ()))
        if name.startswith(word) and (name.startswith("--") or not word.startswith("--"))
    ]
    return list({row.word: row for row in rows}.values())


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _split(text: str) -> tuple[list[str], bool]:
    """The words of a line in a POSIX shell; whether the last one is in quotes that are open."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words += iter(lexer)
    except ValueError as error:
        return [*words, lexer.token], "quot" in str(error)
    return words, False


def _bash_line(environment: Mapping[str, str]) -> Line:
    """bash gives pieces: `--dtype`, `=`, `fl`; it replaces the last one."""
    pieces, quoted = _split(environment.get("COMP_WORDS", ""))
    last = int(environment.get("COMP_CWORD") or 0)
    pieces = [*pieces[1 : last + 1], *([""] if len(pieces) <= last else [])] or [""]
    words: list[str] = []
    for place, piece in enumerate(pieces):
        # `=` and `:` stand between two pieces, `@` before one.
        joined = piece in ("=", ":") or (place > 0 and pieces[place - 1] in _BREAKS)
        if words and joined:
            words[-1] += piece
        else:
            words.append(piece)
    # Behind such a sign the piece that bash replaces is empty.
    piece = "" if pieces[-1] in _BREAKS else pieces[-1]
    return Line(words[:-1], words[-1], words[-1][: len(words[-1]) - len(piece)], quoted)


def _whole_line(environment: Mapping[str, str]) -> Line:
    """zsh and fish give the line as it is, and replace a whole word."""
    text = environment.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(text)[0][1:]
    if not words or text.endswith(" "):
        words.append("")
    return Line(words[:-1], words[-1])


def _powershell_line(environment: Mapping[str, str]) -> Line:
    words = _split(environment.get("_TYPER_COMPLETE_ARGS", ""))[0][1:]
    word = environment.get("_TYPER_COMPLETE_WORD_TO_COMPLETE", "")
    return Line(words[:-1] if word else words, word)


Page = tuple[str, int]


def _bash_page(rows: list[Candidate], line: Line, _: Mapping[str, str]) -> Page:
    """bash takes words as they stand. Where it gets none, as in quotes where they would have to be
    written otherwise, it looks for files itself.
    """
    words = [row.word.removeprefix(line.kept) for row in rows]
    if line.quoted:
        return ("\n".join(words) if all(map(_PLAIN.fullmatch, words)) else ""), 0
    return "\n".join(re.sub(r"([^\w@%+=:,./-])", r"\\\1", word) for word in words), 0


def _zsh_page(rows: list[Candidate], _: Line, __: Mapping[str, str]) -> Page:
    if not rows or not all(_PLAIN_IN_ZSH.fullmatch(row.word) for row in rows):
        return "_files", 0
    items = [
        f'"{_quoted(row.word)}"' + (f':"{_quoted(row.help)}"' if row.help else "") for row in rows
    ]
    return "_arguments '*: :(({}))'".format("\n".join(items)), 0


def _quoted(text: str) -> str:
    """For zsh, inside both kinds of quotes; what it would act upon there is written otherwise."""
    text = re.sub('["`$\\\\]', "", text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"))
    return text.replace(":", r"\\:")


def _fish_page(rows: list[Candidate], _: Line, environment: Mapping[str, str]) -> Page:
    """fish asks twice, whether there is anything and what; where nothing is it lists files."""
    if environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return "", 0 if rows else 1
    return "\n".join(f"{row.word}\t{row.help}" if row.help else row.word for row in rows), 0


def _powershell_page(rows: list[Candidate], _: Line, __: Mapping[str, str]) -> Page:
    return "\n".join(f"{row.word}:::{row.help or ' '}" for row in rows), 0


_SHELLS: dict[str, tuple[Any, Any]] = {
    "bash": (_bash_line, _bash_page),
    "zsh": (_whole_line, _zsh_page),
    "fish": (_whole_line, _fish_page),
    **dict.fromkeys(("powershell", "pwsh"), (_powershell_line, _powershell_page)),
}
