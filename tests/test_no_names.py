"""A function is stated in one row: no other file of the package keeps a list of functions by name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from each import each

from gradcheck_cli.functions import names

PACKAGE = Path(__file__).parents[1] / "gradcheck_cli"
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "functions"]
# Words that are functions too, and what they are in a room.
WORDS = {
    ("reports", "minimum"): "a keyword of JSON Schema",
    ("suites", "minimum"): "a keyword of JSON Schema",
    ("suites", "maximum"): "a keyword of JSON Schema",
    ("suites", "t"): "an escaped character of YAML",
    ("suites", "e"): "an escaped character of YAML",
    ("settings", "t"): "a spelling of true",
    ("questions", "mean"): "a parameter of a distribution",
    ("questions", "std"): "a parameter of a distribution",
    ("questions", "size"): "a keyword that says a shape",
    ("symbolic", "negative"): "a fact that SymPy knows of a number",
    ("language", "E"): "the exponent of a decimal",
    ("api.py", "trace"): "the name of a setting",
    ("settings", "trace"): "the name of a setting",
    ("reports", "trace"): "a key of records",
    ("reports", "negative"): "a key of binades",
    ("lifting", "diff"): "a part of names of estimates",
    ("cli", "diff"): "a command",
    ("settings", "diff"): "a command",
    ("symbolic", "positive"): "a fact that SymPy knows of a number",
    ("api.py", "repeat"): "the name of a setting",
    ("settings", "repeat"): "the name of a setting",
    ("suites", "repeat"): "the name of a setting",
    ("code", "repeat"): "the name of a setting",
    ("code", "where"): "a key of records",
    ("sweeps", "negative"): "a key of binades",
    ("worlds", "angle"): "a kind of closed form",
}
# Rooms that speak of functions by the names of others.
OTHERS = {
    "recording": "operators of ATen and functions of NumPy, by the names of these libraries",
    "diagnosis": "functions that people take for one another",
}


def room_of(path):
    """The folder of the package that a file lies in."""
    return path.relative_to(PACKAGE).parts[0]


def listed(tree):
    """Names of the table that are keys, members of a collection, compared with or matched."""
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=parts) | ast.Set(elts=parts) | ast.Tuple(elts=parts):
                pass
            case ast.List(elts=parts):
                pass
            case ast.Compare(left=left, comparators=others):
                parts = [left, *others]
            case ast.MatchValue(value=part) | ast.Subscript(slice=part):
                parts = [part]
            case _:
                continue
        for part in parts:
            if isinstance(part, ast.Constant) and part.value in names():
                yield part.value


@each("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_lists_functions_by_name(path):
    """What is true of a function is a column of its row; a call that is built may name it."""
    found = set(listed(ast.parse(path.read_text(encoding="utf-8"))))
    is_free = room_of(path) in OTHERS
    assert is_free or {name for name in found if (room_of(path), name) not in WORDS} == set()


def test_every_word_is_needed():
    """No stale excuse."""
    trees = [(room_of(path), ast.parse(path.read_text(encoding="utf-8"))) for path in FILES]
    assert set(OTHERS) <= {room_of(path) for path in FILES}
    assert set(WORDS) <= {(room, name) for room, tree in trees for name in listed(tree)}


@pytest.mark.parametrize(
    "text",
    [
        "_EXACT = ('neg', 'abs')", "ROUNDS = {'sin': (2, 0)}", "if node.function == 'where': pass", "if name in ['floor', 'x']: pass", "fold = {'Max'}",
        "match name:\n    case 'add': pass", "table['sinc']", "frozenset(('maximum', 'minimum'))",
    ],
)  # fmt: skip
def test_a_list_of_functions_is_seen(text):
    """The walk can fail."""
    assert list(listed(ast.parse(text)))


def test_a_call_that_is_built_is_no_list():
    """Nor is a word that is no function."""
    assert not list(listed(ast.parse("builder.call('add', x, y); d = {'left': 1}; f('sin')")))
