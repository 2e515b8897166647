"""Formulas as MathML: what is drawn is what is written, and so is what is left without the tags."""

from __future__ import annotations

import ast
import cmath
import math
import operator
import re
from xml.etree import ElementTree

import pytest
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.functions import table
from gradcheck_cli.language.mathml import MAX_DRAWN, equation

POINT = {"x": 0.7, "y": 1.3, "theta": -0.4}
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS = {
    "sin": cmath.sin, "tanh": cmath.tanh, "exp": cmath.exp, "sqrt": cmath.sqrt, "abs": abs, "log": cmath.log,
}  # fmt: skip
APPLY = "\N{FUNCTION APPLICATION}"
SIGNS = {
    "+": operator.add, "−": operator.sub, "⋅": operator.mul, "%": operator.mod, "<": operator.lt,
    "≤": operator.le, ">": operator.gt, "≥": operator.ge, "=": operator.eq, "≠": operator.ne,
}  # fmt: skip
# How a formula reads on without the tags.
LEFT = {"⋅": "*", "−": "-", "^": "**", "≤": "<=", "≥": ">=", "≠": "!=", "θ": "theta", "π": "pi", APPLY: ""}  # fmt: skip


def parsed(markup):
    return ElementTree.fromstring(markup)  # noqa: S314 - our own markup


def right_side(formula):
    """What stands right of `∂f/∂x =`."""
    drawing = equation("∂f/∂x", formula)
    assert drawing is not None, formula
    name, sign, markup = parsed(drawing)
    assert ("".join(name.itertext()), sign.text) == ("∂f/∂x", "=")
    return markup


def is_seen(element):
    return "display:none" not in element.get("style", "")


def first_sign(element):
    """The first sign that is seen of an element."""
    if element.text and element.text.strip():
        return element.text[:1]
    return next((first_sign(part) for part in element if is_seen(part)), "")


class Eye:
    """Reads a drawing as a person does, and computes it: by places and signs, and nothing unseen."""

    def value(self, element):
        """Of one element."""
        parts = [part for part in element if is_seen(part)]
        if element.tag == "mn":
            return float(element.text)
        if element.tag == "mi":
            name = {"θ": "theta", "π": "pi"}.get(element.text, element.text)
            return {**POINT, **CONSTANTS}[name]
        if element.tag == "mfrac":
            return self.value(parts[0]) / self.value(parts[1])
        if element.tag == "msup" and "".join(parts[0].itertext()) == "exp":
            return cmath.exp(self.value(parts[1]))
        if element.tag == "msup":
            # Two exponents in a row could be read either way.
            assert parts[0].tag != "msup"
            return self.value(parts[0]) ** self.value(parts[1])
        if element.tag == "msqrt":
            return cmath.sqrt(self.row(parts))
        assert element.tag == "mrow", element.tag
        return self.row(parts)

    def row(self, parts):
        """Of what stands side by side."""
        texts = [part.text if part.tag == "mo" else "" for part in parts]
        if texts[:1] in (["("], ["|"]):
            assert texts[-1] == {"(": ")", "|": "|"}[texts[0]]
            inner = self.row(parts[1:-1])
            return abs(inner) if texts[0] == "|" else inner
        if APPLY in texts:
            name, _, argument = parts
            return FUNCTIONS[name.text](self.value(argument))
        if texts[0] in ("−", "¬"):
            inner = self.row(parts[1:])
            return -inner if texts[0] == "−" else not inner
        if len(parts) == 1:
            return self.value(parts[0])
        left, right = self.value(parts[0]), self.value(parts[-1])
        # Side by side without a sign is a product, which only a number may begin.
        # Under a root a number does not run into the one before.
        runs_on = parts[-1].tag != "msqrt" and first_sign(parts[-1]).isdecimal()
        assert len(parts) == 3 or (parts[0].tag == "mn" and not runs_on)
        return SIGNS[texts[1] if len(parts) == 3 else "⋅"](left, right)


def written(formula):
    """The value of a formula as Python has it."""
    tree = ast.parse(formula, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = float(node.value)
    code = compile(tree, "formula", "eval")
    return eval(code, {**FUNCTIONS, **POINT, **CONSTANTS})  # noqa: S307 - our own text


def outcome(compute, *args):
    """A value, or why there is none; the same steps round alike."""
    try:
        return repr(complex(compute(*args)))
    except (ArithmeticError, ValueError, TypeError) as error:
        return type(error).__name__


def left_without_tags(formula):
    """The formula's text when all tags are stripped off."""
    text = "".join(right_side(formula).itertext())
    for sign, word in LEFT.items():
        text = text.replace(sign, word)
    return text


FORMULAS = [
    "3*x**2*(1 - tanh(x**3)**2) + 2*x*exp(-x**2)/(exp(-x**2) + 1)**2",
    "-x**2", "(-x)**2", "x**-y", "x**(y/2)", "2**x**y", "(x**2)**y", "(2**x)**y", "exp(x)**2", "sqrt(x)**3", "abs(x)**3",
    "x - (y - 1)", "x - y - 1", "x - (-y)", "x*(-y)", "-(x + y)", "-(-x)", "x/(y/2)", "x/y/2", "x/(2*y)", "x/2*y", "x*(y/2)",
    "(x + y)/(x - y)", "(x/y)**2", "2*2**x", "2*3*x", "2*(x + 1)", "2*theta*x", "0.1*x", "1e-05*x + 2.50*y", "pi*e*x",
    "x % y + 1", "(x + y) % 2", "(x < y)*2 + (x >= y)", "2*(x*y)", "sin(theta)**2 + log(abs(x - y))",
]  # fmt: skip


@each("formula", FORMULAS)
def test_what_is_drawn_is_what_is_written(formula):
    """By someone who sees the drawing alone."""
    assert Eye().value(right_side(formula)) == written(formula)


@each("formula", [formula for formula in FORMULAS if "abs" not in formula])
def test_what_is_left_without_tags_is_what_is_written(formula):
    """The same syntax tree, for whoever strips off the tags; `|x|` alone is not Python."""
    assert ast.dump(ast.parse(left_without_tags(formula))) == ast.dump(ast.parse(formula))


def formulas():
    """Random formulas."""
    leaf = st.sampled_from(["x", "y", "theta", "2", "3", "0.5"])

    def grown(inner):
        sign = st.sampled_from([ast.Add(), ast.Sub(), ast.Mult(), ast.Div(), ast.Pow()])
        call = st.sampled_from(["sin", "exp", "sqrt"])
        return st.one_of(
            st.builds(ast.BinOp, inner, sign, inner),
            st.builds(ast.UnaryOp, st.just(ast.USub()), inner),
            st.builds(lambda name, arg: ast.Call(ast.Name(name), [arg], []), call, inner),
        )

    nodes = leaf.map(lambda text: ast.parse(text, mode="eval").body)
    return st.recursive(nodes, grown, max_leaves=8).map(ast.unparse)


@given(formulas())
@settings(deadline=None, max_examples=150)
def test_whatever_is_written_is_drawn(formula):
    """Both laws, for any formula."""
    assert ast.dump(ast.parse(left_without_tags(formula))) == ast.dump(ast.parse(formula))
    assert outcome(Eye().value, right_side(formula)) == outcome(written, formula)


def test_a_drawing_that_lies_is_seen():
    """A power that becomes an index, a bracket that is lost."""
    markup = ElementTree.tostring(right_side("(x + 2)**y*3"), encoding="unicode")
    assert Eye().value(parsed(markup)) == written("(x + 2)**y*3")
    with pytest.raises(AssertionError):
        Eye().value(parsed(markup.replace("msup", "msub")))
    lost = markup.replace("<mo>+</mo>", "<mo>−</mo>")
    assert Eye().value(parsed(lost)) != written("(x + 2)**y*3")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("[0 < x <= 6]/6", "[0<x≤6]/6"), ("W[0,1]*x[2]", "W[0,1]⋅x[2]"), ("[x > 0]*2", "[x>0]⋅2"), ("2*(W@x + b) @ x.T", "2⋅(W@x+b)@x.T"),
        ("where(x > 0 and not y < 1, x, celu(y, alpha=0.3))", "where(x>0∧¬y<1,x,celu(y,alpha=0.3))"), ("alpha*pi", "α⋅π"),
    ],
)  # fmt: skip
def test_arrays_and_conditions_have_drawings(formula, text):
    """And read on without the tags."""
    assert "".join(right_side(formula).itertext()).replace(APPLY, "") == text


def test_every_form_of_the_table_has_a_drawing():
    """A row whose LaTeX is a form of one argument is drawn in that form, not as a call."""
    rows = [row for row in table().values() if row.latex.count("%s") == 1 and not row.operator]
    assert len(rows) >= 3
    for row in rows:
        assert APPLY not in "".join(right_side(f"{row.name}(x)").itertext()), row.name


@pytest.mark.parametrize(
    "formula",
    ["", "x +", "a if b else c", "[i for i in x]", "lambda: 0", "f(x)(y)", "x.grad", "x; y", "x = 1", "a < b in c", "-" * 200 + "x", "(" * 150 + "x" + ")" * 150,
     "+".join("x" * (MAX_DRAWN // 2 + 2)), "x << 2", "x\0", "'" * 3, "f'{x}'"],
)  # fmt: skip
def test_what_has_no_drawing_has_none(formula):
    """It is shown as text then; nothing is raised."""
    drawing = equation("∂f/∂x", formula)
    assert drawing is None or re.fullmatch("-+x", formula)


@pytest.mark.parametrize("formula", ["'<img src=a onerror=b()>'", "f('</math><script>')", "x < y"])
def test_texts_are_escaped(formula):
    """The drawing has MathML's elements and no others."""
    drawing = parsed(equation("<b>/<i>", formula))
    tags = {element.tag for element in drawing.iter()}
    assert tags <= {"math", "mfrac", "mrow", "mtext", "mo", "mi", "mn"}
