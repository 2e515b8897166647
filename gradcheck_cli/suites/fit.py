"""Whether a case's points, inputs and expectations fit its program: found out before anything is
computed.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from gradcheck_cli.calculus.reverse import is_elementwise
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import names as functions
from gradcheck_cli.language.errors import Mistake, PointError, did_you_mean, elide
from gradcheck_cli.language.program import Call, Variable
from gradcheck_cli.questions.batch import batches
from gradcheck_cli.questions.numbers import Grid
from gradcheck_cli.questions.points import Listed, Sample
from gradcheck_cli.questions.question import index_inputs, question_of
from gradcheck_cli.suites.kinds import part
from gradcheck_cli.suites.numerals import exact_numbers, numeral_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.numbers import Exact, Nested
    from gradcheck_cli.questions.points import Values
    from gradcheck_cli.suites.at import Given
    from gradcheck_cli.suites.document import Document, ScalarNode, YamlNode
    from gradcheck_cli.suites.kinds import Entry
    from gradcheck_cli.suites.layers import CaseLayers

_LARGEST_INDEX = 2**63 - 1
Shapes = dict[str, tuple[int, ...]]


class Shaped(NamedTuple):
    """Shapes at a point: of each input, and of the program's value; None where the program is too
    large to be unrolled.
    """

    inputs: Shapes
    value: tuple[int, ...] | None


class Fit:
    """A program and what is asked of it, held against each other."""

    def __init__(self, document: Document, name: str, expr: Entry, settings: CaseLayers) -> None:
        self.document, self.name, self.settings = document, name, settings
        self.program: Program = expr.value
        self.expr: ScalarNode = expr.node  # type: ignore[assignment]  # what was parsed is a scalar
        self.variables = self.program.variables
        self.indices = index_inputs(self.program)
        self.good = True

    def add_misfit(
        self, code: str, message: str, where: YamlNode, help: str = "", key: str = ""
    ) -> None:
        """Tell of a mistake; `key` is the case's key that it is about, which may stand in
        `defaults`.
        """
        self.good = False
        of = f", for case `{self.name}`" if key and self.settings.inherited(key) else ""
        self.document.add_mistake(code, message + of, where, help)

    def names(self, given: Sequence[Given]) -> None:
        """Every input has a value, and nothing else has one."""
        for name in self.variables:
            if not given or not all(
                name in block.entries or (block.joint and name not in self.indices)
                for block in given
            ):
                self.good = False
                where = next(
                    (
                        self.program.spans.get(i)
                        for i, node in enumerate(self.program.nodes)
                        if node == Variable(name)
                    ),
                    None,
                )
                message = f"`at` gives no value for `{name}`"
                self.document.add_from(
                    [
                        Mistake(
                            "missing-value",
                            message,
                            self.program.text,
                            where,
                            self._missing(name, given),
                        )
                    ],
                    self.expr,
                )
        for block in given:
            for name, entry in block.entries.items():
                if name not in self.variables:
                    message = f"`at` gives `{elide(name)}`, which is not an input of the program"
                    self.add_misfit(
                        "extra-value",
                        message,
                        entry.key,
                        did_you_mean(name, self.variables) or self._inputs(),
                        "at",
                    )

    def _missing(self, name: str, given: Sequence[Given]) -> str:
        if name in self.indices and any(block.joint for block in given):
            return "class indices are not drawn: give each input values of its own"
        if name in functions():
            return f"`{name}` is a function: write {name}(...)"
        return f"for example `{name}: 1`" if given else f"for example `at: {{{name}: 1}}`"

    def _inputs(self) -> str:
        return (
            f"it has {', '.join(f'`{name}`' for name in self.variables)}"
            if self.variables
            else "it has no inputs"
        )

    def wrt(self) -> tuple[str, ...]:
        """The inputs to differentiate."""
        entry = self.settings.entry("wrt")
        stated = "wrt" not in self.settings.above and entry is not None
        called = (
            "`wrt`"
            if stated
            else "--wrt"
            if "wrt" in self.settings.above
            else "`wrt` of the configuration"
        )
        found: list[str] = []
        for i, word in enumerate(self.settings["wrt"] or ()):
            if word is None:
                self.good = False
                continue
            name = normalize("NFKC", word.strip())
            where = part(entry.node, i) if stated and entry is not None else self.expr
            if name in self.variables and name not in self.indices:
                found.append(name)
            elif name in self.indices:
                self.add_misfit(
                    "index-input",
                    f"`{name}` holds class indices: there is nothing to differentiate",
                    where,
                    key="wrt" if stated else "",
                )
            else:
                known = did_you_mean(name, self.variables) or self._inputs()
                self.add_misfit(
                    "unknown-input",
                    f"{called} names `{elide(name)}`, which is not an input of the program",
                    where,
                    known,
                    "wrt" if stated else "",
                )
        everything = tuple(name for name in self.variables if name not in self.indices)
        if not everything and self.good:
            self.add_misfit(
                "no-input",
                "the program has no input to differentiate",
                self.expr,
                "use a variable: `x**2` with `at: {x: 3}`",
            )
        return tuple(dict.fromkeys(found)) if self.settings["wrt"] else everything

    def numbers(self, given: Sequence[Given], runs: Sequence[tuple[str, str]]) -> None:
        """No number is beyond the dtypes, and class indices are integers."""
        narrow = min(
            (DTYPES[dtype] for dtype, _ in runs),
            key=lambda dtype: (dtype.most, dtype.digits),
            default=DTYPES["float64"],
        )
        for block in given:
            if block.joint is not None:
                self._drawn("the sample", block.joint, narrow, block.node)
            for name, entry in block.entries.items():
                for exact, node in _numbers(entry):
                    self._number(name, exact, narrow, node)
                if isinstance(entry.value, Sample):
                    self._drawn(f"`{name}`", entry.value, narrow, entry.node)
                    if name in self.indices:
                        self.add_misfit(
                            "not-an-integer",
                            f"`{name}` holds class indices, and a sample draws no integers",
                            entry.node,
                            key="at",
                        )
                elif (
                    isinstance(entry.value, Grid)
                    and name in self.indices
                    and self.good
                    and not _steps_by_integers(entry.value)
                ):
                    self.add_misfit(
                        "not-an-integer",
                        f"`{name}` holds class indices, and this range has fractions",
                        entry.node,
                        key="at",
                    )
        cotangent = self.settings.entry("cotangent")
        for exact in (
            exact_numbers(cotangent.value)
            if cotangent is not None and cotangent.value is not None
            else ()
        ):
            self._number("cotangent", exact, narrow, cotangent.node, key="cotangent")  # type: ignore[union-attr]  # there is one

    def _number(
        self, name: str, exact: Exact, dtype: DType, node: YamlNode, key: str = "at"
    ) -> None:
        if name in self.indices and exact.value.denominator != 1:
            self.add_misfit(
                "not-an-integer",
                f"`{name}` holds class indices, and {exact.text} is not an integer",
                node,
                key=key,
            )
        elif name in self.indices and abs(exact.value) > _LARGEST_INDEX:
            self.add_misfit(
                "out-of-range",
                f"`{name}` = {exact.text[:60]} is beyond the largest index, {_LARGEST_INDEX}",
                node,
                key=key,
            )
        elif abs(exact.value) >= 2**dtype.most and not isfinite(dtype.round(exact.value)):
            self.add_misfit(
                "out-of-range",
                f"`{name}` = {exact.text[:60]} is beyond the largest {dtype.name}, {float(dtype.largest):.6g}",
                node,
                key=key,
            )

    def _drawn(self, name: str, sample: Sample, dtype: DType, node: YamlNode) -> None:
        low, high = sample.bounds()
        if max(abs(low), abs(high)) > dtype.largest:
            message = f"{name} may draw numbers beyond the largest {dtype.name}, {float(dtype.largest):.6g}"
            self.add_misfit("out-of-range", message, node, key="at")

    def shapes(
        self, point: Mapping[str, Nested], at: YamlNode, wrt: tuple[str, ...]
    ) -> Shaped | None:
        """The shapes at a point that stands `at` a place; None once it is told that they do not
        fit.
        """
        inputs: Shapes = {name: numeral_shape(value) or () for name, value in point.items()}
        cotangent = self.settings.entry("cotangent")
        weights = cotangent.value if cotangent is not None else None
        if (
            not any(inputs.values())
            and not isinstance(weights, list)
            and not self.indices
            and self._elementwise()
        ):
            return Shaped(inputs, ())  # a function of numbers: nothing can be of a wrong shape
        try:
            question = question_of(self.program, point, wrt, cotangent=weights)
            ((batch,),) = batches(question, [point], [(DTYPES["float64"], "cpu")])
        except PointError as error:
            self.good = False
            inside = [mistake for mistake in error.mistakes if mistake.span is not None]
            self.document.add_from(inside, self.expr)
            where = cotangent.node if cotangent is not None else at
            for mistake in error.mistakes:
                if mistake.span is None:
                    self.add_misfit(mistake.code, mistake.message, where, mistake.help, "cotangent")
            return None
        return Shaped(inputs, batch.prepared.shape)

    def _elementwise(self) -> bool:
        return all(
            is_elementwise(node.function, node.settings)
            for node in self.program.nodes
            if isinstance(node, Call)
        )


def _numbers(entry: Entry) -> Iterator[tuple[Exact, YamlNode]]:
    """Every number that is written out, with the node it stands in; of a range the ends."""
    values: Values | Any = entry.value
    if isinstance(values, Grid):
        yield from ((values.start, entry.node), (values.stop, entry.node))
    elif isinstance(values, Listed):
        for i, value in enumerate(values.values):
            for exact in exact_numbers(value):
                yield exact, part(entry.node, i)


def _steps_by_integers(values: Grid) -> bool:
    return (
        values.count == 1
        or ((values.stop.value - values.start.value) / (values.count - 1)).denominator == 1
    )
