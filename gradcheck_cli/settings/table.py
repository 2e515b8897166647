"""Everything that can be set, one row a setting. Options, variables, keys of files and suites, what
they mean, and the command that reproduces a check follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from gradcheck_cli.reports import FORMATS
from gradcheck_cli.settings import quantities, readers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A setting as Typer takes it: text, a flag, or several texts.
Text: TypeAlias = "str | bool | list[str]"
# How a setting stands in the command that reproduces a check: not at all; in the user's own words;
# in the words of the check itself, which has one point, one dtype and one device; or in the user's
# own words where its case is run again.
Repeated: TypeAlias = Literal["never", "as given", "as checked", "in a run"]

COLORS = ("auto", "always", "never")
PREFIX = "GRADCHECK_"


class Unset(str):
    """What holds where nothing is said, in words: there is no value for it."""

    __slots__ = ()


class Float(str):
    """A float as a file has it: 0.1 stays a tenth."""

    __slots__ = ()


class TomlKind(NamedTuple):
    """What a key of a file takes: types of TOML values, and the same in words."""

    types: tuple[type, ...]
    words: str

    @property
    def repeats(self) -> bool:
        """Whether the option is given once for each value."""
        return self.types == (list,)

    @property
    def is_plural(self) -> bool:
        """Whether there may be several values."""
        return list in self.types


FLAG = TomlKind((bool,), "true or false")
TEXT = TomlKind((str,), "a string")
NAMES = TomlKind((str, list), "a string or an array of strings")
LIST, PATHS, EXPORTS = (
    TomlKind((list,), f"an array of {words}") for words in ("strings", "paths", "[FORMAT:]FILE")
)
PACKAGES = TomlKind((list,), "an array of packages or paths")
WHOLE = TomlKind((int,), "a whole number")
NUMBER = TomlKind((int, Float), "a number")
EXACT = TomlKind((int, Float, str), 'a number, or a string such as "2**-20"')
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
        reader: what a text means, of a setting that repeats what all of them mean; takes what the
            user calls it, too, and raises a UserError if the text is no such thing.
        suite: the key by which a suite may say it; empty where it may not. Settings of one key
            replace each other together.
        stored: commands on stored reports that take it, from their words and variables alone.
        matters: whether the results of a run depend on it.
        repeated: how it stands in the command that reproduces a check.
    """

    name: str
    words: tuple[str, ...]
    commands: tuple[str, ...]
    kind: TomlKind
    builtin: str
    metavar: str | None
    example: str
    help: str
    reader: Callable[[Any, str], Any] | None = None
    suite: str = ""
    stored: tuple[str, ...] = ()
    matters: bool = True
    repeated: Repeated = "never"

    @property
    def key(self) -> str:
        """The parameter's name in Typer's maps, and the attribute's in `Settings`."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable; empty where there is none."""
        return f"{PREFIX}{self.name.upper().replace('-', '_')}" if self.words else ""

    @property
    def default(self) -> str | bool | None:
        """What is built in as Typer takes it; None where that is no value."""
        if isinstance(self.builtin, Unset):
            return None
        return self.builtin == "true" if self.kind is FLAG else self.builtin

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that it takes, where they can be listed."""
        return readers.choices_of(self.reader)

    @cached_property
    def unsaid(self) -> Any:
        """The value where nobody says anything."""
        if self.default is not None:
            return self.read(self.default, self.name)
        if not self.kind.is_plural:
            return None
        return self.read([] if self.kind.repeats else "", self.name)

    def read(self, text: Text, called: str) -> Any:
        """What a text means.

        Args:
            called: how the user calls the setting.
        Raises:
            UserError: it means nothing.
        """
        if self.reader is None or isinstance(text, bool):
            return tuple(text) if isinstance(text, list) else text
        return self.reader(text, called)

    def spoken(self, text: Text) -> list[str]:
        """The words of a command line that say it."""
        if isinstance(text, bool):
            return [f"--{'' if text else 'no-'}{self.name}"]
        items = text if isinstance(text, list) else [text]
        return [word for item in items for word in (f"--{self.name}", item)]


_BOTH, _CHECK, _RUN, _LINT = ("check", "run"), ("check",), ("run",), ("run", "lint")
_CODE, _ALL, _ASKED, _LIMITED = ("fn",), ("check", "run", "fn"), ("check", "fn"), ("run", "fn")
_HUNTED, _RANGED, _POINTED = ("hunt",), ("sweep", "hunt"), ("check", "sweep", "hunt")
_DRAWN, _RAN = ("check", "sweep"), ("run", "sweep")
_EVERY, _WEIGHED, _BOUNDED = (*_ALL, *_RANGED), (*_ASKED, *_RANGED), (*_LIMITED, *_RANGED)
_STORED = ("report", "merge")
_COLOR = readers.one_of("unknown-color", "colour choice", COLORS)

# fmt: off
ROWS: tuple[Setting, ...] = (
    Setting("suites",      (),                               _LINT,  PATHS,   Unset("none"),         None,            '["suites", "more.gradcheck.yaml"]',
            "What `gradcheck run` without arguments checks."),
    Setting("at",          ("--at",),                        _POINTED, LIST,    Unset("none"),         "NAME=VALUE",    "",
            "The point: a number, pi/4, [[1, 2], [3, 4]], a grid 0:1:5, or randn(3). Repeatable.", readers.point, repeated="as checked"),
    Setting("over",        ("--over",),                      _RANGED, LIST,    Unset("none"),         "NAME=RANGE",    "",
            "What is swept or hunted over: x=-4:4, x=0:1:1000, or x=all for every number of the dtype.", readers.range_of_input),
    Setting("arg",         ("--arg",),                       _CODE,  LIST,    Unset("none"),         "NAME=VALUE",    "",
            "An argument: 0.5, [[1, 2], [3, 4]], randn(4, 3), int:[0, 2], none, 'mean'. Repeatable."),
    Setting("spec",        ("--spec",),                      _CODE,  TEXT,    Unset("none"),         "EXPR",          "",
            "A program that says what the function computes; it is held against that.", readers.program_as_written, suite="spec"),
    Setting("twin",        ("--twin",),                      _CODE,  TEXT,    Unset("none"),         "PKG.MOD:OBJ",   "",
            "A plain implementation of the same; its own error is the scale.", readers.object_title, suite="twin"),
    Setting("backward",    ("--backward",),                  _CODE,  TEXT,    Unset("none"),         "PKG.MOD:OBJ",   "",
            "The backward of a function of NumPy arrays, or `returned` with its value.", readers.backward_title, suite="backward"),
    Setting("backward-spec", ("--backward-spec",),           _CODE,  TEXT,    Unset("none"),         "EXPR",          "",
            "A program whose gradient is meant instead of the function's own.", readers.program_as_written, suite="backward-spec"),
    Setting("variants",    ("--variants",),                  _CODE,  NAMES,   "all",                 "NAMES",         "",
            "Calls that are tried beside the one asked for: all, none, or names.", readers.variant_names, suite="variants"),
    Setting("repeat",      ("--repeat",),                    _CODE,  WHOLE,   "1",                   "N",             "",
            "How often it is run to see whether it gives the same.", quantities.count, suite="repeat"),
    Setting("wrt",         ("--wrt",),                       _EVERY,   NAMES,   Unset("all"),          "NAMES",         '["x", "W"]',
            "Inputs to differentiate (all), or names that the program assigns.", readers.input_names, suite="wrt", repeated="as checked"),
    Setting("dtype",       ("--dtype",),                     _EVERY,   NAMES,   "float64",             "NAMES",         '["float64", "float32"]',
            "float64, float32, bfloat16, float16; a comma list checks each.", readers.dtype_names, suite="dtype", repeated="as checked"),
    Setting("device",      ("--device",),                    _EVERY,   NAMES,   "cpu",                 "NAMES",         '"cuda:1"',
            "cpu, cuda, cuda:1, or all (those present).", readers.device_names, suite="device", repeated="as checked"),
    Setting("cotangent",   ("--cotangent",),                 _WEIGHED, TEXT,    Unset("ones"),         "VALUE",         "",
            "Upstream gradient, shaped like the result (ones).", readers.cotangent, repeated="as checked"),
    Setting("order",       ("--order",),                     _ALL,   WHOLE,   "1",                   "N",             "2",
            "2 checks second derivatives instead of first ones.", quantities.order, suite="order", repeated="as given"),
    Setting("jacobian",    ("--jacobian/--no-jacobian",),    _BOTH,  FLAG,    "false",               None,            "true",
            "Every output by every input instead of one cotangent.", suite="jacobian", repeated="as given"),
    Setting("rtol",        ("--rtol",),                      _ALL,   EXACT,   Unset("computed"),     "R",             "1e-6",
            "Your own relative tolerance instead of the computed one.", quantities.tolerance, suite="tol", repeated="as given"),
    Setting("atol",        ("--atol",),                      _ALL,   EXACT,   Unset("computed"),     "A",             "0",
            "Your own absolute tolerance instead of the computed one.", quantities.tolerance, suite="tol", repeated="as given"),
    Setting("step",        ("--step",),                      _BOTH,  EXACT,   Unset("extrapolated"), "H",             '"2**-20"',
            "Plain central difference with this step as the numeric opinion.", quantities.step, suite="step", repeated="as given"),
    Setting("claim",       ("--claim",),                     _CHECK, LIST,    Unset("none"),         "CLAIM",         "",
            "A derivative by hand: x=2*x, dh/dk=1, a backward program. Repeatable.", readers.claims, suite="claim", repeated="as given"),
    Setting("modes",       ("--modes",),                     _BOTH,  NAMES,   "reverse",             "NAMES",         '["forward", "vmap"]',
            "Further ways of torch to the gradient: forward, create_graph, vmap.", readers.mode_names, suite="modes", repeated="as given"),
    Setting("trace",       ("--trace/--no-trace",),          _CHECK, FLAG,    "false",               None,            "true",
            "The chain rule, step by step."),
    Setting("strict",      ("--strict/--no-strict",),        _EVERY,   FLAG,    "false",               None,            "true",
            "imprecise and kink exit 1 too.", suite="strict", repeated="as given"),
    Setting("format",      ("--format", "-f"),               _EVERY,   TEXT,    "table",               "FORMAT",        '"markdown"',
            f"{', '.join(FORMATS)}.", readers.report_format, stored=_STORED, matters=False),
    Setting("export",      ("--export",),                    _EVERY, EXPORTS, Unset("none"),         "[FORMAT:]FILE", '["report.json", "markdown:summary.txt"]',
            "Also write a report to a file. Repeatable.", readers.export_targets, stored=_STORED, matters=False),
    Setting("emit",        ("--emit",),                      _CHECK, TEXT,    Unset("none"),         "FILE.py",       "",
            "Also write a script that shows the worst finding by torch and mpmath alone.", matters=False),
    Setting("quiet",       ("--quiet/--no-quiet", "-q"),     _EVERY,   FLAG,    "false",               None,            "true",
            "Only what does not agree, and the summary.", stored=_STORED, matters=False),
    Setting("verbose",     ("--verbose/--no-verbose", "-v"), _EVERY,   FLAG,    "false",               None,            "true",
            "Whole formulas and points.", stored=_STORED, matters=False),
    Setting("color",       ("--color",),                     _EVERY,   TEXT,    "auto",                "WHEN",          '"never"',
            "auto, always or never.", _COLOR, stored=(*_STORED, "diff"), matters=False),
    Setting("jobs",        ("--jobs", "-j"),                 _RAN,   COUNTED, "auto",                "N|auto",        "4",
            "Worker processes; auto fits them to the machine.", quantities.jobs, matters=False),
    Setting("keyword",     ("--keyword", "-k"),              _RUN,   TEXT,    Unset("none"),         "TEXT",          "",
            "Only cases whose id or program holds this text."),
    Setting("tag",         ("--tag", "-t"),                  _RUN,   LIST,    Unset("none"),         "TAG",           '["!slow"]',
            "Only cases with this tag; !TAG leaves them out. Repeatable."),
    Setting("maxfail",     ("--maxfail",),                   _RUN,   WHOLE,   "0",                   "N",             "10",
            "Stop after this many failures; 0 never stops.", quantities.count),
    Setting("durations",   ("--durations",),                 _RUN,   WHOLE,   Unset("none"),         "N",             "10",
            "Tell the N slowest cases; 0 tells all.", quantities.count, matters=False),
    Setting("last-failed", ("--last-failed/--no-last-failed", "--lf"), _RUN,   FLAG,    "false",               None,            "",
            "Only cases that failed in the run before."),
    Setting("shard",       ("--shard",),                     _RAN,   TEXT,    Unset("none"),         "I/N",           "",
            "Only the I-th of N parts, counted from 1.", quantities.shard),
    Setting("resume",      ("--resume/--no-resume",),        _RAN,   FLAG,    "false",               None,            "",
            "Go on where an interrupted run ended.", matters=False),
    Setting("allow-import", ("--allow-import",),             _RUN,   PACKAGES, Unset("none"),        "PKG",           '["layers"]',
            "A package, FILE.py or FOLDER/ whose functions suites may have imported. Repeatable.", readers.importable, repeated="in a run"),
    Setting("timeout",     ("--timeout",),                   _BOUNDED,   NUMBER,  "120",                 "SECONDS",       "30",
            "Time for one check.", quantities.seconds, suite="timeout", repeated="in a run"),
    Setting("max-memory",  ("--max-memory",),                _EVERY,   TEXT,    Unset("by machine"),   "SIZE",          '"2GiB"',
            "Memory of a check, in run of one worker, such as 2GiB or 500MB.", quantities.size, matters=False, repeated="in a run"),
    Setting("points",      ("--points",),                    _DRAWN, WHOLE,  Unset("as needed"),    "N",             "",
            "How many points are drawn where --at has a distribution (1), or swept (all, of float64 a million).", quantities.points),
    Setting("budget",      ("--budget",),                    _HUNTED, TEXT,    "2000",                "N|TIME",        "",
            "How many points a hunt judges, or for how long it goes on, such as 10s; a number gives the same result every time.", quantities.budget),
    Setting("seed",        ("--seed",),                      _EVERY,   WHOLE,   "0",                   "N",             "42",
            "Seed of random points.", quantities.count, suite="seed", repeated="in a run"),
    Setting("exit-zero",   ("--exit-zero/--no-exit-zero",),  _RUN,   FLAG,    "false",               None,            "true",
            "Exit 0 whatever the outcomes are.", matters=False),
    Setting("cluster",     ("--cluster",),                   _RAN,   TEXT,    Unset("none"),         "ADDRESS",       '"tcp://scheduler:8786"',
            "Address of a Dask scheduler that gets the checks.", matters=False),
    Setting("watch",       ("--watch/--no-watch",),          _RUN,   FLAG,    "false",               None,            "",
            "Check suites again when they change; Ctrl-C ends it.", matters=False),
)
# fmt: on
SETTINGS: Mapping[str, Setting] = {row.name: row for row in ROWS}
# How `--help` puts options together, in order; what stands in no group comes last.
GROUPS = {
    "Which cases": ("keyword", "tag", "last-failed", "shard"),
    "The point": ("at", "over", "arg", "dtype", "device", "points", "budget", "seed"),
    "What is checked": ("wrt", "cotangent", "order", "jacobian", "claim", "modes", "trace"),
    "Your own function": ("spec", "twin", "backward", "backward-spec", "variants", "repeat"),
    "How it is judged": ("rtol", "atol", "step", "strict"),
    "How it runs": (
        *("jobs", "maxfail", "resume", "allow-import", "timeout", "max-memory"),
        *("exit-zero", "cluster", "watch"),
    ),
    "Output": ("format", "export", "emit", "quiet", "verbose", "color", "durations"),
}
LAST_GROUP = "Further options"


def group_of(name: str) -> str:
    """The heading below which `--help` shows a setting."""
    return next((heading for heading, names in GROUPS.items() if name in names), LAST_GROUP)


def settings_of(command: str) -> list[Setting]:
    """The settings that a command takes."""
    return [row for row in ROWS if command in (*row.commands, *row.stored)]


def takes_file(command: str) -> bool:
    """Whether the configuration file sets anything for a command."""
    return any(command in row.commands for row in ROWS)


def immaterial_words(command: str) -> dict[str, int]:
    """The options of a command that its results do not depend on, with the number of words that
    each takes.
    """
    return {
        word: 1 if row.kind is FLAG else 2
        for row in settings_of(command)
        if not row.matters
        for words in row.words
        for word in words.split("/")
    }
