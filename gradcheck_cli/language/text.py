"""The text form of a Program; reading it gives the same Program."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.constants import MAX_DIGITS
from gradcheck_cli.language.program import Call, Number, Program, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.functions.row import Function, SettingValue

# Binding strength as in Python; a call, a name and a number bind tightest.
_STRENGTH = {
    "or": 1, "and": 2, "not": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "@": 6, "%": 6, "-x": 7, "**": 8,
}  # fmt: skip
_ATOM = 9
# A line of an inlined expression stops growing here; what is longer, or has more brackets within
# brackets, gets a name of its own: Python's parser gives up at about 90 nested calls.
_LINE, _DEPTH = 2_000, 40
# The language reads no more decimal digits than this has zeros.
_DECIMAL_END = 10**MAX_DIGITS
# Wide enough for every literal that `parse` reads.
_WIDE = Context(prec=20_000, Emin=-999_999, Emax=999_999)


class _Part(NamedTuple):
    """Text of a node, how tightly it binds, and how deeply its brackets and prefixes nest."""

    text: str
    strength: int = _ATOM
    depth: int = 0


def program_text(program: Program) -> str:
    """Assignments and a last expression; shared and named parts are assigned."""
    uses: dict[int, int] = {}
    for node in program.nodes:
        for i in node.args if isinstance(node, Call) else ():
            uses[i] = uses.get(i, 0) + 1
    names = _Names(program)
    lines: list[str] = []
    parts: list[_Part] = []
    for i, node in enumerate(program.nodes):
        part = _part(node, parts)
        is_long = len(part.text) > _LINE or part.depth > _DEPTH
        needs_name = i in program.names or uses.get(i, 0) > 1 or is_long
        if isinstance(node, Call) and i != program.result and needs_name:
            name = names.of(i)
            lines.append(f"{name} = {part.text}")
            part = _Part(name)
        parts.append(part)
    return "\n".join([*lines, parts[program.result].text])


class _Names:
    """Gives each node a name of its own: the user's, unless an input or another node has it."""

    def __init__(self, program: Program) -> None:
        self.own = program.names
        self.taken = set(program.variables)
        self.wanted = set(program.names.values())

    def of(self, index: int) -> str:
        own = self.own.get(index)
        name = own if own and own not in self.taken else f"{f'{own}_' if own else 't'}{index}"
        while name in self.taken or (name in self.wanted and name != own):
            name += "_"
        self.taken.add(name)
        return name


def _part(node: Number | Variable | Call, parts: list[_Part]) -> _Part:
    if isinstance(node, Number):
        text = number_text(node)
        sign = "-x" if text.startswith("-") else "/"
        return _Part(text, _STRENGTH[sign] if sign == "-x" or "/" in text else _ATOM)
    if isinstance(node, Variable):
        return _Part(node.name)
    row = lookup(node.function)
    args = [parts[i] for i in node.args]
    depth = max((arg.depth for arg in args), default=0)
    if row.operator == "[]":
        key = key_text(dict(node.settings)["key"])
        return _Part(f"{_within(args[0], _ATOM)}[{key}]", _ATOM, depth + 1)
    if row.operator in _STRENGTH:
        write = _infix if len(args) == 2 else _prefix
        # A chain of sums nests nothing; a prefix, a power's exponent or brackets do.
        return _Part(*write(row.operator, args), depth + _nests(row.operator, args))
    if not args and not row.parsed.variadic:
        return _Part(row.name)
    texts = [arg.text for arg in args]
    words = ", ".join(texts if row.parsed.variadic else argument_texts(row, texts))
    defaults = row.bound({})
    settings = [
        f"{k}={setting_text(v)}"
        for k, v in node.settings
        if v != defaults[k] or type(v) is not type(defaults[k])
    ]
    words = ", ".join([f"[{words}]" if row.parsed.variadic else words, *settings])
    return _Part(f"{row.name}({words})", _ATOM, depth + 1)


def _nests(operator: str, args: list[_Part]) -> bool:
    """Whether writing the operator nests its arguments deeper, one way or another."""
    if len(args) == 1 or operator == "**":
        return True
    strength = _STRENGTH[operator]
    return args[0].strength < strength or any(arg.strength <= strength for arg in args[1:])


def _prefix(operator: str, parts: list[_Part]) -> tuple[str, int]:
    strength = _STRENGTH["-x" if operator == "-" else operator]
    return f"{operator}{' ' if operator.isalpha() else ''}{_within(parts[0], strength)}", strength


def _infix(operator: str, parts: list[_Part]) -> tuple[str, int]:
    strength = _STRENGTH[operator]
    left, right = strength, strength + 1
    if operator == "**":
        left, right = _ATOM, _STRENGTH["-x"]
    elif strength == _STRENGTH["<"]:
        left = strength + 1  # comparisons chain: (a < b) < c is not a < b < c
    joint = operator if operator == "**" else f" {operator} "
    return f"{_within(parts[0], left)}{joint}{_within(parts[1], right)}", strength


def _within(part: _Part, strength: int) -> str:
    return part.text if part.strength >= strength else f"({part.text})"


def number_text(node: Number) -> str:
    """A literal that reads back to the same number."""
    if isinstance(node.value, float):
        return "inf" if node.value > 0 else "-inf"
    if node.decimal:
        return decimal_text(node.value)
    if node.value.denominator == 1:
        return integer_text(node.value.numerator)
    return f"{node.value.numerator}/{node.value.denominator}"


def integer_text(value: int) -> str:
    """An integer in decimal digits; in hexadecimal ones where Python would not read so many."""
    return str(value) if abs(value) < _DECIMAL_END else hex(value)


def decimal_text(value: Fraction) -> str:
    """A decimal with a point or an exponent, exact where the value has a finite expansion."""
    if value == 0:
        return "0.0"
    digits, places = abs(value.numerator), 0
    rest = value.denominator
    for prime, other in ((2, 5), (5, 2)):
        while rest % prime == 0:
            rest //= prime
            digits *= other
            places += 1
    if rest != 1:
        return f"{integer_text(value.numerator)}/{integer_text(value.denominator)}"
    # numerator / (2**a 5**b) = digits / 10**(a + b)
    text = str(Decimal(digits).scaleb(-places, _WIDE).normalize(_WIDE))
    if "." not in text and "E" not in text:
        text += ".0"
    return ("-" if value < 0 else "") + text.lower().replace("e+", "e")


def argument_texts(row: Function, texts: Sequence[str]) -> list[str]:
    """The arguments of a call as one writes them: one that is its default is left out, and those
    behind it are called by their names, as are those that a call takes in another place. There may
    be more of them than parameters.
    """
    parameters, places = row.parsed.args, row.places or row.parsed.names
    written: list[str] = []
    all_written = True
    for k, text in enumerate(texts):
        parameter = parameters[k] if k < len(parameters) else None
        if parameter and not parameter.required and text == setting_text(parameter.default):
            all_written = False
        else:
            all_written = all_written and (
                parameter is None or places[k : k + 1] == (parameter.name,)
            )
            written.append(text if all_written or not parameter else f"{parameter.name}={text}")
    return written


def setting_text(value: SettingValue) -> str:
    """A setting as the language writes it."""
    if isinstance(value, tuple):
        inner = ", ".join(setting_text(v) for v in value)  # type: ignore[arg-type]  # tuples hold settings
        return f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, Fraction):
        return decimal_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return integer_text(value)
    return repr(value)


def key_text(key: SettingValue) -> str:
    """The inside of the brackets of an index."""
    assert isinstance(key, tuple)
    return "()" if not key else ", ".join(_item_text(item) for item in key)


def _item_text(item: object) -> str:
    if isinstance(item, tuple):
        start, stop, step = ("" if part is None else str(part) for part in item[1:])
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return str(item)
