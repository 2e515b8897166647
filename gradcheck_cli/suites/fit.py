"""Whether a case's points and inputs fit its program, before anything is computed."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import names as functions
from gradcheck_cli.language.errors import Mistake, PointError, elide
from gradcheck_cli.language.holding import illegible
from gradcheck_cli.language.program import Call, Variable
from gradcheck_cli.questions.batching import MOST_POINTS, batches
from gradcheck_cli.questions.naming import way_out_of
from gradcheck_cli.questions.numbers import Grid
from gradcheck_cli.questions.points import Listed, Sample
from gradcheck_cli.questions.question import conflicts, question_of
from gradcheck_cli.questions.roles import index_inputs
from gradcheck_cli.suites.kinds import part
from gradcheck_cli.suites.numerals import (
    exact_numbers,
    first_nonfinite,
    infinite_scalars,
    numeral_shape,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.numbers import Exact, Nested
    from gradcheck_cli.questions.points import Block, Values
    from gradcheck_cli.suites.at import PointMapping
    from gradcheck_cli.suites.document import Document, ScalarNode, YamlNode
    from gradcheck_cli.suites.kinds import Entry
    from gradcheck_cli.suites.layers import CaseLayers

_LARGEST_INDEX = 2**63 - 1
Shapes = dict[str, tuple[int, ...]]


class PointShapes(NamedTuple):
    """Shapes of the inputs and of the value at a point; None: too large to be unrolled."""

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
        self,
        code: str,
        message: str,
        where: YamlNode,
        help: str = "",  # noqa: A002 - `help` is what the printed line is called
        key: str = "",
    ) -> None:
        """Tell of a mistake about a key of the case, which may stand in `defaults`."""
        self.good = False
        of = f", for case `{self.name}`" if key and self.settings.inherited(key) else ""
        self.document.add_mistake(code, message + of, where, help)

    def names(self, blocks: Sequence[PointMapping]) -> None:
        """Every input has a value, and nothing else has one."""
        over = self.settings.entry("over")
        swept: Mapping[str, Entry] = {} if over is None or over.value is None else over.value
        if over is not None and over.value is None:
            self.good = False  # nobody knows what was to be swept
        else:
            for name in self.variables:
                if not blocks or not all(self._has_value(name, block) for block in blocks):
                    self._add_missing(name, blocks)
        for block in blocks:
            for name, entry in block.entries.items():
                if name not in self.variables:
                    key = "over" if swept.get(name) is entry else "at"
                    message = f"`{key}` gives `{elide(name)}`, which is not an input of the program"
                    way_out = way_out_of(name, self.program)
                    self.add_misfit("extra-value", message, entry.key, way_out, key)

    def _has_value(self, name: str, block: PointMapping) -> bool:
        return name in block.entries or (block.joint is not None and name not in self.indices)

    def _add_missing(self, name: str, blocks: Sequence[PointMapping]) -> None:
        self.good = False
        if name in self.indices and any(block.joint for block in blocks):
            way_out = "class indices are not drawn: give each input values of its own"
        elif name in functions():
            way_out = f"`{name}` is a function: write {name}(...)"
        else:
            is_there = self.settings.entry("at") is not None
            way_out = f"for example `{name}: 1`" if is_there else f"for example `at: {{{name}: 1}}`"
        first = self.program.nodes.index(Variable(name))
        text, span = self.program.text, self.program.spans.get(first)
        message = f"`at` gives no value for `{name}`"
        mistake = Mistake("missing-value", message, text, span, way_out)
        self.document.add_from([mistake], self.expr)

    def wrt(self) -> tuple[str, ...]:
        """The inputs to differentiate."""
        is_above = "wrt" in self.settings.above
        entry = None if is_above else self.settings.entry("wrt")
        key = "" if entry is None else "wrt"
        source = "--wrt" if is_above else "`wrt`" if entry else "`wrt` of the configuration"
        names: list[str] = []
        for i, word in enumerate(self.settings["wrt"] or ()):
            if word is None:
                self.good = False
                continue
            name = normalize("NFKC", word.strip())
            where = self.expr if entry is None else part(entry.node, i)
            if name in self.indices:
                message = f"`{name}` holds class indices: there is nothing to differentiate"
                self.add_misfit("index-input", message, where, key=key)
            elif name in self.variables:
                names.append(name)
            else:
                message = f"{source} names `{elide(name)}`, which is not an input of the program"
                way_out = way_out_of(name, self.program)
                self.add_misfit("unknown-input", message, where, way_out, key)
        everything = tuple(name for name in self.variables if name not in self.indices)
        if not everything and self.good:
            message = "the program has no input to differentiate"
            way_out = "use a variable: `x**2` with `at: {x: 3}`"
            self.add_misfit("no-input", message, self.expr, way_out)
        return tuple(dict.fromkeys(names)) if self.settings["wrt"] else everything

    def way(self) -> None:
        """What is asked can be asked together, and what is expected be compared with it."""
        order, jacobian = self.settings["order"], bool(self.settings["jacobian"])
        key = "jacobian" if jacobian else "order"
        entry = self.settings.entry(key)
        where = self.expr if entry is None else entry.node
        for mistake in conflicts(order or 1, self.settings["cotangent"], jacobian=jacobian):
            self.add_misfit(mistake.code, mistake.message, where, mistake.help, key)
        claim = self.settings.entry("claim")
        if claim is not None:
            for mistake in illegible(self.program, self.settings["claim"] or ()):
                self.add_misfit(mistake.code, mistake.message, claim.node, mistake.help, "claim")
        expect = self.settings.entry("expect")
        named = expect.value.get("partials") if expect and isinstance(expect.value, dict) else None
        if named is not None and (jacobian or order == 2):
            message = "`partials` are the first derivatives of one number"
            message = f"{message}, and `{key}` asks for others"
            way_out = "expect an outcome, or the value"
            self.add_misfit("conflicting-options", message, named.key, way_out, "expect")

    def numbers(self, blocks: Sequence[PointMapping], runs: Sequence[tuple[str, str]]) -> None:
        """No number is beyond the dtypes, and class indices are integers."""
        dtypes = [DTYPES[dtype] for dtype, _ in runs] or [DTYPES["float64"]]
        narrow = min(dtypes, key=lambda dtype: (dtype.most, dtype.digits))
        for block in blocks:
            if block.joint is not None:
                self._sample("the sample", block.joint, narrow, block.node)
            for name, entry in block.entries.items():
                self._values(name, entry, narrow)
        cotangent = self.settings.entry("cotangent")
        if cotangent is not None and cotangent.value is not None:
            for exact in exact_numbers(cotangent.value):
                self._number("cotangent", exact, narrow, cotangent.node, key="cotangent")

    def _values(self, name: str, entry: Entry, dtype: DType) -> None:
        for exact, node in _numbers(entry):
            self._number(name, exact, dtype, node)
        values, why = entry.value, ""
        if isinstance(values, Sample):
            self._sample(f"`{name}`", values, dtype, entry.node)
            why = "a sample draws no integers"
        elif isinstance(values, Grid) and self.good and not _steps_by_integers(values):
            why = "this range has fractions"
        if why and name in self.indices:
            message = f"`{name}` holds class indices, and {why}"
            self.add_misfit("not-an-integer", message, entry.node, key="at")

    def _number(
        self, name: str, exact: Exact, dtype: DType, node: YamlNode, key: str = "at"
    ) -> None:
        beyond = ""
        if name in self.indices and exact.value.denominator != 1:
            message = f"`{name}` holds class indices, and {exact.text} is not an integer"
            self.add_misfit("not-an-integer", message, node, key=key)
        elif name in self.indices and abs(exact.value) > _LARGEST_INDEX:
            beyond = f"index, {_LARGEST_INDEX}"
        elif abs(exact.value) >= 2**dtype.most and not isfinite(dtype.round(exact.value)):
            beyond = _largest(dtype)
        if beyond:
            message = f"`{name}` = {exact.text[:60]} is beyond the largest {beyond}"
            self.add_misfit("out-of-range", message, node, key=key)

    def _sample(self, name: str, sample: Sample, dtype: DType, node: YamlNode) -> None:
        if max(map(abs, sample.bounds())) > dtype.largest:
            message = f"{name} may draw numbers beyond the largest {_largest(dtype)}"
            self.add_misfit("out-of-range", message, node, key="at")

    def shapes(
        self, point: Mapping[str, Nested], at: YamlNode, wrt: tuple[str, ...]
    ) -> PointShapes | None:
        """The shapes at a point that stands `at` a place; None once it is told why not."""
        inputs: Shapes = {name: numeral_shape(value) or () for name, value in point.items()}
        cotangent = self.settings.entry("cotangent")
        weights = cotangent.value if cotangent is not None else None
        has_tensors = any(inputs.values()) or isinstance(weights, list)
        special = any(first_nonfinite(value) for value in point.values())
        if not (has_tensors or self.indices or special) and self._is_elementwise():
            return PointShapes(inputs, ())  # a function of numbers: no shape can be wrong
        try:
            jacobian = bool(self.settings["jacobian"])
            question = question_of(self.program, point, wrt, cotangent=weights, jacobian=jacobian)
            ((batch,),) = batches(question, [point], [(DTYPES["float64"], "cpu")])
        except PointError as error:
            self.good = False
            for mistake in error.mistakes:
                if mistake.code == "not-finite" and mistake.span is not None:
                    place = self._infinity(mistake.text[slice(*mistake.span)], at)
                    self.document.add_mistake(mistake.code, mistake.message, place, mistake.way_out)
                elif mistake.span is not None:
                    self.document.add_from([mistake], self.expr)
            where = cotangent.node if cotangent is not None else at
            for mistake in error.mistakes:
                if mistake.span is None:
                    self.add_misfit(mistake.code, mistake.message, where, mistake.help, "cotangent")
            return None
        return PointShapes(inputs, batch.prepared.shape)

    def _infinity(self, name: str, at: YamlNode) -> YamlNode:
        """Where the one infinity or NaN of an input stands, in the block of points `at` a place;
        where there are several, their tensor.
        """
        at_key = self.settings.entry("at")
        blocks = () if at_key is None else at_key.value
        block = next((block for block in blocks if block.node is at), None)
        entry = None if block is None else block.entries.get(normalize("NFKC", name))
        if entry is None or not isinstance(entry.value, Listed):
            return at
        which = (i for i, value in enumerate(entry.value.values) if first_nonfinite(value))
        node = part(entry.node, next(which, 0))
        alone = infinite_scalars(node)
        return alone[0] if len(alone) == 1 else node

    def infinite_points(self, block: Block, wrt: tuple[str, ...]) -> Iterator[dict[str, Nested]]:
        """The points but the first with an infinity or NaN at an input that is differentiated."""
        listed = [v for axis in block.axes for v in axis.values if isinstance(v, Listed)]
        if any(first_nonfinite(value) for values in listed for value in values.values):
            for i in range(1, min(len(block), MOST_POINTS)):
                point = block[i]
                if any(first_nonfinite(point[name]) for name in wrt):
                    yield point

    def _is_elementwise(self) -> bool:
        calls = (node for node in self.program.nodes if isinstance(node, Call))
        return all(is_elementwise(call.function, call.settings) for call in calls)


def _largest(dtype: DType) -> str:
    return f"{dtype.name}, {float(dtype.largest):.6g}"


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
    length = values.stop.value - values.start.value
    return values.count == 1 or (length / (values.count - 1)).denominator == 1
