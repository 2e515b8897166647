"""What a value of a TOML file says of a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import Mistake, UserError
from gradcheck_cli.settings.readers import is_path
from gradcheck_cli.settings.table import EXPORTS, NAMES, PACKAGES, PATHS, Float
from gradcheck_cli.settings.values import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.settings.table import Setting, Text

_TYPES = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    Float: "a number",
    list: "an array",
    dict: "a table",
}


def said_in_toml(
    row: Setting,
    value: Any,
    seen: Callable[[str], str],
    wrong: list[tuple[int | None, Mistake]],
) -> Said | None:
    """What a value says; None where that is nothing.

    Args:
        seen: a path of the file as it is seen from the working directory; raises a UserError if the
            file may not name it.
        wrong: gains what is wrong, each with the number of the array's item that it is about, if
            it is about one.
    """
    if type(value) not in row.kind.types:
        wrong.append((None, _mistyped(row, row.kind.words, value)))
        return None
    if isinstance(value, list) and value:
        return _of_items(row, value, seen, wrong)
    text = _text(row, value)
    try:
        return Said(text, row.read(text, row.name))
    except UserError as error:
        wrong += [(None, mistake) for mistake in error.mistakes]
        return None


def _of_items(
    row: Setting,
    items: list[Any],
    seen: Callable[[str], str],
    wrong: list[tuple[int | None, Mistake]],
) -> Said:
    words: list[str] = []
    meant: list[Any] = []
    for index, item in enumerate(items):
        if type(item) is not str:
            wrong.append((index, _mistyped(row, "strings", item)))
            continue
        try:
            words.append(_seen(row, item, seen))
            meant += row.read(words[-1:] if row.kind.repeats else words[-1], row.name)
        except UserError as error:
            wrong += [(index, mistake) for mistake in error.mistakes]
    if row.kind is NAMES:
        return Said(",".join(words), tuple(dict.fromkeys(meant)))
    return Said(words, tuple(meant))


def _mistyped(row: Setting, wanted: str, value: Any) -> Mistake:
    kind = _TYPES.get(type(value), "a date or a time")
    message = f"{row.name} takes {wanted}, and this is {kind}"
    return Mistake("bad-setting", message, help=f"for example {row.name} = {row.example}")


def _text(row: Setting, value: Any) -> Text:
    """A value as its option takes it."""
    if isinstance(value, list):
        return [] if row.kind.repeats else ""
    if isinstance(value, int) and value.bit_length() > 1_000:
        return hex(value)  # Python writes no integer of more than 4,300 digits in decimals
    return value if isinstance(value, bool) else str(value)


def _seen(row: Setting, word: str, seen: Callable[[str], str]) -> str:
    """A word with the path in it as it is seen from the working directory."""
    if row.kind is PATHS:
        return seen(word)
    if row.kind is PACKAGES:
        # A folder stays one to be seen.
        return f"{seen(word)}{'' if word.endswith('.py') else '/'}" if is_path(word) else word
    if row.kind is not EXPORTS:
        return word
    name, colon, path = word.partition(":")
    return f"{name}:{seen(path)}" if colon and name.isalpha() and len(name) > 1 else seen(word)
