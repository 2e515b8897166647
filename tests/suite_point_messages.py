"""Points of suite files that are refused, each with the whole text that is said of it."""

from __future__ import annotations

from suite_messages import one


def at(point: str, expr: str = "x**2") -> str:
    """A suite of one case with a point."""
    return one(f"expr: {expr}\nat: {point}")


POINTS = {
    one("expr: x*y + sin"): """\
error[missing-value]: `at` gives no value for `x`
 --> a.yaml:3:11
  | - expr: x*y + sin
  |         ^
  = help: for example `at: {x: 1}`
error[missing-value]: `at` gives no value for `y`
 --> a.yaml:3:13
  | - expr: x*y + sin
  |           ^
  = help: for example `at: {y: 1}`
error[missing-value]: `at` gives no value for `sin`
 --> a.yaml:3:17
  | - expr: x*y + sin
  |               ^^^
  = help: `sin` is a function: write sin(...)""",
    at("[{x: 1, widht: 2}, 'x=1, q=3']", "x*width"): """\
error[missing-value]: `at` gives no value for `width`
 --> a.yaml:3:13
  | - expr: x*width
  |           ^^^^^
  = help: for example `width: 1`
error[extra-value]: `at` gives `widht`, which is not an input of the program
 --> a.yaml:4:17
  | at: [{x: 1, widht: 2}, 'x=1, q=3']
  |             ^^^^^
  = help: did you mean `width`?
error[extra-value]: `at` gives `q`, which is not an input of the program
 --> a.yaml:4:28
  | at: [{x: 1, widht: 2}, 'x=1, q=3']
  |                        ^^^^^^^^^^
  = help: it has `x`, `width`""",
    "version: 1\ndefaults:\n  at: {x: 1, w: 2}\ncases:\n  - {id: a, expr: x}\n  - {id: b, expr: x*w}\n": """\
error[extra-value]: `at` gives `w`, which is not an input of the program, for case `a`
 --> a.yaml:3:14
  | at: {x: 1, w: 2}
  |            ^
  = help: it has `x`""",
    at("3"): """\
error[wrong-type]: `at` must be a mapping of inputs, a list of such mappings, or a text such as `x=3, y=[1, 2]`, not the number 3
 --> a.yaml:4:9
  | at: 3
  |     ^
  = help: put quotes around it: "3\"""",
    at("[1, 2]"): """\
error[wrong-type]: `at` must be a mapping of inputs, a list of such mappings, or a text such as `x=3, y=[1, 2]`, not a list of numbers
 --> a.yaml:4:9
  | at: [1, 2]
  |     ^^^^^^
  = help: name the input: `at: {x: [1, 2]}`""",
    at("x=1, 3"): """\
error[bad-point]: `x` has several values: a list stands in brackets
 --> a.yaml:4:11
  | at: x=1, 3
  |       ^^^^
  = help: did you mean `x=[1, 3]`?""",
    at("{x: true}"): """\
error[wrong-type]: `x` must be a number, a text, a list or a mapping, not true
 --> a.yaml:4:13
  | at: {x: true}
  |         ^^^^
  = help: put quotes around it: "true\"""",
    at("{x: pi/q}"): """\
error[bad-number]: a point is made of numbers, and `q` is not one
 --> a.yaml:4:13
  | at: {x: pi/q}
  |         ^^^^""",
    at("{x: [1, ' 1 + ', 1e9999]}"): """\
error[syntax]: this is not an expression: invalid syntax
 --> a.yaml:4:22
  | at: {x: [1, ' 1 + ', 1e9999]}
  |                  ^
error[too-large]: this number has more than 4,000 digits or an exponent beyond 5,000
 --> a.yaml:4:26
  | at: {x: [1, ' 1 + ', 1e9999]}
  |                      ^^^^^^""",
    at("{x: {start: 0, stop: .inf, count: 3}}"): """\
error[bad-number]: `.inf` is not a finite number
 --> a.yaml:4:30
  | at: {x: {start: 0, stop: .inf, count: 3}}
  |                          ^^^^""",
    at("{x: '0:-inf:3'}"): """\
error[bad-number]: a grid has two ends, and `-inf` is none
 --> a.yaml:4:16
  | at: {x: '0:-inf:3'}
  |            ^^^^""",
    at("{x: [1, 2, -.inf]}"): """\
error[not-finite]: there is no derivative at a number that is not finite, `x` = -inf
 --> a.yaml:4:20
  | at: {x: [1, 2, -.inf]}
  |                ^^^^^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out""",
    at("{x: .nan}"): """\
error[not-finite]: there is no derivative at a number that is not finite, `x` = nan
 --> a.yaml:4:13
  | at: {x: .nan}
  |         ^^^^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out""",
    at("{x: {tensor: [[1, 2], [.inf, 3]]}}"): """\
error[not-finite]: there is no derivative at a number that is not finite, `x[1,0]` = inf
 --> a.yaml:4:32
  | at: {x: {tensor: [[1, 2], [.inf, 3]]}}
  |                            ^^^^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out""",
    at("{x: {tensor: [.nan, .inf]}}"): """\
error[not-finite]: there is no derivative at a number that is not finite, `x[0]` = nan
 --> a.yaml:4:13
  | at: {x: {tensor: [.nan, .inf]}}
  |         ^^^^^^^^^^^^^^^^^^^^^^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out""",
    at("[{x: 1}, {x: inf}]"): """\
error[not-finite]: there is no derivative at a number that is not finite, `x` = inf
 --> a.yaml:4:22
  | at: [{x: 1}, {x: inf}]
  |                  ^^^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out""",
    at("x=nan"): """\
error[not-finite]: there is no derivative at a number that is not finite, `x` = nan
 --> a.yaml:4:9
  | at: x=nan
  |     ^^^^^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out""",
    at("{x: '0:1:0'}"): """\
error[bad-number]: the count of a grid is a whole number from 1 to 1,000,000
 --> a.yaml:4:18
  | at: {x: '0:1:0'}
  |              ^""",
    at("{x: [1, '0:1:5']}"): """\
error[bad-number]: a grid cannot stand here
 --> a.yaml:4:17
  | at: {x: [1, '0:1:5']}
  |             ^^^^^^^""",
    at("{x: [1, [2, 3]]}"): """\
error[ragged]: the values of `x` are not of one shape: () and (2,)
 --> a.yaml:4:17
  | at: {x: [1, [2, 3]]}
  |             ^^^^^^
  = help: a list holds values that are taken in turn; one tensor is written `{tensor: [...]}`""",
    at("{x: {tensor: [[1, 2], [3]]}}"): """\
error[ragged]: the rows of `tensor` are not of equal length
 --> a.yaml:4:22
  | at: {x: {tensor: [[1, 2], [3]]}}
  |                  ^^^^^^^^^^^^^""",
    at("{x: '[]', y: []}", "x*y"): """\
error[empty-tensor]: `x` has no elements: there is nothing to differentiate
 --> a.yaml:4:13
  | at: {x: '[]', y: []}
  |         ^^^^
error[wrong-type]: `y` must be a number, a text, a list or a mapping, not an empty list
 --> a.yaml:4:22
  | at: {x: '[]', y: []}
  |                  ^^
  = help: put quotes around a text that begins with `[`""",
    at(f"{{x: {{tensor: {'[' * 17}1{']' * 17}}}}}"): f"""\
error[too-deep]: `tensor` has 17 dimensions; 16 are accepted
 --> a.yaml:4:22
  | at: {{x: {{tensor: {"[" * 17}1{"]" * 17}}}}}
  |                  {"^" * 35}""",
    at("{x: {stop: 1, count: 3}}"): """\
error[unknown-key]: `x` has none of the keys `tensor`, `sample`, `start`
 --> a.yaml:4:14
  | at: {x: {stop: 1, count: 3}}
  |          ^^^^""",
    at("{x: {start: 0, stop: '[1]', count: 2.5}}"): """\
error[bad-number]: `stop` must be a number, not a list
 --> a.yaml:4:30
  | at: {x: {start: 0, stop: '[1]', count: 2.5}}
  |                          ^^^^^
error[bad-count]: `count` must be a whole number from 1 to 1,000,000, not 2.5
 --> a.yaml:4:44
  | at: {x: {start: 0, stop: '[1]', count: 2.5}}
  |                                        ^^^""",
    at("{x: '0:1:2000', y: {start: 0, stop: 1, count: 501}}", "x*y"): """\
error[too-large]: these are more than 1,000,000 points
 --> a.yaml:4:5
  | at: {x: '0:1:2000', y: {start: 0, stop: 1, count: 501}}
  | ^^""",
    at("{x: {sample: nomral, count: 3}}"): """\
error[unknown-sample]: no distribution named `nomral`
 --> a.yaml:4:22
  | at: {x: {sample: nomral, count: 3}}
  |                  ^^^^^^
  = help: did you mean `normal`?""",
    at("{x: {sample: uniform, mean: 0, seed: -1}}"): """\
error[missing-key]: a uniform sample needs the key `count`
 --> a.yaml:4:14
  | at: {x: {sample: uniform, mean: 0, seed: -1}}
  |          ^^^^^^
  = help: for example `count: 10`
error[unknown-key]: no key named `mean` in a uniform sample
 --> a.yaml:4:31
  | at: {x: {sample: uniform, mean: 0, seed: -1}}
  |                           ^^^^
  = help: known: sample, count, seed, shape, start, stop
error[bad-count]: `seed` must be a whole number from 0 to 9,223,372,036,854,775,807, not -1
 --> a.yaml:4:46
  | at: {x: {sample: uniform, mean: 0, seed: -1}}
  |                                          ^^""",
    at(
        "\n  x: {sample: normal, count: 1, std: 0}\n  y: {sample: logspace, count: 1, start: 0}\n  z: {sample: uniform, count: 1, start: 1}",
        "x*y*z",
    ): """\
error[bad-range]: in a normal sample `std` must be positive; `mean` is 0, `std` is 0
 --> a.yaml:5:42
  | x: {sample: normal, count: 1, std: 0}
  |                                    ^
error[bad-range]: in a logspace sample `start` must be positive and less than `stop`; `start` is 0, `stop` is 1e3
 --> a.yaml:6:46
  | y: {sample: logspace, count: 1, start: 0}
  |                                        ^
error[bad-range]: in a uniform sample `start` must be less than `stop`; `start` is 1, `stop` is 1
 --> a.yaml:7:45
  | z: {sample: uniform, count: 1, start: 1}
  |                                       ^""",
    at(
        "\n  x: {sample: normal, count: 1, shape: [600, 600]}\n  y: {sample: normal, count: 1, mean: 1e400}",
        "sum(x)*y",
    ): """\
error[too-large]: a draw has at most 300,000 elements and 16 dimensions
 --> a.yaml:5:44
  | x: {sample: normal, count: 1, shape: [600, 600]}
  |                                      ^^^^^^^^^^
error[out-of-range]: `mean` is beyond what a float64 holds
 --> a.yaml:6:43
  | y: {sample: normal, count: 1, mean: 1e400}
  |                                     ^^^^^""",
    at(
        "{x: [1, 65520], y: {sample: normal, count: 2, std: 7700}}\ndtype: [float64, float16]\ncotangent: 1e5",
        "x*y",
    ): """\
error[out-of-range]: `x` = 65520 is beyond the largest float16, 65504
 --> a.yaml:4:17
  | at: {x: [1, 65520], y: {sample: normal, count: 2, std: 7700}}
  |             ^^^^^
error[out-of-range]: `y` may draw numbers beyond the largest float16, 65504
 --> a.yaml:4:28
  | at: {x: [1, 65520], y: {sample: normal, count: 2, std: 7700}}
  |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
error[out-of-range]: `cotangent` = 1e5 is beyond the largest float16, 65504
 --> a.yaml:6:16
  | cotangent: 1e5
  |            ^^^""",
    at(
        "\n  - {x: {tensor: [1, 2]}, t: [0, 0.5]}\n  - {x: {tensor: [1, 2]}, t: {sample: normal, count: 1}}",
        "cross_entropy(x, t)",
    ): """\
error[not-an-integer]: `t` holds class indices, and 0.5 is not an integer
 --> a.yaml:5:38
  | - {x: {tensor: [1, 2]}, t: [0, 0.5]}
  |                                ^^^
error[not-an-integer]: `t` holds class indices, and a sample draws no integers
 --> a.yaml:6:34
  | - {x: {tensor: [1, 2]}, t: {sample: normal, count: 1}}
  |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    at(
        "\n  - {x: {tensor: [1, 2]}, t: '0:1:3'}\n  - {x: {tensor: [1, 2]}, t: 1e30}",
        "cross_entropy(x, t)",
    ): """\
error[not-an-integer]: `t` holds class indices, and this range has fractions
 --> a.yaml:5:34
  | - {x: {tensor: [1, 2]}, t: '0:1:3'}
  |                            ^^^^^^^
error[out-of-range]: `t` = 1e30 is beyond the largest index, 9223372036854775807
 --> a.yaml:6:34
  | - {x: {tensor: [1, 2]}, t: 1e30}
  |                            ^^^^""",
    at("{sample: normal, count: 3}", "cross_entropy(x, t)"): """\
error[missing-value]: `at` gives no value for `t`
 --> a.yaml:3:28
  | - expr: cross_entropy(x, t)
  |                          ^
  = help: class indices are not drawn: give each input values of its own""",
    at("[{x: 1, y: 2}, {x: {tensor: [1, 2]}, y: {tensor: [1, 2, 3]}}]", "x + y"): """\
error[shape-mismatch]: shapes do not fit: x is 2, y is 3: element by element each dimension must be equal, or 1, counted from the last
 --> a.yaml:3:11
  | - expr: x + y
  |         ^^^^^""",
    at("{x: {tensor: [1, 2]}}\ncotangent: [1, 2, 3]"): """\
error[shape-mismatch]: the cotangent has shape (3,), the result (2,)
 --> a.yaml:5:16
  | cotangent: [1, 2, 3]
  |            ^^^^^^^^^""",
    one("expr: x*y\nover: {x: '-4:4'}\nat: {x: 1, y: 2}"): """\
error[duplicate-value]: `x` is swept and fixed
 --> a.yaml:5:10
  | at: {x: 1, y: 2}
  |      ^
  = help: `over` gives it a range, and `at` a number: leave one of them out""",
    one("expr: x*y\nover: {x: '4:-4'}\nat: {y: [1, 2]}"): """\
error[bad-range]: a range goes from low to high
 --> a.yaml:4:16
  | over: {x: '4:-4'}
  |            ^^^^
  = help: did you mean `-4:4`?
error[bad-point]: `y` is fixed in a sweep: it takes one number
 --> a.yaml:5:13
  | at: {y: [1, 2]}
  |         ^^^^^^
  = help: ranges stand under `over`""",
    one("expr: x\nover: {x: '0:1'}\ntol: 1"): """\
error[conflicting-options]: `over` sweeps, which `tol` has no part in
 --> a.yaml:4:5
  | over: {x: '0:1'}
  | ^^^^
  = help: leave one of them out""",
    one(
        "expr: x**2\nover: {x: '0:1'}\nexpect: {outcome: agree, value: 3, partials: {x: 100}}"
    ): """\
error[conflicting-options]: `over` sweeps, and `value` is expected at one point
 --> a.yaml:5:30
  | expect: {outcome: agree, value: 3, partials: {x: 100}}
  |                          ^^^^^
  = help: expect an outcome, or check a point: `at` in the place of `over`
error[conflicting-options]: `over` sweeps, and `partials` is expected at one point
 --> a.yaml:5:40
  | expect: {outcome: agree, value: 3, partials: {x: 100}}
  |                                    ^^^^^^^^
  = help: expect an outcome, or check a point: `at` in the place of `over`""",
    one("expr: x**2\nover: {x: '0:1'}\ncotangent: [1, 2]"): """\
error[shape-mismatch]: the cotangent has shape (2,), the result ()
 --> a.yaml:5:16
  | cotangent: [1, 2]
  |            ^^^^^^""",
    one("expr: x**2\nover: {x: '0:1'}\ndtype: float16\ncotangent: 1e300"): """\
error[out-of-range]: `cotangent` = 1e300 is beyond the largest float16, 65504
 --> a.yaml:6:16
  | cotangent: 1e300
  |            ^^^^^""",
    one("expr: x*y\nover: {x: '0:1'}\ndtype: float16\nat: {y: 1e300}"): """\
error[out-of-range]: `y` = 1e300 is beyond the largest float16, 65504
 --> a.yaml:6:13
  | at: {y: 1e300}
  |         ^^^^^""",
    one("expr: x*y\nover: {x: '0:1'}\nat: {y: nan}"): """\
error[not-finite]: `y` is fixed in a sweep: nan is no finite number
 --> a.yaml:5:13
  | at: {y: nan}
  |         ^^^""",
    one("expr: x*y\nover: {x: '0:1:4', y: '0:1'}"): """\
error[bad-range]: a count of points is given of some ranges only
 --> a.yaml:4:11
  | over: {x: '0:1:4', y: '0:1'}
  |       ^^^^^^^^^^^^^^^^^^^^^^
  = help: give one of all of them, such as `{x: 0:1:100, y: 0:1:50}`""",
    one("expr: x**2\nover: {x: all}"): """\
error[too-large]: float64 has 18,437,736,874,454,810,624 numbers: they cannot all be swept
 --> a.yaml:4:11
  | over: {x: all}
  |       ^^^^^^^^
  = help: say how many of which range: `x: "-4:4:1000000"`""",
    one("expr: x**2\nover: {y: '0:1'}"): """\
error[missing-value]: `at` gives no value for `x`
 --> a.yaml:3:11
  | - expr: x**2
  |         ^
  = help: for example `at: {x: 1}`
error[extra-value]: `over` gives `y`, which is not an input of the program
 --> a.yaml:4:12
  | over: {y: '0:1'}
  |        ^
  = help: it has `x`""",
    one("expr: x**2\nover: x=-4:4"): """\
error[wrong-type]: `over` must be a mapping of inputs to ranges, not a text
 --> a.yaml:4:11
  | over: x=-4:4
  |       ^^^^^^""",
    one("expr: x**2\nover: {}"): """\
error[wrong-type]: `over` must be a mapping of inputs to ranges, not an empty mapping
 --> a.yaml:4:11
  | over: {}
  |       ^^""",
}
