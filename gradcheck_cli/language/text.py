"""The text form of a Program; reading it gives the same Program."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number, Program, Setting, Variable

# Binding strength as in Python; a call, a name and a number bind tightest.
_STRENGTH = {
    "or": 1, "and": 2, "not": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "@": 6, "%": 6, "neg": 7, "**": 8,
}  # fmt: skip
_ATOM = 9
# A line of an inlined expression stops growing here; what is longer gets a name of its own.
_LINE = 2_000
# Wide enough for every literal that `parse` reads.
_WIDE = Context(prec=20_000, Emin=-999_999, Emax=999_999)


def program_text(program: Program) -> str:
    """Assignments and a last expression; shared and named parts are assigned."""
    uses: dict[int, int] = {}
    for node in program.nodes:
        for i in set(node.args) if isinstance(node, Call) else ():
            uses[i] = uses.get(i, 0) + 1
    taken = set(program.variables) | set(program.names.values())
    lines: list[str] = []
    texts: list[tuple[str, int]] = []
    for i, node in enumerate(program.nodes):
        text, strength = _node_text(node, texts)
        named = isinstance(node, Call) and i != program.result and not lookup(node.function).condition
        if named and (i in program.names or uses.get(i, 0) > 1 or len(text) > _LINE):
            name = _free(program.names.get(i, f"t{i}"), taken, own=i in program.names)
            lines.append(f"{name} = {text}")
            text, strength = name, _ATOM
        texts.append((text, strength))
    return "\n".join([*lines, texts[program.result][0]])


def _free(name: str, taken: set[str], *, own: bool) -> str:
    while not own and name in taken:
        name += "_"
    taken.add(name)
    return name


def _node_text(node: Number | Variable | Call, texts: list[tuple[str, int]]) -> tuple[str, int]:
    """Text of one node and how tightly it binds."""
    if isinstance(node, Number):
        text = number_text(node)
        return text, _STRENGTH["neg"] if text.startswith("-") else _ATOM if "/" not in text else _STRENGTH["/"]
    if isinstance(node, Variable):
        return node.name, _ATOM
    row = lookup(node.function)
    parts = [texts[i] for i in node.args]
    if row.name == "getitem":
        return f"{_within(parts[0], _ATOM)}[{key_text(dict(node.settings)['key'])}]", _ATOM
    if row.operator and len(parts) == 2:
        return _infix(row.operator, parts)
    if row.operator:
        strength = _STRENGTH["neg" if row.operator == "-" else row.operator]
        return f"{row.operator}{' ' if row.operator.isalpha() else ''}{_within(parts[0], strength)}", strength
    if not parts and not row.parsed.variadic:
        return row.name, _ATOM
    arguments = [text for text, _ in parts]
    if row.parsed.variadic:
        arguments = [f"[{', '.join(arguments)}]"]
    defaults = row.bound({})
    arguments += [f"{k}={setting_text(v)}" for k, v in node.settings if v != defaults[k] or type(v) is not type(defaults[k])]
    return f"{row.name}({', '.join(arguments)})", _ATOM


def _infix(operator: str, parts: list[tuple[str, int]]) -> tuple[str, int]:
    strength = _STRENGTH[operator]
    left, right = strength, strength + 1
    if operator == "**":
        left, right = _ATOM, _STRENGTH["neg"]
    elif strength == _STRENGTH["<"]:
        left = strength + 1  # comparisons chain: (a < b) < c is not a < b < c
    joint = operator if operator == "**" else f" {operator} "
    return f"{_within(parts[0], left)}{joint}{_within(parts[1], right)}", strength


def _within(part: tuple[str, int], strength: int) -> str:
    return part[0] if part[1] >= strength else f"({part[0]})"


def number_text(node: Number) -> str:
    """A literal that reads back to the same number."""
    if isinstance(node.value, float):
        return "inf" if node.value > 0 else "-inf"
    if node.value.denominator == 1 and not node.decimal:
        return str(node.value.numerator)
    return decimal_text(node.value) if node.decimal else f"{node.value.numerator}/{node.value.denominator}"


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
        return f"{value.numerator}/{value.denominator}"
    # numerator / (2**a 5**b) = digits / 10**(a + b)
    text = str(Decimal((0, tuple(int(d) for d in str(digits)), -places)).normalize(_WIDE))
    if "." not in text and "E" not in text:
        text += ".0"
    return ("-" if value < 0 else "") + text.lower().replace("e+", "e")


def setting_text(value: Setting) -> str:
    """A setting as the language writes it."""
    if isinstance(value, tuple):
        inner = ", ".join(setting_text(v) for v in value)  # type: ignore[arg-type]  # tuples hold settings
        return f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, Fraction):
        return decimal_text(value)
    return repr(value)


def key_text(key: Setting) -> str:
    """The inside of the brackets of an index."""
    assert isinstance(key, tuple)
    return ", ".join(_item_text(item) for item in key)


def _item_text(item: object) -> str:
    if isinstance(item, tuple):
        start, stop, step = ("" if part is None else str(part) for part in item[1:])
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return str(item)
