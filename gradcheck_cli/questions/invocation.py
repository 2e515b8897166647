"""A call in a point, its arguments at their places: `uniform(-1, 1, size=(2, 3))`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import NamedTuple

from gradcheck_cli.language.errors import Mistake, PointError, Span
from gradcheck_cli.questions.arrays import MAX_DIMENSIONS
from gradcheck_cli.questions.expressions import bad_number
from gradcheck_cli.questions.laws import MAX_ELEMENTS
from gradcheck_cli.questions.numbers import Exact, NonFinite, read_number, split_at, stripped

_KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)", re.ASCII)
# Keywords that say a shape, and those that are no part of a point.
_SHAPES = ("shape", "size")
_ELSEWHERE = {"dtype": "--dtype", "device": "--device", "requires_grad": "--wrt"}


class Parameters(NamedTuple):
    """What a constructor takes.

    Attributes:
        numbers: its parameters, each with all names that libraries give it.
        required: how many of them must be there.
        shaped: a shape may follow.
    """

    numbers: tuple[tuple[str, ...], ...]
    required: int
    shaped: bool = False

    def signature(self, name: str) -> str:
        """How it is called."""
        parts = [group[0] for group in self.numbers] + ["*size"] * self.shaped
        return f"{name}({', '.join(parts)})"


@dataclass(frozen=True)
class Invocation:
    """A call in a point, with places for its arguments.

    Attributes:
        span: of the whole call.
        given: places of the parameters that are given, by their first names.
        sizes: places of the numbers of a shape.
    """

    text: str
    span: Span
    name: str
    given: dict[str, Span]
    sizes: tuple[Span, ...]

    def number(self, name: str, default: str = "0") -> Exact:
        """A finite number among the arguments."""
        if name not in self.given:
            return Exact(Fraction(default), default)
        value = read_number(self.text, self.given[name])
        if isinstance(value, NonFinite):
            raise bad_number("a finite number is needed here", self.text, self.given[name])
        return value

    def whole(self, name: str, most: int) -> int:
        """A whole number from 1 among the arguments."""
        return _whole(self.text, self.given[name], most)

    def shape(self) -> tuple[int, ...]:
        """The shape that is asked for; of a number if none is."""
        shape = tuple(_whole(self.text, size, MAX_ELEMENTS) for size in self.sizes)
        self.require_bearable(shape)
        return shape

    def require_bearable(self, shape: tuple[int, ...]) -> None:
        """Nothing, if a tensor of that shape is of a size that is checked.

        Raises:
            PointError: it is not.
        """
        if len(shape) > MAX_DIMENSIONS or prod(shape) > MAX_ELEMENTS:
            most = f"{MAX_ELEMENTS:,} elements and {MAX_DIMENSIONS} dimensions"
            raise self.mistake("too-large", f"a tensor of a point has at most {most}")

    def mistake(self, code: str, message: str) -> PointError:
        """What is wrong with the call."""
        return PointError([Mistake(code, message, self.text, self.span)])


def _whole(text: str, span: Span, most: int) -> int:
    value = read_number(text, span)
    if isinstance(value, Exact) and value.value.denominator == 1 and 1 <= value.value <= most:
        return int(value.value)
    raise bad_number(f"a whole number from 1 to {most:,} is needed here", text, span)


def bound(text: str, span: Span, call: re.Match[str], takes: Parameters) -> Invocation:
    """The arguments of a call in their places.

    Args:
        call: what stands before them; its first group is the name.
    Raises:
        PointError: too many or too few, or a keyword that there is none of.
    """
    name = call[1]
    inside = Span(call.end(), span.end - 1)
    parts = split_at(text, inside, ",") if text[slice(*inside)].strip() else []
    if len(parts) > 1 and not text[slice(*parts[-1])].strip():
        parts.pop()  # a comma behind the last argument
    given: dict[str, Span] = {}
    sizes: list[Span] = []
    positional: list[Span] = []
    made = Invocation(text, span, name, given, ())
    known = {each: group[0] for group in takes.numbers for each in group}
    for part in parts:
        keyword = _KEYWORD.match(text, *part)
        where = stripped(text, Span(keyword.end(), part.end) if keyword else part)
        word = keyword[1] if keyword else ""
        if keyword and word in known and known[word] not in given:
            given[known[word]] = where
        elif keyword and word in _SHAPES and takes.shaped and not sizes:
            sizes += sizes_of(text, where)
        elif word == "requires_grad" and text[slice(*where)] == "True":
            continue  # as all inputs do, unless `--wrt` names some
        elif keyword:
            raise _unknown_keyword(made, word, stripped(text, part))
        else:
            positional.append(where)
    free = [group[0] for group in takes.numbers if group[0] not in given]
    given.update(zip(free, positional, strict=False))
    rest = positional[len(free) :]
    if takes.shaped and not sizes:
        sizes = [
            size for part in rest for size in (sizes_of(text, part) if len(rest) == 1 else [part])
        ]
    elif rest:
        raise made.mistake("arity", f"`{name}` takes fewer arguments: `{takes.signature(name)}`")
    if any(group[0] not in given for group in takes.numbers[: takes.required]):
        raise made.mistake("arity", f"`{name}` needs more arguments: `{takes.signature(name)}`")
    return replace(made, sizes=tuple(sizes))


def _unknown_keyword(made: Invocation, word: str, where: Span) -> PointError:
    message, way_out = f"`{made.name}` has no argument named `{word}` in a point", ""
    if word in _ELSEWHERE:
        way_out = f"say it with `{_ELSEWHERE[word]}`"
    return PointError([Mistake("unknown-keyword", message, made.text, where, way_out)])


def sizes_of(text: str, span: Span) -> list[Span]:
    """The numbers of a shape: `(2, 3)`, `[2, 3]` or a single one."""
    if text[span.start] not in "([" or closing(text, span.start) != span.end - 1:
        return [span]
    parts = split_at(text, Span(span.start + 1, span.end - 1), ",")
    return [stripped(text, part) for part in parts if text[slice(*part)].strip()]


def closing(text: str, start: int) -> int:
    """The place of the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth == 0:
            return i
    return -1
