"""Settings from values of Python, as the texts that their options would be given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from operator import index
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import Mistake, PointError, UserError, object_text
from gradcheck_cli.language.text import integer_text
from gradcheck_cli.settings.table import EXACT, FLAG, NUMBER, SETTINGS, WHOLE
from gradcheck_cli.settings.values import Settings, read_layer

if TYPE_CHECKING:
    from gradcheck_cli.settings.table import Setting, Text
    from gradcheck_cli.settings.values import Unread

# Libraries whose dtypes and devices are called by their names.
_NAMING = ("torch", "numpy")


def settings_of_values(values: Mapping[str, Any]) -> Settings:
    """What holds where values of Python are given for settings, by their names; None says nothing.

    Raises:
        UserError: with every value that is no such thing, or that its setting's reader does not
            take.
    """
    texts: dict[str, Text] = {}
    unread: Unread = {}
    for name, value in values.items():
        if value is not None:
            try:
                texts[name] = _text(SETTINGS[name], value)
            except UserError as error:
                unread[name] = error.mistakes
    settings = Settings(above=read_layer(texts, unread, "{}"), unread=unread)
    settings.require_readable()
    return settings


def _text(row: Setting, value: Any) -> Text:
    """A value as its option would be given it; several words with commas."""
    if row.kind.repeats:
        return _texts(row, value)
    if row.kind is FLAG:
        return _flag(row, value)
    if isinstance(value, str):
        return value
    if row.kind in (WHOLE, EXACT, NUMBER):
        return _number(row, value)
    several = isinstance(value, Iterable) and not hasattr(value, "tolist")
    words = [_word(row, word) for word in (value if several else [value])]
    if not words and row.default is not None:
        raise _unfit(row, "a name or several", value)
    return ",".join(words)


def _texts(row: Setting, value: Any) -> list[str]:
    """Texts of an option that is repeated; of a mapping `name = text`."""
    if isinstance(value, Mapping):
        value = [f"{name} = {text}" for name, text in value.items()]
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, list | tuple) and all(isinstance(text, str) for text in texts):
        return list(texts)
    raise _unfit(row, "a text or several", value)


def _flag(row: Setting, value: Any) -> bool:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, int) and plain in (0, 1):
        return bool(plain)
    raise _unfit(row, "True or False", value)


def _number(row: Setting, value: Any) -> str:
    if isinstance(value, bool):
        raise _unfit(row, "a number", value)
    try:
        if isinstance(value, Decimal):
            return str(value)
        if isinstance(value, Fraction):
            return f"{integer_text(value.numerator)}/{integer_text(value.denominator)}"
        whole = hasattr(value, "__index__") and not hasattr(value, "is_floating_point")
        return integer_text(index(value)) if whole else repr(float(value))
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise _unfit(row, "a number", value) from error


def _word(row: Setting, value: Any) -> str:
    """A name: a text, or a dtype or a device of a library."""
    if isinstance(value, str):
        return value
    if value is float:  # NumPy and torch take Python's own for float64
        return "float64"
    if isinstance(value, type):
        return value.__name__
    library = type(value).__module__.partition(".")[0]
    if library in _NAMING and not hasattr(value, "tolist"):
        return str(value).removeprefix("torch.")
    raise _unfit(row, "names", value)


def _unfit(row: Setting, wanted: str, value: Any) -> PointError:
    message = f"`{row.name}` takes {wanted}, not {object_text(value)}"
    return PointError([Mistake("bad-setting", message)])
