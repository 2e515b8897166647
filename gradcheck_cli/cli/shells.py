"""What a shell gets that asks how a word may go on: Typer's scripts ask, this answers.

Typer would answer as well, but knows of no default command, and takes `--dtype=fl` for one word
where bash asks for three.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.cli.completion import candidates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.cli.completion import Completion

# What a shell takes as it stands, whatever is around it; zsh takes blanks in quotes.
_PLAIN, _PLAIN_IN_ZSH = re.compile(r"[\w@%+=:,./-]*"), re.compile(r"[\w@%+=:,./ -]*")
# Where bash cuts a word in pieces that stand alone (COMP_WORDBREAKS).
_BREAKS = ("=", ":", "@")


class TypedLine(NamedTuple):
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


def _bash_line(environment: Mapping[str, str]) -> TypedLine:
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
    return TypedLine(words[:-1], words[-1], words[-1][: len(words[-1]) - len(piece)], quoted)


def _whole_line(environment: Mapping[str, str]) -> TypedLine:
    """zsh and fish give the line as it is, and replace a whole word."""
    text = environment.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(text)[0][1:]
    if not words or text.endswith(" "):
        words.append("")
    return TypedLine(words[:-1], words[-1])


def _powershell_line(environment: Mapping[str, str]) -> TypedLine:
    words = _split(environment.get("_TYPER_COMPLETE_ARGS", ""))[0][1:]
    word = environment.get("_TYPER_COMPLETE_WORD_TO_COMPLETE", "")
    return TypedLine(words[:-1] if word else words, word)


Page = tuple[str, int]


def _bash_page(rows: list[Completion], line: TypedLine, _: Mapping[str, str]) -> Page:
    """bash takes words as they stand. Where it gets none, as in quotes where they would have to be
    written otherwise, it looks for files itself.
    """
    words = [row.word.removeprefix(line.kept) for row in rows]
    if line.quoted:
        return ("\n".join(words) if all(map(_PLAIN.fullmatch, words)) else ""), 0
    return "\n".join(re.sub(r"([^\w@%+=:,./-])", r"\\\1", word) for word in words), 0


def _zsh_page(rows: list[Completion], _: TypedLine, __: Mapping[str, str]) -> Page:
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


def _fish_page(rows: list[Completion], _: TypedLine, environment: Mapping[str, str]) -> Page:
    """fish asks twice, whether there is anything and what; where nothing is it lists files."""
    if environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return "", 0 if rows else 1
    return "\n".join(f"{row.word}\t{row.help}" if row.help else row.word for row in rows), 0


def _powershell_page(rows: list[Completion], _: TypedLine, __: Mapping[str, str]) -> Page:
    return "\n".join(f"{row.word}:::{row.help or ' '}" for row in rows), 0


_SHELLS: dict[str, tuple[Any, Any]] = {
    "bash": (_bash_line, _bash_page),
    "zsh": (_whole_line, _zsh_page),
    "fish": (_whole_line, _fish_page),
    **dict.fromkeys(("powershell", "pwsh"), (_powershell_line, _powershell_page)),
}
