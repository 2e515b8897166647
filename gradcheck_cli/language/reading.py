"""What a person wrote, as a Program: the language itself, or what people paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.parse import MAX_LENGTH, parse

if TYPE_CHECKING:
    from gradcheck_cli.language.program import Program


def read_program(text: str) -> Program:
    """The program of a text; where it is not the language's but has one meaning all the same, that
    of the strict text which says so, with what was written in `written`.

    Raises:
        ProgramError: with every mistake found, each with its place in the text.
    """
    try:
        program = parse(text)
    except ProgramError as error:
        if len(text) > MAX_LENGTH or error.mistakes[0].code in ("empty", "too-deep", "too-long"):
            raise
        from gradcheck_cli.language.lenient import read_pasted

        return read_pasted(text, error)
    if program.text.isascii():
        return program
    from gradcheck_cli.language.typography import holds_signs

    if not holds_signs(program.text):
        return program
    from gradcheck_cli.language.lenient import read_pasted

    try:
        return read_pasted(text, ProgramError(()))
    except ProgramError as error:
        if not error.mistakes:
            return program
        raise
