"""Names of a program: which there are, and the program in which one of them is held."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.language.claiming import read_claim
from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.parse import parse_names
from gradcheck_cli.language.source import Source, tidy
from gradcheck_cli.language.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.language.errors import Mistake
    from gradcheck_cli.language.program import Program


def names_of(text: str) -> tuple[tuple[str, ...], str]:
    """All inputs and assigned names of a program, and the name of its value, empty where it has
    none.
    """
    program, names = parse_names(text)
    outputs = zip(names, program.outputs[1:], strict=True)
    result = next((name for name, i in outputs if i == program.result), "")
    return tuple(dict.fromkeys((*program.variables, *names))), result


def held(text: str, name: str) -> tuple[str, str]:
    """A program's text in which a name is an input from its last assignment on, and what that input
    is called; of a name that is not assigned the text itself.
    """
    source = Source(tidy(text))
    for statement in reversed(tree(source).body):
        if isinstance(statement, ast.Assign) and source.words(statement.targets[0]) == name:
            start, end = source.span(statement.value)
            fresh = f"{name}_held"
            while fresh in source.text:
                fresh += "_"
            return f"{source.text[:start]}{fresh}{source.text[end:]}", fresh
    return source.text, name


def illegible(program: Program, claims: Sequence[str]) -> Iterator[Mistake]:
    """What is wrong with claims about a program, whatever its shapes."""
    for text in claims:
        try:
            read_claim(text, *names_of(program.text))
        except ProgramError as error:
            yield from error.mistakes
