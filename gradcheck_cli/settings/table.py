"""Everything that can be set, one row a setting: options, variables, keys of a file and their page
follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gradcheck_cli.language.errors import (
    Mistake,
    PointError,
    UserError,
    did_you_mean,
    elide,
    mistake,
)
from gradcheck_cli.reports import FORMATS
from gradcheck_cli.settings import quantities
from gradcheck_cli.settings.toml import Float

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# A setting as Typer takes it: text, a flag, or several texts.
Value: TypeAlias = str | bool | list[str]

COLORS = ("auto", "always", "never")
# Words for a flag in a variable: those that Typer reads.
FLAGS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
PREFIX = "GRADCHECK_"


class TomlKind(NamedTuple):
    """What a key of a file takes: types of TOML values, and the same in words."""

    types: tuple[type, ...]
    words: str


FLAG = TomlKind((bool,), "true or false")
TEXT = TomlKind((str,), "a string")
NAMES = TomlKind((str, list), "a string or an array of strings")
LIST, PATHS, EXPORTS = (
    TomlKind((list,), f"an array of {words}") for words in ("strings", "paths", "[FORMAT:]FILE")
)
WHOLE = TomlKind((int,), "a whole number")
NUMBER = TomlKind((int, Float), "a number")
EXACT = TomlKind((int, Float, str), "a number, or a string such as \"2**-20\"")  # fmt: skip
COUNTED = TomlKind((int, str), 'a whole number or "auto"')


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Attributes:
        name: the long option's, and the key's in a file.
        words: the option as Typer takes it; empty where there is none.
        commands: those that take it.
        builtin: what holds where nothing is said.
        example: a value as a file has it; empty where a file may not set it.
        reader: takes the text and what the user calls it; raises a UserError if the text is no such
            thing.
        parameter: what the command's function calls it.
    """

    name: str
    words: tuple[str, ...]
    commands: tuple[str, ...]
    kind: TomlKind
    builtin: str
    help: str
    metavar: str | None = None
    example: str = ""
    reader: Callable[[str, str], object] | None = None
    parameter: str = ""

    @property
    def key(self) -> str:
        """The parameter's name in the command's function, and in Typer's maps."""
        return self.parameter or self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable; empty where there is none."""
        return f"{PREFIX}{self.name.upper().replace('-', '_')}" if self.words else ""


def _choice(code: str, noun: str, known: tuple[str, ...]) -> Callable[[str, str], object]:
    """A reader of one word out of `known`."""

    def read(text: str, name: str) -> None:
        if text not in known:
            raise mistake(
                code,
                f"no {noun} named `{elide(text)}`",
                help=did_you_mean(text, known) or f"known: {', '.join(known)}",
            )

    return read


def _dtypes(text: str, name: str) -> None:
    """A comma list of dtypes."""
    from gradcheck_cli.dtypes import DTYPES

    bad = [
        word
        for word in ([word.strip() for word in text.split(",") if word.strip()] or [text])
        if word not in DTYPES
    ]
    if bad:
        raise PointError(
            [
                Mistake(
                    "unknown-dtype",
                    f"no dtype named `{elide(word)}`",
                    help=did_you_mean(word, DTYPES) or f"known: {', '.join(DTYPES)}",
                )
                for word in bad
            ]
        )


_BOTH, _CHECK, _RUN = ("check", "run"), ("check",), ("run",)
_FORMAT = _choice("unknown-format", "report format", tuple(FORMATS))
_COLOR = _choice("unknown-color", "colour choice", COLORS)

# fmt: off
ROWS = (
    Setting("suites",      (),                                           _RUN,   PATHS,   "none",     "What `gradcheck run` without arguments checks.", example='["suites", "more.gradcheck.yaml"]'),
    Setting("at",          ("--at",),                                    _CHECK, LIST,    "none",     "The point: a number, pi/4, [[1, 2], [3, 4]], or a grid 0:1:5. Repeatable.", "NAME=VALUE"),
    Setting("wrt",         ("--wrt",),                                   _BOTH,  NAMES,   "all",      "Inputs to differentiate (all).", "NAMES", '["x", "W"]'),
    Setting("dtype",       ("--dtype",),                                 _BOTH,  NAMES,   "float64",  "float64, float32, bfloat16, float16; a comma list checks each.", "NAMES", '["float64", "float32"]', _dtypes),
    Setting("device",      ("--device",),                                _BOTH,  NAMES,   "cpu",      "cpu, cuda, cuda:1, or all (those present).", "NAMES", '"cuda:1"'),
    Setting("cotangent",   ("--cotangent",),                             _CHECK, TEXT,    "ones",     "Upstream gradient, shaped like the result (ones).", "VALUE"),
    Setting("rtol",        ("--rtol",),                                  _BOTH,  EXACT,   "computed", "Your own relative tolerance instead of the computed one.", "R", "1e-6", quantities.tolerance),
    Setting("atol",        ("--atol",),                                  _BOTH,  EXACT,   "computed", "Your own absolute tolerance instead of the computed one.", "A", "0", quantities.tolerance),
    Setting("step",        ("--step",),                                  _BOTH,  EXACT,   "extrapolated", "Plain central difference with this step as the numeric opinion.", "H", '"2**-20"', quantities.step),
    Setting("strict",      ("--strict/--no-strict",),                    _BOTH,  FLAG,    "false",    "imprecise and kink exit 1 too.", example="true"),
    Setting("format",      ("--format", "-f"),                           _BOTH,  TEXT,    "table",    f"{', '.join(FORMATS)}.", "FORMAT", '"markdown"', _FORMAT, "form"),
    Setting("export",      ("--export",),                                _BOTH,  EXPORTS, "none",     "Also write a report to a file. Repeatable.", "[FORMAT:]FILE", '["report.json", "markdown:summary.txt"]'),
    Setting("quiet",       ("--quiet/--no-quiet", "-q"),                 _BOTH,  FLAG,    "false",    "Only what does not agree, and the summary.", example="true"),
    Setting("verbose",     ("--verbose/--no-verbose", "-v"),             _BOTH,  FLAG,    "false",    "Whole formulas and points.", example="true"),
    Setting("color",       ("--color",),                                 _BOTH,  TEXT,    "auto",     "auto, always or never.", "WHEN", '"never"', _COLOR),
    Setting("jobs",        ("--jobs", "-j"),                             _RUN,   COUNTED, "auto",     "Worker processes; auto fits them to the machine.", "N|auto", "4", quantities.jobs),
    Setting("keyword",     ("--keyword", "-k"),                          _RUN,   TEXT,    "none",     "Only cases whose id or program holds this text.", "TEXT"),
    Setting("tag",         ("--tag", "-t"),                              _RUN,   LIST,    "none",     "Only cases with this tag; !TAG leaves them out. Repeatable.", "TAG", '["!slow"]'),
    Setting("maxfail",     ("--maxfail",),                               _RUN,   WHOLE,   "0",        "Stop after this many failures; 0 never stops.", "N", "10", quantities.count),
    Setting("last-failed", ("--last-failed/--no-last-failed", "--lf"),   _RUN,   FLAG,    "false",    "Only cases that failed in the run before."),
    Setting("shard",       ("--shard",),                                 _RUN,   TEXT,    "none",     "Only the I-th of N parts, counted from 1.", "I/N", reader=quantities.shard),
    Setting("resume",      ("--resume/--no-resume",),                    _RUN,   FLAG,    "false",    "Go on where an interrupted run ended."),
    Setting("timeout",     ("--timeout",),                               _RUN,   NUMBER,  "120",      "Time for one check.", "SECONDS", "30", quantities.seconds),
    Setting("max-memory",  ("--max-memory",),                            _RUN,   TEXT,    "by machine", "Memory of one worker, such as 2GiB or 500MB.", "SIZE", '"2GiB"', quantities.size),
    Setting("seed",        ("--seed",),                                  _RUN,   WHOLE,   "0",        "Seed of random points.", "N", "42", quantities.count),
    Setting("exit-zero",   ("--exit-zero/--no-exit-zero",),              _RUN,   FLAG,    "false",    "Exit 0 whatever the outcomes are.", example="true"),
    Setting("cluster",     ("--cluster",),                               _RUN,   TEXT,    "none",     "Address of a Dask scheduler that gets the checks.", "ADDRESS", '"tcp://scheduler:8786"'),
)
# fmt: on
SETTINGS: Mapping[str, Setting] = {row.name: row for row in ROWS}


def wrong(row: Setting, value: Any) -> Iterator[tuple[int | None, Mistake]]:
    """What is wrong with a value of a TOML file, each with the number of the array's element that
    it is about, if it is about one.
    """
    if type(value) not in row.kind.types:
        yield None, _mistyped(row, row.kind.words, value)
        return
    # An empty array is read as an empty text.
    items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
    for index, item in items or [(None, "")]:
        if index is not None and type(item) is not str:
            yield index, _mistyped(row, "strings", item)
        elif row.reader:
            try:
                row.reader(_text(item), row.name)
            except UserError as error:
                yield from ((index, found) for found in error.mistakes)


def _mistyped(row: Setting, wanted: str, value: Any) -> Mistake:
    return Mistake(
        "bad-setting",
        f"{row.name} takes {wanted}, and this is {_TYPES.get(type(value), 'a date or a time')}",
        help=f"for example {row.name} = {row.example}",
    )


_TYPES = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    Float: "a number",
    list: "an array",
    dict: "a table",
}


def _text(value: Any) -> str:
    """A TOML value as its option takes it; Python writes no integer of more than 4,300 digits in
    decimals.
    """
    return hex(value) if isinstance(value, int) and value.bit_length() > 1_000 else str(value)


def of_toml(row: Setting, value: Any, seen: Callable[[str], str]) -> Value:
    """A value of a TOML file, in which nothing is wrong, as Typer takes it.

    Args:
        seen: a path of the file as it is seen from the working directory.
    """
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        return _text(value)
    if row.kind is NAMES:
        return ",".join(value)
    return [
        seen(item) if row.kind is PATHS else _export(item, seen) if row.kind is EXPORTS else item
        for item in value
    ]


def _export(word: str, seen: Callable[[str], str]) -> str:
    """`[FORMAT:]FILE` with the file as it is seen from the working directory."""
    name, colon, path = word.partition(":")
    return f"{name}:{seen(path)}" if colon and name.isalpha() and len(name) > 1 else seen(word)


def wrong_variables(command: str, environment: Mapping[str, str]) -> list[Mistake]:
    """What is wrong with the variables of a command's settings; an empty one counts as unset."""
    found: list[Mistake] = []
    for row in ROWS:
        text = environment.get(row.variable, "") if row.variable and command in row.commands else ""
        if text:
            found += _wrong(row, text)
    return found


def _wrong(row: Setting, text: str) -> list[Mistake]:
    if row.kind is FLAG and text.lower() not in FLAGS:
        return [
            Mistake(
                "bad-setting",
                f"{row.variable}: `{text}` is neither yes nor no",
                help="1, true, yes or on; 0, false, no or off",
            )
        ]
    try:
        if row.reader:
            row.reader(text, row.variable)
    except UserError as error:
        return [
            Mistake(
                m.code,
                m.message if m.message.startswith(row.variable) else f"{row.variable}: {m.message}",
                help=m.help,
            )
            for m in error.mistakes
        ]
    return []


def wrong_words(command: str, values: Mapping[str, object]) -> list[Mistake]:
    """What is wrong with the values of a command's options, by the names of its parameters; those
    of files and variables have been read before.
    """
    found: list[Mistake] = []
    for row in ROWS:
        text = values.get(row.key)
        if row.reader and command in row.commands and isinstance(text, str):
            try:
                row.reader(text, f"--{row.name}")
            except UserError as error:
                found += error.mistakes
    return found


def strangers(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none: somebody else's, or a
    slip.
    """
    known = [row.variable.removeprefix(PREFIX) for row in ROWS if row.variable]
    found = sorted(name.removeprefix(PREFIX) for name in environment if name.startswith(PREFIX))
    # The common beginning would make all names look alike.
    near = {
        name: did_you_mean(name, known).replace(" `", f" `{PREFIX}")
        for name in found
        if name not in known
    }
    return [
        f"{PREFIX}{name} is no setting{f'; {words}' if words else ''}"
        for name, words in near.items()
    ]
