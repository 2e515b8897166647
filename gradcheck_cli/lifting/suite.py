"""A suite of the checks of a script."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.laws import LAWS
from gradcheck_cli.questions.numbers import Exact, Grid, NonFinite
from gradcheck_cli.questions.points import Sample
from gradcheck_cli.suites.read import read_suites

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.lifting.checks import Check
    from gradcheck_cli.lifting.script import NotLifted
    from gradcheck_cli.questions.points import Given

_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")
_PLAIN = re.compile(r"[A-Za-z(][\w ()+*/.,=@<>-]*[\w)]|[A-Za-z]")
# Words that YAML, or an older reader of it, takes for something else.
_RESERVED = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf")


def suite_text(name: str, checks: Sequence[Check], unread: Sequence[NotLifted], seed: int) -> str:
    """The suite as a file.

    Args:
        name: of the file that was lifted.
    """
    lines = [f"# Lifted from {_comment(name)}.", "version: 1"]
    lines.append("cases:" if checks else "cases: []")
    taken: set[str] = set()
    for check in checks:
        lines += case_lines(check, _id(check, taken), seed)
    if unread:
        lines.append("# Not lifted:")
        lines += [f"#   {_comment(str(each))}" for each in unread]
    return "\n".join(lines) + "\n"


def mistake_in(check: Check, seed: int) -> str:
    """What a reader of suites says is wrong with a check; empty of a good one."""
    text = "\n".join(["version: 1", "cases:", *case_lines(check, "case", seed)])
    try:
        read_suites([("lifted", text)], {}, {})
    except UserError as error:
        return error.mistakes[0].message
    return ""


def _id(check: Check, taken: set[str]) -> str:
    place = check.places[0]
    base = f"cell-{place.cell}-line-{place.line}" if place.cell else f"line-{place.line}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def case_lines(check: Check, name: str, seed: int) -> Iterator[str]:
    """The lines of a case."""
    where = "; ".join(map(str, check.places))
    yield f"  # {_comment(f'{where}: {check.words}')}"
    for note in check.notes:
        yield f"  # {_comment(note)}"
    yield f"  - id: {name}"
    yield from _block("expr", check.program.program.text)
    yield "    at:"
    for variable, value in check.at.items():
        written = check.written.get(variable)
        text = _quoted(written) if written else _given(value, seed)
        yield f"      {_key(variable)}: {text}"
    if check.program.wrt:
        yield f"    wrt: [{', '.join(map(_key, check.program.wrt))}]"
    if check.cotangent is not None:
        yield f"    cotangent: {_nested(check.cotangent)}"
    if check.dtype:
        yield f"    dtype: {check.dtype}"
    if check.claims:
        yield "    claim: |"
        yield from (f"      {line}" for line in check.claims)
    if check.expected:
        yield "    expect:"
        yield "      partials:"
        yield from (f"        {_key(k)}: {text}" for k, text in check.expected.items())


def _block(key: str, text: str) -> Iterator[str]:
    """A text as a value: on the line, or below it."""
    if "\n" not in text:
        yield f"    {key}: {text if _is_plain(text) else _quoted(text)}"
        return
    yield f"    {key}: |"
    yield from (f"      {line}" for line in text.split("\n"))


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and text.lower() not in _RESERVED


def _key(name: str) -> str:
    return name if _is_plain(name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    """A text on one line, which ends no comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _given(value: Given, seed: int) -> str:
    """A value of a point."""
    if isinstance(value, Sample):
        law = LAWS[value.law]
        parts = [f"sample: {value.law}", "count: 1"]
        if value.shape:
            parts.append(f"shape: [{', '.join(map(str, value.shape))}]")
        ends = zip((law.low, law.high), (value.low, value.high), law.default, strict=True)
        for key, number, usual in ends:
            if _text(number) != usual:
                parts.append(f"{key}: {_scalar(number)}")
        return f"{{{', '.join([*parts, f'seed: {seed}'])}}}"
    if isinstance(value, Grid):
        value = [value[k] for k in range(len(value))]
    return f"{{tensor: {_nested(value)}}}" if isinstance(value, list) else _nested(value)


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    return _scalar(value)


def _text(number: Exact | NonFinite) -> str:
    if number.text:
        return number.text
    value = number.value
    return str(value) if isinstance(value, float) or value.denominator == 1 else repr(float(value))


def _scalar(number: Exact | NonFinite) -> str:
    text = _text(number)
    return text if _NUMBER.fullmatch(text) else _quoted(text)
