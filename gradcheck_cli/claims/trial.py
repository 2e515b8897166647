"""A trial: the lines of a claim, each held against the derivative that it claims."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.claims.board import board_of
from gradcheck_cli.claims.explain import explain
from gradcheck_cli.claims.indexing import NoIndex, with_elements
from gradcheck_cli.claims.proof import proof_of
from gradcheck_cli.claims.repairs import repairs
from gradcheck_cli.claims.rivals import Rivals
from gradcheck_cli.claims.shapes import amiss, fitted, shapes_in_words, size_of_shape
from gradcheck_cli.claims.sizes import without_sizes
from gradcheck_cli.claims.together import rests_on, with_deferred, with_first
from gradcheck_cli.claims.verdict import ClaimVerdict, Explanation
from gradcheck_cli.functions import operators
from gradcheck_cli.language.claiming import COTANGENTS, read_claim
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.holding import names_of
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.worlds.balls import exact_ball
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.language.claiming import Statement
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.worlds.scalars import Indices

_NUMBER = re.compile(r"[-+]?\s*(\d*)\.(\d+)(?:[eE]([-+]?\d+))?")
# Scalar steps of all changes that are tried to make a claim right, at most: a guess, some seconds.
_MOST_STEPS = 200_000


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


class Right(NamedTuple):
    """The right side of a line: its program, the scalars of what it may name, and its own; None
    where shapes do not fit.
    """

    program: Program
    known: dict[str, Indices]
    nodes: Indices | None

    def is_same(self, other: Right) -> bool:
        """Whether both come to the same, or one of them to nothing."""
        if self.nodes is None or other.nodes is None:
            return True
        return np.array_equal(self.nodes, other.nodes)


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
            claimed, alone = self._set(line, self.written), self._set(line, self.mended)
            if line.by and lasts[line.left] == k:
                verdict = self._verdict(line, claimed, alone)
                found.append(verdict)
                if verdict.status == "refuted" and line.target:
                    self.wrong.append(line.target)
                    self.mended[line.target] = self.board.derivative(line.of, line.by)
        return tuple(with_first(with_deferred(found, self.lines, self.board)))

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

    def _set(self, line: Statement, known: dict[str, Indices]) -> Right:
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
        right = Right(program, dict(known), self._nodes(line, program, known))
        nodes = right.nodes
        if nodes is None:
            # What is made of it is held against what is right.
            nodes = self.board.derivative(line.of, line.by)
        if line.target:
            known[line.target] = nodes
        return right

    def _nodes(
        self, line: Statement, program: Program, known: dict[str, Indices]
    ) -> Indices | None:
        """The scalars of a right side; None where its shapes do not fit, and a derivative is known
        in its place.
        """
        try:
            nodes = self.board.include(program, known)
            if line.index:
                function = operators()[line.sign, 2] if line.sign else ""
                old = known[line.left]
                return with_elements(self.board, old, line.index, function, nodes, known)
        except NoIndex as error:
            message = f"`{line.index}` is no index of integers that are known here"
            mistake = Mistake("bad-index", message, line.text, line.span)
            raise ProgramError([mistake]) from error
        except KeyError as error:
            message = f"`{line.left}` has no elements yet: set it first"
            raise ProgramError([Mistake("no-claim", message, line.text, line.span)]) from error
        except (ValueError, IndexError, TypeError) as error:
            if line.by:
                return None
            message = f"shapes do not fit: {shapes_in_words(program, known)}"
            mistake = Mistake("shape-mismatch", message, line.text, line.place)
            raise ProgramError([mistake]) from error
        return nodes

    def _verdict(self, line: Statement, claimed: Right, alone: Right) -> ClaimVerdict:
        verdict = self._explained(line, claimed)
        if verdict.status != "refuted" or not self.wrong or claimed.is_same(alone):
            return verdict
        mended = self._explained(line, alone)
        if mended.status == "refuted":
            return verdict.but(explanation=mended.explanation or verdict.explanation)
        used = tuple(name for name in self.wrong if rests_on(self.lines, line, name))
        return verdict.but(but_for=used or tuple(self.wrong), explanation=None)

    def _explained(self, line: Statement, right: Right) -> ClaimVerdict:
        """As `_compared`; where nothing that is known says what was done instead, with one change
        that makes it right.
        """
        if right.nodes is None:
            sizes = f"shapes do not fit: {shapes_in_words(right.program, right.known)}"
            ill = Explanation("shape", sizes, is_whole=False)
            verdict = ClaimVerdict(line, "refuted", "point", explanation=ill)
        else:
            verdict = self._compared(line, right.nodes)
        why = verdict.explanation
        if verdict.status != "refuted" or (why is not None and why.is_whole):
            return verdict
        true = self.board.derivative(line.of, line.by)
        steps = len(self._rivals(true, true).program.nodes)
        changes = repairs(right.program, [*right.known])
        for words, program in islice(changes, max(1, _MOST_STEPS // steps)):
            try:
                nodes = fitted(self.board.include(program, right.known), np.shape(true))
            except (ValueError, IndexError, TypeError):
                continue
            if nodes is not None and self._rivals(nodes, true).agree():
                said = words if why is None else f"{why.words}; {words}"
                return verdict.but(explanation=Explanation("repair", said))
        return verdict

    def _rivals(self, claimed: Indices, true: Indices) -> Rivals:
        return Rivals(self.board, claimed, true, self.given)

    def _compared(self, line: Statement, claimed: Indices) -> ClaimVerdict:
        """One line held against the derivative that it claims."""
        true = self.board.derivative(line.of, line.by)
        fit = fitted(claimed, np.shape(true))
        if fit is None:
            whole = self.board.jacobian(line.of, line.by)
            if whole is not None and np.shape(claimed) == np.shape(whole):
                true, fit = whole, claimed
        if fit is None:
            return self._misshapen(line, claimed, true)
        pair = self._rivals(fit, true)
        if pair.is_same:
            return ClaimVerdict(line, "proved", "same")
        verdict = self._held_against(line, pair)
        return verdict.but(valueless=verdict.status != "refuted" and pair.is_valueless)

    def _held_against(self, line: Statement, pair: Rivals) -> ClaimVerdict:
        """At points, and for all inputs."""
        _, against = pair.against(self.given)
        tried = pair.tried()
        kept = None
        if against is not None or tried.against is not None:
            kept = _rounded(line, pair)
        if kept is None and against is None and tried.against is not None:
            kept = self._held(line, pair)
        if kept is not None:
            return kept
        number = bool(_NUMBER.fullmatch(line.right))
        simple = None if number and against is not None else tried.against
        beside = against is None
        against = _simpler(against, simple, self.given)
        if against is not None:
            why = explain(self.board, line, pair.shown(against), factors=not number)
            if why is None and beside and not number:
                why = Explanation("elsewhere", "it is right at the point itself, and not there")
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
        shapes = f"it is {size_of_shape(claimed)}, and `{line.by}` is {size_of_shape(true)}"
        mended = amiss(self.board, claimed, true, lambda n: self._rivals(n, true).agree())
        why = Explanation("shape", f"{shapes}{mended}", is_whole=bool(mended))
        return ClaimVerdict(line, "refuted", "point", explanation=why)


def _rounded(line: Statement, pair: Rivals) -> ClaimVerdict | None:
    """A claim that is a decimal alone: it is right if the derivative at the point rounds to it."""
    match = _NUMBER.fullmatch(line.right)
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


def _simpler(given: Any, beside: Any, at: Mapping[str, float]) -> Any:
    """The counterexample to show: of a few numbers the simple ones, else those that were given."""
    if given is None or (beside is not None and len(at) <= 3):
        return beside if beside is not None else given
    return given
