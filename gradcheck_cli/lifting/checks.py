"""What a script differentiates, as checks: each with its point, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.cells.derived import cell_program
from gradcheck_cli.language.errors import UserError, mistake
from gradcheck_cli.questions.cells import given_value, refusal_of
from gradcheck_cli.questions.numbers import Grid
from gradcheck_cli.questions.points import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.cells.bindings import Fresh
    from gradcheck_cli.language.cells.derived import CellProgram
    from gradcheck_cli.language.cells.scope import Derivative
    from gradcheck_cli.language.terms import Term
    from gradcheck_cli.lifting.reading import Reading
    from gradcheck_cli.lifting.script import ScriptLine
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.questions.points import Given


@dataclass
class Check:
    """One derivative of a script.

    Attributes:
        line: of the source, from 1.
        places: where the same is asked for.
        words: how it is asked for.
        derivative: as it was read, its named numbers among its leaves.
        dtype: empty where the script has no floating numbers.
        written: how each input is written as a point, where that is short.
        claims: lines of a backward program.
        expected: for inputs nested lists of two ends each.
        notes: what is to be known of it.
    """

    line: int
    places: list[ScriptLine]
    words: str
    derivative: Derivative
    program: CellProgram
    at: Mapping[str, Given]
    cotangent: Nested | None
    dtype: str
    written: Mapping[str, str] = field(default_factory=dict)
    claims: list[str] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def checks_of(reading: Reading) -> tuple[list[Check], dict[str, Term]]:
    """The checks in order, and what each input was made by; what is none is told."""
    makers = {name: known.made.maker for name, known in reading.inputs.items()}
    settled: dict[str, Fresh] = {}
    for name, known in reading.inputs.items():
        settled[name] = reading.made_of(known.made)
    for name, made in settled.items():
        reading.inputs[name].made = made
    found: dict[object, Check] = {}
    for derivative in reading.derivatives:
        line = getattr(derivative.place, "lineno", 1)
        try:
            check = _check(reading, derivative, line)
        except UserError as error:
            reading.tell(line, f"`{_words(reading, derivative)}`: {error.mistakes[0].message}")
            continue
        key = _key(check)
        if key in found:
            found[key].places += [each for each in check.places if each not in found[key].places]
        else:
            found[key] = check
    return list(found.values()), makers


def _check(reading: Reading, derivative: Derivative, line: int) -> Check:
    """A derivative as a check.

    Raises:
        UserError: it is none.
    """
    given = derivative.cotangent
    whole = replace(
        derivative,
        statements=tuple(map(reading.settled, derivative.statements)),
        result=reading.settled(derivative.result),
        cotangent=None if given is None else reading.made_of(given),
    )
    program = cell_program(reading, whole)
    at = {name: given_value(value) for name, value in program.point.items()}
    _require_all(program)
    weights = None if program.cotangent is None else given_value(program.cotangent)
    assert not isinstance(weights, Grid | Sample)
    dtype = next((name for name in DTYPES if name in program.dtypes), "")
    short = {
        name: value.text
        for name, value in program.point.items()
        if not value.shape and value.text.partition("(")[0] in ("ones", "zeros", "eye", "full")
    }
    words = _words(reading, derivative)
    place = reading.script.place(line)
    check = Check(line, [place], words, derivative, program, at, weights, dtype, short)
    if len(program.dtypes) > 1:
        names = " and ".join(name for name in DTYPES if name in program.dtypes)
        check.notes.append(f"its inputs are {names}, of which the first counts")
    if refusal := refusal_of(program, at):
        check.notes.append(refusal)
    if any(isinstance(value, Sample) for value in at.values()):
        check.notes.append("drawn numbers are those of the seed here, not torch's")
    return check


def _require_all(program: CellProgram) -> None:
    """Nothing, if all inputs have values.

    Raises:
        UserError: one has none.
    """
    for name in program.program.variables:
        if name not in program.point:
            raise mistake("unknown-input", f"`{name}` has no value that is read")


def _words(reading: Reading, derivative: Derivative) -> str:
    assert derivative.place is not None
    return " ".join(reading.source.words(derivative.place).split())


def _key(check: Check) -> object:
    program = check.program
    point = tuple((name, value.text, value.shape) for name, value in program.point.items())
    weights = None if program.cotangent is None else program.cotangent.text
    return program.program.nodes, program.program.outputs, program.wrt, weights, point
