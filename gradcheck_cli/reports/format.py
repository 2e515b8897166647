"""Numbers and names as text, for every format that people read. A number is never cut short."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from gradcheck_cli.records.json_text import without_marks
from gradcheck_cli.records.numbers import numbers_of, typed_text
from gradcheck_cli.reports.digits import ALL_DIGITS, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.records.numbers import JsonArray
    from gradcheck_cli.records.record import PartialRecord, Record

# What stands where a witness has nothing to say.
NOTHING = "—"
# Stands before a partial under the seeded cotangent.
ALSO = "also "
# An array longer than a line is told by its first numbers and its shape.
MAX_LINE, FIRST_NUMBERS = 100, 3


def array_text(value: JsonArray, *, whole: bool = False) -> str:
    """An array as nested lists; one longer than a line as its first numbers and its shape."""
    size = size_of(value)
    if whole or size * 2 <= MAX_LINE:
        text = typed_text(value)
        if whole or len(text) <= MAX_LINE:
            return text
    first = ", ".join(map(typed_text, islice(numbers_of(value), FIRST_NUMBERS)))
    return f"{first}, … ({size:,} numbers, shape {shape_of(value)})"


def size_of(value: JsonArray) -> int:
    """How many numbers an array has."""
    return sum(1 for _ in numbers_of(value))


def shape_of(value: JsonArray) -> tuple[int, ...]:
    """The length of each dimension."""
    return (len(value), *shape_of(value[0])) if isinstance(value, list) else ()


def torch_number(value: float, dtype: str, digits: int = ALL_DIGITS) -> str:
    """What torch answered: shortest digits for float64, the nine that tell all float32 apart, and
    16-bit numbers, being short, whole.
    """
    return rounded(float(f"{value:.9g}") if dtype == "float32" else value, digits)


def partial_name(partial: PartialRecord, record: Record) -> str:
    """`∂f/∂x`, `∂f/∂W[0,1]`; `∂f[2]/∂x` of one output; `∂²f/∂x∂y`, `∂²f/∂x²` of second order, and
    `∂(∇f·v)/∂x` of a product with a direction.
    """
    variable, index = partial["variable"], partial["index"]
    if isinstance(variable, list):
        first, second = map(_element, variable, index)
        return f"∂²f/∂{first}²" if first == second else f"∂²f/∂{first}∂{second}"
    output = partial["output"]
    top = "∂f" if output is None else f"∂{_element('f', output)}"
    return f"{'∂(∇f·v)' if record['direction'] else top}/∂{_element(variable, index)}"


def place_in_sweep(record: Record) -> str:
    """` at x = 15.25`, which of the points of a sweep a record tells of; else nothing."""
    sweep = record["sweep"]
    if sweep is None:
        return ""
    at = record["at"]
    numbers = (f"{inline(name)} = {array_text(at[name])}" for name in sweep["over"] if name in at)
    return f" at {', '.join(numbers)}"


def variables_of(partial: PartialRecord) -> str:
    """The input that a partial is by, or both inputs."""
    variable = partial["variable"]
    return ", ".join(variable) if isinstance(variable, list) else str(variable)


def _element(name: str, index: Sequence[int]) -> str:
    return inline(name) + (f"[{','.join(map(str, index))}]" if index else "")


def escape_controls(text: str) -> str:
    """A user's text with everything that could drive a terminal (escape sequences, text direction)
    written as escapes.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode()
        for c in text.expandtabs(4)
    )


def inline(text: str) -> str:
    """A user's text inside a line: as `escape_controls`, its line ends too."""
    return escape_controls(text).replace("\n", "\\n")


# Colours that Rich has set, and blanks, before what a CI server reads as a command: `::error::` of
# GitHub begins a line. What it reads anywhere in a line, JSON marks as well.
_BEGINNING = re.compile(r"^((?:\x1b\[[0-9;]*m| )*):(?=:)", re.MULTILINE)


def inert(text: str) -> str:
    """A report in which a CI server finds no command, whoever wrote the texts in it: the first sign
    of what would be one is written as an escape.
    """
    text = unmarked(text)
    # Looked for first, as that is much faster.
    return _BEGINNING.sub(r"\1\\x3a", text) if "::" in text else text


def unmarked(text: str) -> str:
    """A text without what a CI server reads as a command wherever it stands in a line."""
    return without_marks(text, _escape)


def _escape(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


def count_of(number: int, noun: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
