"""A Question: a subject, the specification it is held against, and what is asked of the two."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.language.errors import Mistake, PointError, mistake
from gradcheck_cli.language.holding import illegible
from gradcheck_cli.questions.arrays import RoundedNumber, float_array, integer_array
from gradcheck_cli.questions.intermediates import Intermediates, cut
from gradcheck_cli.questions.misfits import shape_mistake
from gradcheck_cli.questions.naming import COMMAND, Asked, misnamed, require_signs, underivable
from gradcheck_cli.questions.nonfinite import require_finite
from gradcheck_cli.questions.prepared import Oversize, Prepared, unroll
from gradcheck_cli.questions.roles import held_inputs, index_inputs
from gradcheck_cli.questions.split import MAX_ENTRIES, MAX_OUTPUTS
from gradcheck_cli.subjects.program import ProgramSubject
from gradcheck_cli.worlds.scalars import ShapeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.subjects import Subject
    from gradcheck_cli.worlds.scalars import Expansion


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked, at any point, in any dtype and on any device.

    Attributes:
        wrt: the inputs to differentiate.
        cotangent: exact numbers shaped like the result; None for ones.
        words: the user's own words for settings, for the line that reproduces a check; none for a
            setting that the check itself has, but that must be told.
        order: of the derivatives, 1 or 2.
        jacobian: each element of the value is differentiated by itself.
        claims: derivatives that the user derived, as written.
        remarks: what is to be told of how the text was read, in sentences.
        expansions: the specification as scalars, by shapes; questions of one specification may
            share them.
        held: what is differentiated by and is no input of the user's program; the specification is
            that program with the assignments cut. None where nothing is.
    """

    subject: Subject
    specification: Program
    wrt: tuple[str, ...]
    cotangent: Nested | None = None
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    order: int = 1
    jacobian: bool = False
    claims: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    expansions: dict[object, Expansion | Oversize] = field(default_factory=dict)
    held: Intermediates | None = None
    _prepared: dict[object, Prepared] = field(default_factory=dict)

    @cached_property
    def whole(self) -> Program:
        """The user's program."""
        return self.specification if self.held is None else self.held.whole

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The inputs of the user's program, and behind them what is held."""
        return (*self.whole.variables, *(() if self.held is None else self.held.programs))

    @cached_property
    def integers(self) -> frozenset[str]:
        """Inputs that hold class indices."""
        return index_inputs(self.whole)

    @cached_property
    def everything(self) -> bool:
        """Whether all inputs are differentiated that can be."""
        return set(self.wrt) == set(self.whole.variables) - self.integers

    def arrays(
        self, point: Mapping[str, Nested], dtype: DType
    ) -> tuple[dict[str, Array], list[RoundedNumber]]:
        """The numbers of a point that `dtype` holds, and those that had to be rounded.

        Raises:
            PointError: with every mistake: a number outside the dtype, rows of unequal length.
        """
        arrays: dict[str, Array] = {}
        rounded: list[RoundedNumber] = []
        mistakes: list[Mistake] = []
        for name, value in point.items():
            try:
                if name in self.integers:
                    arrays[name] = integer_array(value, name)
                else:
                    arrays[name] = float_array(value, name, dtype, rounded)
            except PointError as error:
                mistakes += error.mistakes
        if mistakes:
            raise PointError(mistakes)
        if self.held is not None:
            arrays |= self.held.values(arrays, dtype, rounded)
        return arrays, rounded

    def shapes_key(self, arrays: Mapping[str, Array]) -> tuple[object, ...]:
        """Equal for points that differ in numbers alone; class indices are no such numbers."""
        return tuple(
            arrays[name].tobytes() if name in self.integers else arrays[name].shape
            for name in self.specification.variables
        )

    def prepared(
        self, arrays: Mapping[str, Array], dtype: DType
    ) -> tuple[Prepared, list[RoundedNumber]]:
        """The specification at the shapes of a point, and the numbers of the cotangent that had to
        be rounded to the dtype.

        Raises:
            PointError: the shapes do not fit, or a derivative is asked for at an infinity or NaN.
        """
        key = self.shapes_key(arrays)
        if key not in self.expansions:
            self.expansions[key] = self._unroll(arrays)
        expansion = self.expansions[key]
        if self.jacobian:
            self._require_rows(arrays, expansion)
        rounded: list[RoundedNumber] = []
        weights = None
        if self.cotangent is not None:
            weights = self._weights(self.cotangent, expansion, dtype, rounded)
        if (key, weights) not in self._prepared:
            inputs = self._inputs(arrays)
            self._prepared[key, weights] = Prepared(
                self.specification, inputs, self.wrt, weights, expansion
            )
        prepared = self._prepared[key, weights]
        require_finite(prepared, arrays, dtype)
        return prepared, rounded

    def _require_rows(self, arrays: Mapping[str, Array], expansion: Expansion | Oversize) -> None:
        """Nothing, if the Jacobian is of a size that is checked.

        Raises:
            PointError: it is not.
        """
        way_out = "weigh the elements of the value by a cotangent"
        if isinstance(expansion, Oversize):
            raise mistake("too-large", f"no Jacobian: {expansion.reason}", help=way_out)
        rows = np.size(expansion.values[self.specification.result])
        entries = rows * sum(arrays[name].size for name in self.wrt)
        if rows > MAX_OUTPUTS or entries > MAX_ENTRIES:
            size = f"the Jacobian has {rows:,} rows and {entries:,} entries"
            most = f"{MAX_OUTPUTS} rows and {MAX_ENTRIES:,} entries are checked"
            raise mistake("too-large", f"{size}; {most}", help=way_out)

    def _inputs(self, arrays: Mapping[str, Array]) -> dict[str, tuple[int, ...] | Array]:
        names = self.specification.variables
        return {n: arrays[n] if n in self.integers else arrays[n].shape for n in names}

    def _unroll(self, arrays: Mapping[str, Array]) -> Expansion | Oversize:
        program = self.specification
        require_signs(self.whole, {name: array.ndim for name, array in arrays.items()})
        try:
            return unroll(program, self._inputs(arrays))
        except ShapeError as error:
            shapes = {name: arrays[name].shape for name in program.variables}
            raise shape_mistake(program, error, shapes) from error

    def _weights(
        self,
        value: Nested,
        expansion: Expansion | Oversize,
        dtype: DType,
        rounded: list[RoundedNumber],
    ) -> tuple[float, ...]:
        array = float_array(value, "cotangent", dtype, rounded)
        if not np.isfinite(array).all():
            message = "the cotangent weighs the elements of the result: its numbers are finite"
            raise mistake("not-finite", message)
        if not isinstance(expansion, Oversize):
            shape = np.shape(expansion.values[self.specification.result])
            if array.shape != shape:
                sizes = f"shape {array.shape}, the result {shape}"
                raise mistake("shape-mismatch", f"the cotangent has {sizes}")
        return tuple(array.reshape(-1).tolist())


def question_of(
    specification: Program,
    given: Collection[str],
    wrt: Sequence[str] = (),
    *,
    cotangent: Nested | None = None,
    words: Mapping[str, Sequence[str]] | None = None,
    subject: Subject | None = None,
    order: int = 1,
    jacobian: bool = False,
    trace: bool = False,
    claims: Sequence[str] = (),
    asked: Asked = COMMAND,
    remarks: tuple[str, ...] = (),
) -> Question:
    """The question, once every name in it is known to be right.

    Args:
        given: names of the inputs that the points give values to.
        wrt: the inputs to differentiate; none for all.
        subject: what is on trial; without one the specification itself, run by torch.
        order, jacobian, claims: as in `Question`.
        trace: whether the chain rule is to be written down.
        asked: how the user says these things.
        remarks: as in `Question`.
    Raises:
        PointError: missing, extra or unknown names, nothing to differentiate, or what contradicts
            itself.
    """
    integers = index_inputs(specification)
    rest, held = cut(specification, wrt)
    mistakes = [
        *misnamed(specification, given, asked),
        *underivable(specification, wrt, integers, asked, rest, held),
        *conflicts(order, cotangent, jacobian=jacobian, trace=trace),
        *illegible(specification, claims),
        *_claims_of_a_cut(claims, held),
    ]
    left_out = integers | held_inputs(specification)
    everything = (name for name in specification.variables if name not in left_out)
    chosen = tuple(dict.fromkeys(wrt)) or tuple(everything)
    if not mistakes and not chosen:
        hint = f"use a variable: `x**2` with `{asked.value.format('x', 3)}`"
        none = "the program has no input to differentiate"
        mistakes.append(Mistake("no-input", none, specification.text, help=hint))
    if mistakes:
        raise PointError(mistakes)
    on_trial = ProgramSubject(rest) if subject is None else subject
    asks = words or {}, order, jacobian, tuple(claims), remarks
    return Question(on_trial, rest, chosen, cotangent, *asks, held=held)


def conflicts(
    order: int, cotangent: Nested | None, *, jacobian: bool, trace: bool = False
) -> Iterator[Mistake]:
    """What cannot be asked together."""
    if jacobian and cotangent is not None:
        message = "a Jacobian has no cotangent: each element of the value is differentiated alone"
        yield Mistake("conflicting-options", message, help="give one of the two")
    if jacobian and order != 1:
        message = "second derivatives are those of one number, a Jacobian is of several"
        yield Mistake("conflicting-options", message, help="give a cotangent instead of `jacobian`")
    if trace and (jacobian or order != 1):
        message = "the chain rule is traced for first derivatives under one cotangent"
        name = "order" if order != 1 else "jacobian"
        yield Mistake("conflicting-options", message, help=f"leave `{name}` out")


def _claims_of_a_cut(claims: Sequence[str], held: Intermediates | None) -> Iterator[Mistake]:
    """Claims are about the user's program, and nothing of that may be cut."""
    if claims and held is not None:
        names = ", ".join(f"`{name}`" for name in held.programs)
        message = f"a claim is about the whole program, which is cut where {names} is held"
        way_out = "a claim says what it is a derivative by: `dh = ...` of an assigned `h`"
        yield Mistake("conflicting-options", message, help=way_out)
