"""A trial: the lines of a claim, each held against the derivative that it claims."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.claims.board import board_of
from gradcheck_cli.claims.explain import explain
from gradcheck_cli.claims.pair import Rivals
from gradcheck_cli.claims.proof import proof_of
from gradcheck_cli.claims.sizes import without_sizes
from gradcheck_cli.claims.verdict import ClaimVerdict, Explanation
from gradcheck_cli.language.claiming import COTANGENTS, read_claim
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.holding import names_of
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.worlds.balls import exact_ball
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.language.claiming import Statement
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.worlds.scalars import Indices


def verdicts_of(point: Point, text: str) -> tuple[ClaimVerdict, ...]:
    """What becomes of each derivative that a claim states, in the order of its lines.

    Raises:
        ProgramError: the claim cannot be read, or its shapes do not fit.
    """
    names, result = names_of(point.specification.text)
    lines = read_claim(text, names, result)
    try:
        return _Trial(board_of(point), dict(point.scalars), lines).verdicts()
    except TooLarge as error:
        why = Explanation("too-large", str(error))
        claims = (line for line in lines if line.by)
        return tuple(ClaimVerdict(line, "not_refuted", "point", explanation=why) for line in claims)


@dataclass(eq=False)
class _Trial:
    """Attributes:
    written: the scalars of all names, those of the claim as it sets them.
    mended: the same, with the true derivatives in the place of those that are wrong.
    wrong: targets that are wrong.
    """

    board: Board
    given: dict[str, float]
    lines: tuple[Statement, ...]
    written: dict[str, Indices] = field(default_factory=dict)
    mended: dict[str, Indices] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def verdicts(self) -> tuple[ClaimVerdict, ...]:
        """One for each derivative claimed."""
        self.written = dict(self.board.values)
        self._open_cotangent()
        self.mended = dict(self.written)
        found: list[ClaimVerdict] = []
        lasts = {line.left: k for k, line in enumerate(self.lines)}
        for k, line in enumerate(self.lines):
            claimed = self._set(line, self.written)
            alone = self._set(line, self.mended)
            if line.by and lasts[line.left] == k:
                verdict = self._verdict(line, claimed, alone)
                found.append(verdict)
                if verdict.status == "refuted" and line.target:
                    self.wrong.append(line.target)
                    self.mended[line.target] = self.board.derivative(line.of, line.by)
        return tuple(_with_first(_with_deferred(found, self.board)))

    def _open_cotangent(self) -> None:
        """Take a name of the claim that nothing sets for the cotangent of the value."""
        targets = {line.target for line in self.lines}
        names = (*COTANGENTS, *(f"d{self.board.result}",) * bool(self.board.result))
        for name in names:
            used = any(re.search(rf"\b{name}\b", line.right) for line in self.lines)
            if used and name not in targets and name not in self.written:
                nodes = self.board.open_cotangent(name)
                self.written[name] = nodes
                elements = elements_of(name, np.shape(nodes))
                numbers = seeded_numbers("cotangent", len(elements))
                self.given |= dict(zip(elements, numbers, strict=True))
                return

    def _set(self, line: Statement, known: dict[str, Indices]) -> Indices:
        """The scalars of a line's right side, which its target stands for from here on."""
        shapes = {name: np.shape(nodes) for name, nodes in known.items()}
        try:
            program = read_program(without_sizes(line.right, shapes))
        except ProgramError as error:
            raise _placed(error, line) from error
        strange = [name for name in program.variables if name not in known]
        if strange:
            message = f"`{strange[0]}` is neither of the program nor of the claim"
            names = ", ".join(f"`{name}`" for name in known)
            raise ProgramError(
                [Mistake("unknown-name", message, line.text, line.place, f"known here: {names}")]
            )
        try:
            nodes = self.board.include(program, known)
        except (ValueError, IndexError, TypeError) as error:
            raise ProgramError(
                [Mistake("shape-mismatch", str(error), line.text, line.place)]
            ) from error
        if line.target:
            known[line.target] = nodes
        return nodes

    def _verdict(self, line: Statement, claimed: Indices, alone: Indices) -> ClaimVerdict:
        verdict = self._compared(line, claimed)
        if verdict.status != "refuted" or not self.wrong or np.array_equal(claimed, alone):
            return verdict
        mended = self._compared(line, alone)
        if mended.status == "refuted":
            return verdict.but(explanation=mended.explanation or verdict.explanation)
        used = tuple(name for name in self.wrong if _rests_on(self.lines, line, name))
        return verdict.but(but_for=used or tuple(self.wrong), explanation=None)

    def _compared(self, line: Statement, claimed: Indices) -> ClaimVerdict:
        """One line held against the derivative that it claims."""
        true = self.board.derivative(line.of, line.by)
        fitted = _fitted(claimed, np.shape(true))
        if fitted is None:
            whole = self.board.jacobian(line.of, line.by)
            if whole is not None and np.shape(claimed) == np.shape(whole):
                true, fitted = whole, claimed
        if fitted is None:
            return self._misshapen(line, claimed, true)
        pair = Rivals(self.board, fitted, true, self.given)
        if pair.is_same:
            return ClaimVerdict(line, "proved", "same")
        _, against = pair.against(self.given)
        tried = pair.tried()
        kept = None
        if against is not None or tried.against is not None:
            kept = _rounded(line, pair)
        if kept is None and against is None and tried.against is not None:
            kept = self._held(line, pair)
        if kept is not None:
            return kept
        against = _simpler(against, tried.against, self.given)
        if against is not None:
            why = explain(self.board, line, pair)
            return ClaimVerdict(
                line, "refuted", "point", tried.tried + 1, counterexample=against, explanation=why
            )
        return proof_of(line, pair, tried.tried + 1)

    def _held(self, line: Statement, pair: Rivals) -> ClaimVerdict | None:
        """The claim with inputs held at the numbers given, where it is right for those alone."""
        inputs = [name for name in self.board.inputs if name != line.by]
        for names in (*([name] for name in inputs), inputs):
            fixed = {e for n in names for e in elements_of(n, np.shape(self.board.values[n]))}
            tried = pair.tried(fixed)
            if tried.tried and tried.against is None:
                return proof_of(line, pair, tried.tried + 1, fixed).but(held=tuple(names))
        return None

    def _misshapen(self, line: Statement, claimed: Indices, true: Indices) -> ClaimVerdict:
        """A claim whose shape is not that of what it is by."""
        shapes = f"it is {_size(claimed)}, and `{line.by}` is {_size(true)}"
        mended = _summed(self, claimed, true)
        words = f"{shapes}{mended}"
        return ClaimVerdict(line, "refuted", "point", explanation=Explanation("shape", words))


def _rounded(line: Statement, pair: Rivals) -> ClaimVerdict | None:
    """A claim that is a decimal alone: it is right if the derivative at the point rounds to it."""
    match = re.fullmatch(r"[-+]?\s*(\d*)\.(\d+)(?:[eE]([-+]?\d+))?", line.right)
    if match is None or not any(int(digit) for digit in match[1] + match[2]):
        return None
    half = Fraction(1, 2) * Fraction(10) ** (int(match[3] or 0) - len(match[2]))
    claimed, true = pair.sides(pair.given)
    near = all(abs(c - t) <= exact_ball(half) for c, t in zip(claimed, true, strict=True))
    return ClaimVerdict(line, "proved", "digits", 1) if near else None


def _placed(error: ProgramError, line: Statement) -> ProgramError:
    """A mistake of a right side with its place in the claim."""
    found = []
    for mistake in error.mistakes:
        span = line.place
        if mistake.span is not None and line.text[slice(*line.place)] == mistake.text:
            span = Span(line.place.start + mistake.span.start, line.place.start + mistake.span.end)
        found.append(Mistake(mistake.code, mistake.message, line.text, span, mistake.help))
    return ProgramError(found)


def _fitted(claimed: Indices, shape: tuple[int, ...]) -> Indices | None:
    """What is claimed in the shape of the derivative: a number counts for all elements, and sizes
    of 1 do not count; None where it does not fit.
    """
    array = np.asarray(claimed)
    if array.shape == shape:
        return claimed
    if [n for n in array.shape if n != 1] == [n for n in shape if n != 1]:
        found = np.reshape(array, shape)
    else:
        try:
            found = np.broadcast_to(array, shape)
        except ValueError:
            return None
    return found if shape else int(found)


def _summed(trial: _Trial, claimed: Indices, true: Indices) -> str:
    """That sums of what is claimed, or its transpose, are the derivative; empty where not."""
    array, shape, builder = np.asarray(claimed), np.shape(true), trial.board.builder
    if array.ndim == 2 and array.T.shape == shape and _holds(trial, array.T, true):
        return "; its transpose is right"
    for dim in range(array.ndim):
        total = np.apply_along_axis(lambda row: _total(builder, row), dim, array)
        fitted = _fitted(total, shape)
        if fitted is None:
            continue
        if _holds(trial, fitted, true):
            return f"; the sum over the batch (dim {dim}, {array.shape[dim]} terms) is missing"
    if not shape and _holds(trial, _total(builder, array.reshape(-1)), true):
        return "; the sum of its elements is right"
    return ""


def _total(builder: Any, nodes: Iterable[int]) -> int:
    first, *rest = [int(node) for node in nodes]
    for node in rest:
        first = builder.call("add", first, node)
    return int(first)


def _holds(trial: _Trial, claimed: Indices, true: Indices) -> bool:
    pair = Rivals(trial.board, claimed, true, trial.given)
    samples = [pair.against(at) for at in pair.samples()]
    return any(valid for valid, _ in samples) and all(found is None for _, found in samples)


def _size(indices: Indices) -> str:
    return "x".join(map(str, np.shape(indices))) or "a number"


def _simpler(given: Any, beside: Any, at: Mapping[str, float]) -> Any:
    """The counterexample to show: of a few numbers the simple ones, else those that were given."""
    if given is None or (beside is not None and len(at) <= 3):
        return beside if beside is not None else given
    return given


def _rests_on(lines: Iterable[Statement], line: Statement, name: str) -> bool:
    """Whether a line's right side names something, or something that is set by it."""
    needed = {line.left}
    for other in reversed(list(lines)):
        if other.left in needed or other.target in needed:
            needed |= set(re.findall(r"[^\W\d]\w*", other.right))
    return name in needed


def _with_first(verdicts: list[ClaimVerdict]) -> list[ClaimVerdict]:
    """With the first line marked that is wrong by itself, where lines follow."""
    wrong = [v for v in verdicts if v.status == "refuted" and not v.but_for and not v.deferred]
    return [
        v.but(first=True) if wrong and v is wrong[0] and len(verdicts) > 1 else v for v in verdicts
    ]


def _with_deferred(verdicts: list[ClaimVerdict], board: Board) -> list[ClaimVerdict]:
    """With lines marked that are wrong by a constant factor which later lines put right: all that
    is claimed of inputs is proved.
    """
    of_inputs = [v for v in verdicts if v.statement.by in board.inputs]
    right = bool(of_inputs) and all(v.status == "proved" for v in of_inputs)
    return [
        v.but(deferred=True) if right and v.status == "refuted" and _is_factor(v) else v
        for v in verdicts
    ]


def _is_factor(verdict: ClaimVerdict) -> bool:
    why = verdict.explanation
    return why is not None and why.kind in ("factor", "sign")
