"""Law: every row is well formed, its names are its own, and a call with all its settings reads back
from its text.
"""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from functools import reduce
from operator import attrgetter

import pytest
import torch
from each import each

from gradcheck_cli.functions import constants, lookup, names, operators, table
from gradcheck_cli.functions.row import Function, RowError
from gradcheck_cli.language.libraries import METHODS, PREFIXES
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call
from gradcheck_cli.language.text import program_text
from gradcheck_cli.manual.functions import torch_name

from .points import all_rows, call_text, elementwise_rows, named, variants
from .test_same_shapes import calls


def test_names_and_aliases_are_unique():
    """A name or an alias means one row; `names` says which."""
    given = [name for row in all_rows() for name in (row.name, *row.aliases)]
    assert len(given) == len(set(given))
    assert names() == {name: row.name for row in all_rows() for name in (row.name, *row.aliases)}


@each("row", all_rows(), ids=named)
def test_the_signature_is_valid(row):
    """Names once each, settings after arguments, required ones before those with a default, kinds
    known.
    """
    parsed = row.parsed
    given = [p.name for p in (*parsed.args, *parsed.settings)]
    assert len(given) == len(set(given))
    assert all(name.isidentifier() for name in given)
    for group in (parsed.args, parsed.settings):
        required = [p.required for p in group]
        assert required == sorted(required, reverse=True)
    assert {p.kind for p in parsed.args} <= {"", "index", "held", "condition", "mask"}
    assert not {p.kind for p in parsed.settings} - {""}


@each("row", all_rows(), ids=named)
def test_the_texts_use_the_signatures_names_and_no_others(row):
    """Partials, pullbacks, domain and kinks speak of the arguments; pullbacks also of `ybar`, `y`
    and the settings.
    """
    conditions = frozenset(p.name for p in row.parsed.args if p.kind == "condition")
    settings = {p.name for p in row.parsed.settings}
    for text in (*row.partials, *row.domain, *row.kinks):
        assert set(parse(text, conditions).variables) <= set(row.parsed.names), text
    for text in row.pulled_back({"dim": 0}):
        spoken = set(parse(text, conditions).variables)
        assert spoken <= {*row.parsed.names, *settings, "ybar", "y"}, text
        assert "ybar" in spoken


def all_calls(row: Function) -> list[str]:
    """A row's calls with every setting written out."""
    return (
        [call_text(row, settings) for settings in variants(row)]
        if row in elementwise_rows()
        else calls(row)
    )


@each("row", all_rows(), ids=named)
def test_a_call_with_all_settings_reads_back(row):
    """text -> Program -> text -> Program gives the same nodes, and the row is among them."""
    for text in all_calls(row):
        program = parse(text)
        again = parse(program_text(program))
        assert again.nodes == program.nodes, text
        assert row.name in [node.function for node in program.nodes if isinstance(node, Call)], text


@each("row", [row for row in all_rows() if row.aliases], ids=named)
def test_an_alias_is_the_function(row):
    """A call by any name is the same Program, printed under the row's own name."""
    for text in all_calls(row)[:5]:
        for alias in row.aliases if f"{row.name}(" in text else ():
            assert parse(text.replace(f"{row.name}(", f"{alias}(", 1)).nodes == parse(text).nodes


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("sin", {"means": "x"}, "state it as exactly one of"),
        ("sin", {"arb": None, "partials": (), "sympy": None}, "state it as exactly one of"),
        ("sin", {"partials": ("cos(x)", "1")}, "1 arguments but 2 partials"),
        ("sigmoid", {"partials": ("1",)}, "belong to primitives"),
        ("sigmoid", {"germ": lambda s, x: x}, "belong to primitives"),
        ("sigmoid", {"sympy": lambda s, x: x}, "belong to primitives"),
        ("sigmoid", {"pullback": ("ybar", "ybar")}, "1 arguments but 2 pullbacks"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(name, change, said):
    """When the table is built, not when the row is first used."""
    with pytest.raises(RowError, match=said):
        replace(table()[name], **change)


@each("row", all_rows(), ids=named)
def test_roundings_and_forms_are_well_formed(row):
    """Two counts, stated only where they are asked for: a derived row without a pullback rounds as
    its meaning does. A LaTeX form has a place for each argument; other libraries are known ones.
    """
    c, m = row.rounds
    assert 0 <= m <= 8 and 0 <= c <= 8
    if row.kind != "primitive" and not row.pulled_back({}):
        assert row.rounds == (2, 0)
    assert row.latex.count("%s") in (0, len(row.parsed.args))
    for library in row.foreign:
        prefix, _, name = library.rpartition(".")
        assert library in (*PREFIXES, METHODS) or (
            prefix in PREFIXES and name in (row.name, *row.aliases)
        )


@pytest.mark.parametrize("row", [row for row in all_rows() if row.approximates], ids=named)
def test_an_approximation_speaks_of_arguments_and_settings(row):
    """Its condition is one in the language."""
    odd = {p.name: Fraction("0.3") for p in row.parsed.settings if p.default == 1}
    condition = parse((row.approximation({}) or row.approximation(odd)).where)
    assert set(condition.variables) <= {*row.parsed.names, *(p.name for p in row.parsed.settings)}
    assert any(lookup(n.function).condition for n in condition.nodes if isinstance(n, Call))


def test_operators_and_constants_are_those_of_the_rows():
    """Each sign with so many arguments is one row's; pi and e have their names and aliases."""
    signs = [(row.operator, len(row.parsed.args)) for row in all_rows() if row.operator]
    assert len(signs) == len(set(signs))
    assert operators()["-", 1] == "neg"
    assert operators()["-", 2] == "sub"
    assert constants() == {"pi": "pi", "e": "e", "E": "e"}


def test_a_row_holds_no_tolerance_and_no_skip():
    """What is true of the function, and nothing of tests."""
    assert not {f.name for f in fields(Function)} & {
        "rtol",
        "atol",
        "tol",
        "tolerance",
        "skip",
        "xfail",
        "dtypes",
    }


@each("row", table().values(), ids=attrgetter("name"))
def test_the_torch_name_that_is_shown_exists(row):
    """`gradcheck functions` names a function of torch that is there, or an operator."""
    shown = torch_name(row)
    if shown.startswith("torch."):
        assert reduce(getattr, shown.split(".")[1:], torch) is not None
    else:
        assert shown == (f"operator {row.operator}" if row.operator else "")


def test_a_torch_name_that_does_not_exist_is_seen():
    """The law above rests on an AttributeError."""
    with pytest.raises(AttributeError):
        reduce(getattr, ["nn", "functional", "sigmod"], torch)
