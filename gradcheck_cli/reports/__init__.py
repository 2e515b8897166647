"""Report formats: a file each, with `render(report) -> str` and two lines that make it one.

`RANK = 2` is its place where formats are listed, `SUFFIXES = (".json",)` the endings of files that
ask for it. A format without formulas says so in a third line, `FORMULAS = False`: a run that writes
no other has none made. The lines are read as text: `--help` names every format and loads none. The
same Report gives the same bytes.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.language.errors import did_you_mean, elide, mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.records.report import Report

_HEAD = re.compile(r"\nRANK = (\d+)\nSUFFIXES = \((.*)\)\n(FORMULAS = False\n)?")


class FormatHead(NamedTuple):
    """What the first lines of a format say: the endings of its files, whether it has formulas."""

    suffixes: tuple[str, ...]
    formulas: bool


def formats_in(folder: Path) -> dict[str, FormatHead]:
    """Each format that a folder holds, in order, with its head."""
    heads = {path.stem: _HEAD.search(path.read_text("utf-8")) for path in folder.glob("*.py")}
    ranked = sorted((int(head[1]), name, head) for name, head in heads.items() if head)
    return {
        name: FormatHead(tuple(re.findall(r'"(.+?)"', head[2])), not head[3])
        for _, name, head in ranked
    }


_FORMATS = formats_in(Path(__file__).parent)
FORMATS = tuple(_FORMATS)
SUFFIXES = {suffix: name for name, head in _FORMATS.items() for suffix in head.suffixes}


def shows_formulas(name: str) -> bool:
    """Whether reports of a format have the formulas of derivatives."""
    return _FORMATS[name].formulas


def renderer(name: str, kind: str = "") -> Callable[[Report], str]:
    """The function that renders a format.

    Args:
        kind: of the report. `sweeps` have forms of their own for some formats; the others show
            each part as a case.
    """
    own = Path(__file__).parent / kind / f"{name}.py"
    place = f"{__name__}.{kind}.{name}" if kind and own.exists() else f"{__name__}.{name}"
    render: Callable[[Report], str] = import_module(place).render
    return render


def require_format(name: str) -> None:
    """Nothing, if there is a format of this name.

    Raises:
        UserError: there is none.
    """
    if name not in FORMATS:
        raise mistake(
            "unknown-format",
            f"no report format named `{elide(name)}`",
            help=did_you_mean(name, FORMATS) or f"known: {', '.join(FORMATS)}",
        )


def export_target(word: str) -> tuple[str, Path]:
    """(format, path) of an export, `FORMAT:FILE` or a file with an ending that tells.

    Raises:
        UserError: there is no such format.
    """
    name, colon, path = word.partition(":")
    if colon and name.isalpha() and len(name) > 1:
        require_format(name)
    form, target = (name, Path(path)) if colon and name in FORMATS else ("", Path(word))
    form = form or SUFFIXES.get(target.suffix.lower(), "")
    if not form:
        raise mistake(
            "unknown-format",
            f"no report format is known by the ending of `{word}`",
            help=f"write FORMAT:FILE with one of {', '.join(FORMATS)}",
        )
    return form, target
