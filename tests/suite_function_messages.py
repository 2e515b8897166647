"""Suites of functions that are refused, each with the whole text that is said of it."""

from __future__ import annotations

from suite_messages import X, one

F = "function: layers.norm:rms\n"

FUNCTIONS = {
    one("function: layers.norm\nargs: {x: 1}"): """\
error[bad-object]: `layers.norm` names no object in a module
 --> a.yaml:3:15
  | - function: layers.norm
  |             ^^^^^^^^^^^
  = help: write PKG.MOD:OBJ or FILE.py:OBJ, such as `layers.norm:RmsNorm`""",
    one(F + "args: {x: 'randn(3'}"): """\
error[bad-number]: this bracket is not closed
 --> a.yaml:4:21
  | args: {x: 'randn(3'}
  |                 ^""",
    one(F + "args: {x: [[1], [2, 3]]}"): """\
error[ragged]: the rows of `x` are not of equal length
 --> a.yaml:4:15
  | args: {x: [[1], [2, 3]]}
  |           ^^^^^^^^^^^^^""",
    one(F + "args: {x: 0:1:5}"): """\
error[bad-argument]: `x` is a grid: a function is called at one point
 --> a.yaml:4:15
  | args: {x: 0:1:5}
  |           ^^^^^
  = help: write a list, such as `[0, 0.5, 1]`""",
    one(F + "args: {how: mean}"): """\
error[bad-argument]: `how` is no number: `mean`
 --> a.yaml:4:17
  | args: {how: mean}
  |             ^^^^
  = help: write "'mean'": a text stands in quotes within quotes""",
    one(F + "args: {x: {tensor: [1]}}"): """\
error[wrong-type]: `x` must be a number, a text, true, false, nothing, or nested lists of numbers, not a mapping
 --> a.yaml:4:15
  | args: {x: {tensor: [1]}}
  |           ^^^^^^^^^^^^^
  = help: put quotes around a text that begins with `{`""",
    one(F + "args: {2x: 1}"): """\
error[bad-argument]: `2x` is no name of an argument
 --> a.yaml:4:12
  | args: {2x: 1}
  |        ^^""",
    one(F + "at: {x: 1}"): """\
error[conflicting-keys]: `function` and `at` exclude each other
 --> a.yaml:4:5
  | at: {x: 1}
  | ^^
  = help: a function is called with `args`""",
    one(F + X): """\
error[conflicting-keys]: `expr` and `function` exclude each other
 --> a.yaml:4:5
  | expr: x**2
  | ^^^^
error[conflicting-keys]: `function` and `at` exclude each other
 --> a.yaml:5:5
  | at: {x: 3}
  | ^^
  = help: a function is called with `args`""",
    one(X + "args: {x: 3}"): """\
error[conflicting-keys]: `expr` and `args` exclude each other
 --> a.yaml:5:5
  | args: {x: 3}
  | ^^^^
  = help: the point of a program stands under `at`""",
    one(F + "spec: x**\ntwin: a b:f"): """\
error[syntax]: this is not an expression: invalid syntax
 --> a.yaml:4:14
  | spec: x**
  |          ^
error[conflicting-keys]: `spec` and `twin` exclude each other
 --> a.yaml:5:5
  | twin: a b:f
  | ^^^^
error[bad-object]: `a b:f` names no object in a module
 --> a.yaml:5:11
  | twin: a b:f
  |       ^^^^^
  = help: write PKG.MOD:OBJ or FILE.py:OBJ, such as `layers.norm:RmsNorm`""",
    one(F + "spec: x**2\nsurrogate: x**2"): """\
error[conflicting-keys]: `spec` and `surrogate` exclude each other
 --> a.yaml:5:5
  | surrogate: x**2
  | ^^^^^^^^^""",
    one(F + "variants: all,large"): """\
error[bad-setting]: `variants`: `all,large` names no variants
 --> a.yaml:4:15
  | variants: all,large
  |           ^^^^^^^^^
  = help: all, none, or names such as `large,float32`""",
    one(F + "expect: {partials: {'x[': 1}}"): """\
error[unknown-input]: `partials` names `x[`, which is no argument of a function
 --> a.yaml:4:25
  | expect: {partials: {'x[': 1}}
  |                     ^^^^
  = help: an argument is written `W`, an element of it `W[0,1]`""",
    "version: 1\ndefaults: {twin: 'a:b'}\ncases: [{function: 'a:c', spec: x}]\n": """\
error[conflicting-keys]: `spec` and `twin` of `defaults` exclude each other
 --> a.yaml:3:27
  | cases: [{function: 'a:c', spec: x}]
  |                           ^^^^""",
}
