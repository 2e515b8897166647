"""Values, programs and expectations of suite files that are refused, each with the whole text that
is said of it.
"""

from __future__ import annotations

from suite_messages import X, one


def expect(wanted: str, rest: str = "expr: x**2\nat: {x: 3}") -> str:
    """A suite of one case with an expectation."""
    return one(f"{rest}\nexpect: {wanted}")


# Values of keys other than `at` and `expect`.
VALUES = {
    one(X + "cotangent: 2\njacobian: true\norder: 2\nexpect: {partials: {x: 6}}"): """\
error[conflicting-options]: a Jacobian has no cotangent: each element of the value is differentiated alone
 --> a.yaml:6:15
  | jacobian: true
  |           ^^^^
  = help: give one of the two
error[conflicting-options]: second derivatives are those of one number, a Jacobian is of several
 --> a.yaml:6:15
  | jacobian: true
  |           ^^^^
  = help: give a cotangent instead of `jacobian`
error[conflicting-options]: `partials` are the first derivatives of one number, and `jacobian` asks for others
 --> a.yaml:8:14
  | expect: {partials: {x: 6}}
  |          ^^^^^^^^
  = help: expect an outcome, or the value""",
    one(X + "order: 3\njacobian: 1"): """\
error[bad-setting]: `order`: `3` is no order
 --> a.yaml:5:12
  | order: 3
  |        ^
  = help: `order` takes 1 or 2
error[wrong-type]: `jacobian` must be true or false, not the number 1
 --> a.yaml:6:15
  | jacobian: 1
  |           ^""",
    one(X + "tags: [a b, skip, 3]"): """\
error[bad-tag]: a tag is made of letters, digits, `_` and `-`, at most 100, begins with a letter or `_`, and is no word of pytest's own
 --> a.yaml:5:12
  | tags: [a b, skip, 3]
  |        ^^^
error[bad-tag]: a tag is made of letters, digits, `_` and `-`, at most 100, begins with a letter or `_`, and is no word of pytest's own
 --> a.yaml:5:17
  | tags: [a b, skip, 3]
  |             ^^^^
error[wrong-type]: `tags` must be a text, not the number 3
 --> a.yaml:5:23
  | tags: [a b, skip, 3]
  |                   ^
  = help: put quotes around it: "3\"""",
    one(X + "skip: true\nstrict: 'yes'\ntimeout:"): """\
error[wrong-type]: `skip` must be a text, not true
 --> a.yaml:5:11
  | skip: true
  |       ^^^^
  = help: put quotes around it: "true"
error[wrong-type]: `strict` must be true or false, not a text
 --> a.yaml:6:13
  | strict: 'yes'
  |         ^^^^^
error[wrong-type]: `timeout` must be a number, not nothing
 --> a.yaml:7:13
  | timeout:
  |         ^""",
    one(X + "xfail: ''\ntimeout: 0\nstep: -1\ntol: {rtol: x, atol: 1e-999}"): """\
error[empty-text]: `xfail` needs a reason
 --> a.yaml:5:12
  | xfail: ''
  |        ^^
error[bad-setting]: `timeout`: `0` is no number of seconds
 --> a.yaml:6:14
  | timeout: 0
  |          ^
  = help: `timeout` takes a number above 0 and up to 31,536,000, such as 30 or 0.5
error[bad-number]: `step` takes a number that is positive, and got `-1`
 --> a.yaml:7:11
  | step: -1
  |       ^^
error[bad-number]: `rtol` takes a number that is not negative, and got `x`
 --> a.yaml:8:17
  | tol: {rtol: x, atol: 1e-999}
  |             ^
error[out-of-range]: `atol` is beyond what a float64 holds
 --> a.yaml:8:26
  | tol: {rtol: x, atol: 1e-999}
  |                      ^^^^^^""",
    one(X + "tol: true"): """\
error[wrong-type]: `tol` must be a number or a mapping, not true
 --> a.yaml:5:10
  | tol: true
  |      ^^^^""",
    one(X + "dtype: [float64, flaot32]\ndevice: gpu"): """\
error[unknown-dtype]: no dtype named `flaot32`
 --> a.yaml:5:22
  | dtype: [float64, flaot32]
  |                  ^^^^^^^
  = help: did you mean `float32`?
error[unknown-device]: no device named `gpu`
 --> a.yaml:6:13
  | device: gpu
  |         ^^^
  = help: known: cpu, cuda, cuda:N, all""",
    one("expr: [x, y]\nat: {x: 1, y: 2}"): """\
error[wrong-type]: `expr` must be a text, not a list
 --> a.yaml:3:11
  | - expr: [x, y]
  |         ^^^^^^
  = help: put quotes around a text that begins with `[`""",
    one("expr: 2 + 3"): """\
error[no-input]: the program has no input to differentiate
 --> a.yaml:3:11
  | - expr: 2 + 3
  |         ^^^^^
  = help: use a variable: `x**2` with `at: {x: 3}`""",
    one(X + "wrt: [x, q, '']"): """\
error[unknown-input]: `wrt` names `q`, which is not an input of the program
 --> a.yaml:5:14
  | wrt: [x, q, '']
  |          ^
  = help: it has `x`
error[unknown-input]: `wrt` names no input
 --> a.yaml:5:17
  | wrt: [x, q, '']
  |             ^^""",
    one("expr: cross_entropy(x, t)\nat: {x: {tensor: [1, 2]}, t: 0}\nwrt: t"): """\
error[index-input]: `t` holds class indices: there is nothing to differentiate
 --> a.yaml:5:10
  | wrt: t
  |      ^""",
    one(
        X + "matrix: {dtype: float32, device: cpu,\n  exclude: [{device: cuda}, {dtype: float64}]}"
    ): """\
error[bad-exclude]: this leaves out nothing: the matrix has no such run
 --> a.yaml:6:17
  | exclude: [{device: cuda}, {dtype: float64}]}
  |           ^^^^^^^^^^^^^^
error[bad-exclude]: this leaves out nothing: the matrix has no such run
 --> a.yaml:6:33
  | exclude: [{device: cuda}, {dtype: float64}]}
  |                           ^^^^^^^^^^^^^^^^""",
    one(X + "matrix: {dtype: float32, exclude: [{dtype: float32}]}"): """\
error[empty-matrix]: `exclude` leaves no run
 --> a.yaml:5:30
  | matrix: {dtype: float32, exclude: [{dtype: float32}]}
  |                          ^^^^^^^""",
    "version: 1\ndefaults: {matrix: {exclude: [{dtype: float16}]}}\ncases: [{expr: x, at: {x: 1}, dtype: float16}]\n": """\
error[empty-matrix]: `exclude` leaves no run
 --> a.yaml:3:31
  | cases: [{expr: x, at: {x: 1}, dtype: float16}]
  |                               ^^^^^""",
}

# What is wrong inside a program, by the place in the file.
PROGRAMS = {
    one("expr: x + sigmod(x)\nat: {x: 1}"): """\
error[unknown-function]: no function named `sigmod`
 --> a.yaml:3:15
  | - expr: x + sigmod(x)
  |             ^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all""",
    one("expr: |  # two lines\n  y = x\n\n  y*漢(x) + sin(y, 2)\nat: {x: 1}"): """\
error[unknown-function]: no function named `漢`
 --> a.yaml:6:9
  | y*漢(x) + sin(y, 2)
  |   ^^
  = help: `gradcheck functions` lists all
error[arity]: `sin` takes 1 argument, 2 are given
 --> a.yaml:6:16
  | y*漢(x) + sin(y, 2)
  |           ^^^^^^^^^
  = help: `sin(x)`""",
    one("expr: 'x + sin(''y'')'\nat: {x: 1}"): """\
error[unsupported-syntax]: `'y'` is not a number
 --> a.yaml:3:20
  | - expr: 'x + sin(''y'')'
  |                  ^^^^""",
    one('expr: "x +\\n \\\n  \\x63osin(x)"\nat: {x: 1}'): """\
error[syntax]: this is not an expression: invalid syntax
 --> a.yaml:3:15
  | - expr: "x +\\n \\
  |             ^""",
    one('expr: "y = x\\n\\x63osin(y)"\nat: {x: 1}'): """\
error[unknown-function]: no function named `cosin`
 --> a.yaml:3:19
  | - expr: "y = x\\n\\x63osin(y)"
  |                 ^^^^^^^^
  = help: did you mean `cos` or `cosine_similarity`? `gradcheck functions` lists all""",
    one("expr: >-\n  x +\n  cosin(x)\nat: {x: 1}"): """\
error[unknown-function]: no function named `cosin`
 --> a.yaml:5:7
  | cosin(x)
  | ^^^^^
  = help: did you mean `cos` or `cosine_similarity`? `gradcheck functions` lists all""",
    one("expr: x +\n  cosin(x)\nat: {x: 1}"): """\
error[unknown-function]: no function named `cosin`
 --> a.yaml:4:7
  | cosin(x)
  | ^^^^^
  = help: did you mean `cos` or `cosine_similarity`? `gradcheck functions` lists all""",
    one("expr: ' '"): """\
error[empty]: there is no expression
 --> a.yaml:3:11
  | - expr: ' '
  |         ^^^
  = help: give one, such as `sin(x)**2`""",
    one("expr: sum(x, dim=3)\nat: {x: 1}"): """\
error[shape-mismatch]: shapes do not fit: x is a number: dim 3 is out of range: from -1 to 0 are there
 --> a.yaml:3:11
  | - expr: sum(x, dim=3)
  |         ^^^^^^^^^^^^^""",
}

# What `expect` holds.
EXPECTATIONS = {
    expect("agre"): """\
error[unknown-outcome]: no outcome named `agre`
 --> a.yaml:5:13
  | expect: agre
  |         ^^^^
  = help: did you mean `agree`?""",
    expect("{x: 6}"): """\
error[unknown-key]: no key named `x` in `expect`
 --> a.yaml:5:14
  | expect: {x: 6}
  |          ^
  = help: the derivative by an input stands under `partials`: `expect: {partials: {x: 6}}`""",
    expect("{outcome: [agree, knik], valeu: 9, partials: {}}"): """\
error[unknown-outcome]: no outcome named `knik`
 --> a.yaml:5:31
  | expect: {outcome: [agree, knik], valeu: 9, partials: {}}
  |                           ^^^^
  = help: did you mean `kink`?
error[unknown-key]: no key named `valeu` in `expect`
 --> a.yaml:5:38
  | expect: {outcome: [agree, knik], valeu: 9, partials: {}}
  |                                  ^^^^^
  = help: did you mean `value`?
error[wrong-type]: `partials` must be a mapping, not an empty mapping
 --> a.yaml:5:58
  | expect: {outcome: [agree, knik], valeu: 9, partials: {}}
  |                                                      ^^""",
    expect(
        "\n  value: {interval: [2, 1]}\n  partials: {x: {interval: [inf, 0]}, 'x[]': {interval: 3}}"
    ): """\
error[bad-range]: the low end of an interval comes first, and 2 is above 1
 --> a.yaml:6:25
  | value: {interval: [2, 1]}
  |                   ^^^^^^
error[bad-number]: `inf` is not a finite number
 --> a.yaml:7:33
  | partials: {x: {interval: [inf, 0]}, 'x[]': {interval: 3}}
  |                           ^^^
error[unknown-input]: `partials` names `x[]`, which is not an input of the program
 --> a.yaml:7:43
  | partials: {x: {interval: [inf, 0]}, 'x[]': {interval: 3}}
  |                                     ^^^^^
  = help: an input is written `W`, an element of it `W[0,1]`
error[wrong-type]: `interval` must be a list of two numbers, not the number 3
 --> a.yaml:7:61
  | partials: {x: {interval: [inf, 0]}, 'x[]': {interval: 3}}
  |                                                       ^""",
    expect("{partials: {y: 1, w: 2}}", "expr: x*w\nat: {x: 3, w: 1}\nwrt: x"): """\
error[unknown-input]: `partials` names `y`, which is not an input of the program
 --> a.yaml:6:25
  | expect: {partials: {y: 1, w: 2}}
  |                     ^
  = help: it has `x`, `w`""",
    expect("{partials: {e: 1}}", "expr: x*e\nat: {x: 3}"): """\
error[unknown-input]: `partials` names `e`, which is not an input of the program
 --> a.yaml:5:25
  | expect: {partials: {e: 1}}
  |                     ^
  = help: `e` is a constant, so an input needs another name, such as `e1`; it has `x`""",
    expect("{partials: {w: 2, x: [1, 2]}}", "expr: x*w\nat: {x: 3, w: 1}\nwrt: x"): """\
error[not-differentiated]: `partials` names `w`, and what is differentiated is `x`
 --> a.yaml:6:25
  | expect: {partials: {w: 2, x: [1, 2]}}
  |                     ^
error[shape-mismatch]: `x` has shape (), what is expected of it has shape (2,)
 --> a.yaml:6:34
  | expect: {partials: {w: 2, x: [1, 2]}}
  |                              ^^^^^^""",
    expect(
        "{value: [1, 2, 3], partials: {'x[2]': 1, 'x[0]': [1], x: [[1], 2]}}",
        "expr: x**2\nat: {x: {tensor: [1, 2]}}",
    ): """\
error[shape-mismatch]: the program's value has shape (2,), what is expected (3,)
 --> a.yaml:5:21
  | expect: {value: [1, 2, 3], partials: {'x[2]': 1, 'x[0]': [1], x: [[1], 2]}}
  |                 ^^^^^^^^^
error[shape-mismatch]: `x[2]` is no element of `x`, whose shape is (2,)
 --> a.yaml:5:43
  | expect: {value: [1, 2, 3], partials: {'x[2]': 1, 'x[0]': [1], x: [[1], 2]}}
  |                                       ^^^^^^
error[shape-mismatch]: `x[0]` is a number, what is expected of it has shape (1,)
 --> a.yaml:5:62
  | expect: {value: [1, 2, 3], partials: {'x[2]': 1, 'x[0]': [1], x: [[1], 2]}}
  |                                                          ^^^
error[ragged]: the rows of `x` are not of equal length
 --> a.yaml:5:70
  | …t: {value: [1, 2, 3], partials: {'x[2]': 1, 'x[0]': [1], x: [[1], 2]}}
  |                                                              ^^^^^^^^""",
}
