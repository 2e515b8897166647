"""What a person wrote, as a Program: the language itself, or what people paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.parse import MAX_LENGTH, parse
from gradcheck_cli.language.program import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.program import Program


def read_program(text: str, ranks: Mapping[str, int] | None = None) -> Program:
    """The program of a text; where it is not the language's but has one meaning all the same, that
    of the strict text which says so, with what was written in `written`.

    Args:
        ranks: how many dims each name has at the point, where that is known: a product without a
            sign is `@` beside a matrix.
    Raises:
        ProgramError: with every mistake found, each with its place in the text.
    """
    known = ranks or {}
    if "," in text and len(text) <= MAX_LENGTH:
        from gradcheck_cli.language.commas import require_no_comma

        require_no_comma(text, lambda other: _read(other, known).text)
    return _own(_read(text, known))


def _read(text: str, ranks: Mapping[str, int]) -> Program:
    try:
        program = parse(text)
    except ProgramError as error:
        if len(text) > MAX_LENGTH or error.mistakes[0].code in ("empty", "too-deep", "too-long"):
            raise
        from gradcheck_cli.language.lenient import read_pasted

        return read_pasted(text, error, ranks)
    if program.text.isascii():
        return program
    from gradcheck_cli.language.typography import holds_signs

    if not holds_signs(program.text):
        return program
    from gradcheck_cli.language.lenient import read_pasted

    try:
        return read_pasted(text, ProgramError(()), ranks)
    except ProgramError as error:
        if not error.mistakes:
            return program
        raise


def _own(program: Program) -> Program:
    """A program in which nobody calls what other functions are made of.

    Raises:
        ProgramError: somebody does.
    """
    mistakes = []
    for i, node in enumerate(program.nodes):
        if isinstance(node, Call) and lookup(node.function).helper and i in program.spans:
            start, end = program.spans[i]
            if program.text[start:end].startswith(node.function):
                message = (
                    f"`{node.function}` is a part of other functions, and none of the language"
                )
                span = Span(start, start + len(node.function))
                mistakes.append(Mistake("unknown-function", message, program.text, span))
    if mistakes:
        raise ProgramError(mistakes)
    return program
