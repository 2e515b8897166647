"""The keys of a suite file, one row a key, from which its reader and its schema both follow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from gradcheck_cli.code.standards import STANDARDS
from gradcheck_cli.dtypes import ALIASES, DTYPES
from gradcheck_cli.language.errors import Mistake, ProgramError
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.constructors import MAKERS
from gradcheck_cli.settings.readers import DEVICE, OBJECT
from gradcheck_cli.settings.table import ROWS, SETTINGS
from gradcheck_cli.suites.arguments import ARGUMENTS
from gradcheck_cli.suites.at import PointsKind
from gradcheck_cli.suites.document import ScalarNode
from gradcheck_cli.suites.expect import EXPECT
from gradcheck_cli.suites.kinds import SOME, Choice, Kind, Many, Phrase, Whole, is_text
from gradcheck_cli.suites.layers import SURROGATE
from gradcheck_cli.suites.mappings import ByShape, Key, KeyMap
from gradcheck_cli.suites.numerals import TensorNumeral
from gradcheck_cli.suites.over import OVER
from gradcheck_cli.suites.setting import claim_kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode

VERSION = 1
# What stands in file names, in shells and in pytest's ids without quotes.
ID = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$(?!\n)"
# A tag becomes a marker of pytest: what its `-m` reads as a word, none of its own markers, and none
# of the words of an expression.
RESERVED_TAGS = (
    "and", "or", "not", "True", "False", "None", "skip", "skipif", "xfail", "parametrize",
    "usefixtures", "filterwarnings",
)  # fmt: skip
TAG = rf"^(?!(?:{'|'.join(RESERVED_TAGS)})$)[A-Za-z_][A-Za-z0-9_-]{{0,99}}$(?!\n)"


@dataclass(frozen=True)
class ExpressionKind(Kind):
    """A program."""

    words: str = "a text"

    def schema(self) -> Schema:
        """A string that is not blank."""
        return {"type": "string", "pattern": SOME}

    def read(self, node: YamlNode, where: str, document: Document) -> Program | None:
        """The program; the same text is parsed once."""
        if not isinstance(node, ScalarNode) or not is_text(node):
            self.refuse(node, where, document)
            return None
        try:
            return read_program(node.text)
        except ProgramError as error:
            document.add_from(_of_cell(node.text) or error.mistakes, node)
            return None


def _of_cell(text: str) -> Sequence[Mistake]:
    """What is said of a cell of a notebook, which brings a point of its own."""
    from gradcheck_cli.language.cells.cell import is_cell

    if not is_cell(text, MAKERS):
        return ()
    way_out = "`gradcheck -` reads it, and its report has the program and the point to write here"
    message = "this is a cell of a notebook, and a suite takes a program"
    return (Mistake("unsupported-syntax", message, help=way_out),)


# fmt: off
_DTYPE = Many(Choice("unknown-dtype", "dtype", tuple(DTYPES), "the name of a dtype", ALIASES), "a dtype or a list of dtypes", single=True)
_NAME_OF_DEVICE = Phrase("unknown-device", DEVICE, "no device named `{text}`", "known: cpu, cuda, cuda:N, all", "the name of a device")
_DEVICE = Many(_NAME_OF_DEVICE, "a device or a list of devices", single=True)
_ID = Phrase("bad-id", ID, "an id is made of letters, digits, `.`, `_` and `-`, at most 100, and begins with neither `.` nor `-`")
_INPUT = Phrase("unknown-input", SOME, "{where} names no input")
_TAG = Phrase("bad-tag", TAG, "a tag is made of letters, digits, `_` and `-`, at most 100, begins with a letter or `_`, and is no word of pytest's own")
_REASON = Phrase("empty-text", SOME, "{where} needs a reason")
_TITLE = Phrase("empty-text", SOME, "{where} is empty")
_OBJECT = Phrase("bad-object", OBJECT, "`{text}` names no object in a module", "write PKG.MOD:OBJ or FILE.py:OBJ, such as `layers.norm:RmsNorm`")
_RTOL, _ATOL = (kind_of(SETTINGS[name], minimum=0) for name in ("rtol", "atol"))
_STEP, _SECONDS = (kind_of(SETTINGS[name], exclusiveMinimum=0) for name in ("step", "timeout"))
_VERSION = Whole("bad-version", VERSION, VERSION, str(VERSION))

_TOLERANCES = (
    Key("rtol", _RTOL, "Relative tolerance, of the true derivative."),
    Key("atol", _ATOL, "Absolute tolerance."),
)
_EXCLUDED = (
    Key("dtype", _DTYPE, "The dtypes that are left out; all if it is missing."),
    Key("device", _DEVICE, "The devices they are left out on; all if it is missing. `cuda` means every CUDA device."),
)
TOLERANCES = KeyMap("`tol`", _TOLERANCES, some=True)
EXCLUDED = KeyMap("an item of `exclude`", _EXCLUDED, some=True)
_MATRIX = (
    Key("dtype", _DTYPE, "Dtypes under test."),
    Key("device", _DEVICE, "Devices under test."),
    Key("exclude", Many(EXCLUDED, "a list of mappings", item="an item of `exclude`"), "Pairs of dtype and device that are not run."),
)
MATRIX = KeyMap("`matrix`", _MATRIX, some=True)

_OWN = (
    Key("id", _ID, "Name of the case, its own in this file; `case-N` if it is missing."),
    Key("expr", ExpressionKind(), "The program: assignments and a last expression.", "expr: sin(x)**2"),
    Key("function", _OBJECT, "Your own function, autograd.Function or module; imported where `--allow-import` says so.", "function: layers.norm:rms_norm"),
)
_SHARED = (
    Key("at", PointsKind(), "The point, or several: a value for each input of a program."),
    Key("over", OVER, "What is swept in the place of a point: a range for each input; the others stand under `at`."),
    Key("args", ARGUMENTS, "What a function is called with: for each argument a value as `--arg` takes it."),
    Key("wrt", Many(_INPUT, "a name or a list of names", single=True, each_counts=True), "Inputs to differentiate; all if it is missing."),
    Key("cotangent", TensorNumeral(), "Upstream gradient, shaped like the program's value; ones if it is missing."),
    Key("dtype", _DTYPE, "Dtype under test, or a list of dtypes: float64, float32, bfloat16, float16."),
    Key("device", _DEVICE, "Device under test, or a list of devices: cpu, cuda, cuda:1, or all that are present."),
    Key("matrix", MATRIX, "Dtypes times devices, less what is excluded."),
    Key("tol", ByShape("a number or a mapping", _RTOL, TOLERANCES), "Your own tolerance instead of the computed one; a number is relative."),
    Key("step", _STEP, "Plain central difference with this step as the numeric opinion."),
    Key("tags", Many(_TAG, "a tag or a list of tags", single=True), "Words by which cases are selected."),
)
_REASONS = (
    Key("skip", _REASON, "Why the case is not run."),
    Key("xfail", _REASON, "Why the case is known to fail."),
)
_ALSO = (
    Key("timeout", _SECONDS, "Seconds that one check may take."),
    Key("claim", claim_kind(SETTINGS["claim"]), "Derivatives by hand: `x = 2*x`, a backward program, a list of these, or a mapping of names to formulas."),
    Key("strict", kind_of(SETTINGS["strict"]), "Let `imprecise` and `kink` fail as well."),
)
_PLACED = {key.name for key in (*_SHARED, *_ALSO)}
_OTHERS = (row for row in ROWS if row.suite == row.name and row.name not in _PLACED)
_LAST = (
    *_ALSO,
    *(Key(row.name, kind_of(row), row.help) for row in _OTHERS),
    Key(SURROGATE, kind_of(SETTINGS["backward-spec"]), "The same as `backward-spec`."),
    Key("expect", EXPECT, "What is expected: an outcome, or the value and partial derivatives."),
)
_STANDARDS = (*STANDARDS, SURROGATE)
_APART = (("matrix", "dtype"), ("matrix", "device"), *combinations(_STANDARDS, 2))
# What a program has and a function has not, and the other way round.
OF_PROGRAMS = ("at", "over", "step", "jacobian", "modes", "claim")
OF_FUNCTIONS = ("args", *_STANDARDS, "backward", "variants", "repeat")
_KINDS = (
    ("expr", "function"),
    ("function", "at", "a function is called with `args`"), *(("function", key) for key in OF_PROGRAMS[1:]),
    ("expr", "args", "the point of a program stands under `at`"), *(("expr", key) for key in OF_FUNCTIONS[1:]),
)
_ELSEWHERE = {
    "expression": "a program stands under `expr`", "program": "a program stands under `expr`",
    "point": "the point stands under `at`", "points": "points stand under `at`", "arg": "arguments stand under `args`",
    "rtol": "write `tol: {rtol: ...}`", "atol": "write `tol: {atol: ...}`",
    "outcome": "write `expect: {outcome: ...}`", "value": "write `expect: {value: ...}`", "partials": "write `expect: {partials: ...}`",
    "<<": "there are no merge keys in YAML 1.2; what all cases share stands in `defaults`",
}
_OF_A_CASE = {key.name: f"`{key.name}` belongs to a case" for key in (*_OWN, *_REASONS)}
_OF_CASES = {key.name: f"`{key.name}` belongs to a case, or for all cases in `defaults`" for key in _SHARED}

CASE = KeyMap("a case", (*_OWN, *_SHARED, *_REASONS, *_LAST), (*_APART, *_KINDS, ("skip", "xfail")), ("expr", "function"), elsewhere=_ELSEWHERE)
DEFAULTS = KeyMap("`defaults`", (*_SHARED, *_LAST), _APART, elsewhere=_ELSEWHERE | _OF_A_CASE)
_CASES = Many(CASE, "a list of cases", item="a case", each_counts=True)
_SUITE = (
    Key("version", _VERSION, f"Version of this format: {VERSION}.", f"version: {VERSION}"),
    Key("name", _TITLE, "A title for those who read the file; reports name the file."),
    Key("defaults", DEFAULTS, "Keys for all cases that do not have them."),
    Key("cases", _CASES, "What is checked.", "cases: [{expr: sin(x)**2, at: {x: 3}}]"),
)
SUITE = KeyMap("a suite", _SUITE, elsewhere=_OF_CASES | {"expr": "`expr` belongs to a case, under `cases`"})
# fmt: on
