"""What options, variables and settings take besides numbers, from text: dtypes, devices, inputs,
points, exports and words of a list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.language.errors import (
    Mistake,
    PointError,
    UserError,
    did_you_mean,
    elide,
    mistake,
)
from gradcheck_cli.records.record import MODES
from gradcheck_cli.reports import FORMATS, export_target, require_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    Reader: TypeAlias = Callable[[Any, str], Any]

DEVICE = r"^(?:cpu|cuda(?::(?:0|[1-9][0-9]{0,3}))?|all)$(?!\n)"
_NAME = r"[^\W\d]\w*"
_DOTTED = re.compile(rf"{_NAME}(?:\.{_NAME})*")
OBJECT = rf"^(?:{_DOTTED.pattern}|.+\.py):{_DOTTED.pattern}$(?!\n)"
_OBJECT = re.compile(OBJECT)
# What stands for the backward of a function that returns its gradients with its value.
RETURNED = "returned"


def choosing(words: Callable[[], Iterable[str]]) -> Callable[[Reader], Reader]:
    """A decorator for a reader of words out of a list, or of some beside it."""

    def decorate(reader: Reader) -> Reader:
        reader.choices = words  # type: ignore[attr-defined]
        return reader

    return decorate


def choices_of(reader: Reader | None) -> tuple[str, ...]:
    """The words that a reader is known to take; none where any text will do."""
    return tuple(getattr(reader, "choices", tuple)())


def _dtypes() -> tuple[str, ...]:
    from gradcheck_cli.dtypes import DTYPES

    return tuple(DTYPES)


def one_of(code: str, noun: str, known: Sequence[str]) -> Callable[[str, str], str]:
    """A reader of one word out of `known`.

    Args:
        code: of the mistake that another word is.
        noun: what the words are.
    """

    @choosing(lambda: known)
    def read(text: str, name: str) -> str:
        if text in known:
            return text
        way_out = did_you_mean(text, known) or f"known: {', '.join(known)}"
        raise PointError([Mistake(code, f"no {noun} named `{elide(text)}`", help=way_out)])

    return read


def dtype_name(text: str, name: str) -> str:
    """The name of a dtype.

    Args:
        name: how the user calls what the text was given to; the same in all readers.
    Raises:
        UserError: the text is something else; so do all readers below.
    """
    from gradcheck_cli.dtypes import ALIASES

    return one_of("unknown-dtype", "dtype", _dtypes())(ALIASES.get(text, text), name)


def device_name(text: str, name: str) -> str:
    """The name of a device; whether it is there is seen when it is used."""
    if re.search(DEVICE, text):
        return text
    message = f"no device named `{elide(text)}`"
    raise PointError([Mistake("unknown-device", message, help="known: cpu, cuda, cuda:N, all")])


@choosing(_dtypes)
def dtype_names(text: str, name: str) -> tuple[str, ...]:
    """The dtypes of a comma list."""
    return _each(dtype_name, _words(text) or [text], name)


@choosing(lambda: ("cpu", "cuda", "all"))
def device_names(text: str, name: str) -> tuple[str, ...]:
    """The devices of a comma list."""
    return _each(device_name, _words(text) or [text], name)


@choosing(lambda: MODES)
def mode_names(text: str, name: str) -> tuple[str, ...]:
    """torch's modes of a comma list; `reverse` is always among them."""
    known = one_of("unknown-mode", "mode", MODES)
    return tuple(dict.fromkeys((MODES[0], *_each(known, _words(text) or [text], name))))


def input_names(text: str, name: str) -> tuple[str, ...]:
    """The names of a comma list, as Python reads names."""
    from unicodedata import normalize

    return tuple(dict.fromkeys(normalize("NFKC", word) for word in _words(text)))


def variant_names(text: str, name: str) -> tuple[str, ...]:
    """The names of a comma list; `all` or `none` of them."""
    words = tuple(dict.fromkeys(_words(text)))
    if words and (len(words) == 1 or not {"all", "none"} & {*words}):
        return words
    message = f"{name}: `{elide(text)}` names no variants"
    raise mistake("bad-setting", message, help="all, none, or names such as `large,float32`")


def point(texts: Sequence[str], name: str) -> dict[str, Any]:
    """What each input is set to."""
    from gradcheck_cli.questions.constructors import read_given
    from gradcheck_cli.questions.numbers import read_points

    return read_points(texts, read_given)


def range_of_input(texts: Sequence[str], name: str) -> dict[str, Any]:
    """What is swept, and over which range."""
    from gradcheck_cli.questions.numbers import read_points
    from gradcheck_cli.questions.ranges import read_range

    return read_points(texts, read_range, "--over x=-4:4")


def claims(texts: str | Sequence[str], name: str) -> tuple[str, ...]:
    """Claims as written; what they mean depends on the program."""
    found = (texts,) if isinstance(texts, str) else tuple(texts)
    if not all(text.strip() for text in found):
        raise PointError([Mistake("empty", "a claim is empty", help="write `x = 2*x`")])
    return found


def cotangent(text: str, name: str) -> Any:
    """A number or nested lists of numbers."""
    from gradcheck_cli.questions.constructors import read_given
    from gradcheck_cli.questions.numbers import Grid
    from gradcheck_cli.questions.points import Sample

    value = read_given(text)
    if isinstance(value, Grid | Sample):
        kind = "a grid" if isinstance(value, Grid) else "a distribution"
        message = f"a cotangent is a number or a nested list, not {kind}"
        raise PointError([Mistake("bad-number", message, text)])
    return value


def program_as_written(text: str, name: str) -> str:
    """A program as written, once it is known to be one."""
    from gradcheck_cli.language.reading import read_program

    read_program(text)
    return text


def object_title(text: str, name: str) -> str:
    """What names an object in a module, which is not imported."""
    if _OBJECT.fullmatch(text):
        return text
    hint = "write PKG.MOD:OBJ or FILE.py:OBJ, such as `layers.norm:RmsNorm`"
    raise mistake("bad-object", f"`{elide(text)}` names no object in a module", help=hint)


def backward_title(text: str, name: str) -> str:
    """As `object_title`; or that the gradients are returned with the value."""
    return text if text == RETURNED else object_title(text, name)


def importable(texts: Sequence[str], name: str) -> tuple[str, ...]:
    """Packages by their dotted names, files of Python and folders of them by their paths."""
    return _each(_importable, texts, name)


def _importable(text: str, name: str) -> str:
    if is_path(text) or _DOTTED.fullmatch(text):
        return text
    hint = "write PKG or PKG.MOD, or a path: FILE.py or FOLDER/"
    raise mistake("bad-package", f"{name}: `{elide(text)}` names no package", help=hint)


def is_path(text: str) -> bool:
    """Whether what may be imported is told by where it lies, and not by its name."""
    return text.endswith(".py") or "/" in text or "\\" in text


@choosing(lambda: FORMATS)
def report_format(text: str, name: str) -> str:
    """The name of a report format."""
    require_format(text)
    return text


def export_targets(words: Sequence[str], name: str) -> tuple[tuple[str, Path], ...]:
    """(format, path) of each export."""
    return _each(lambda word, _: export_target(word), words, name)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _each(reader: Callable[[str, str], Any], words: Sequence[str], name: str) -> tuple[Any, ...]:
    """What the words mean, each once; every mistake in them is told."""
    meant: list[Any] = []
    mistakes: list[Mistake] = []
    for word in words:
        try:
            meant.append(reader(word, name))
        except UserError as error:
            mistakes += error.mistakes
    if mistakes:
        raise PointError(mistakes)
    return tuple(dict.fromkeys(meant))
