"""Points that are refused, each with the whole text that is said of it."""

from __future__ import annotations

from gradcheck_cli.language.constants import MAX_DIGITS, MAX_EXPONENT
from gradcheck_cli.questions.numbers import MAX_POINTS, read_value

# Each text of --at with all that is said of it.
MESSAGES = {
    "3": """\
error[bad-point]: `3` is not of the form NAME=VALUE
  | 3
  | ^
  = help: for example `--at x=3,y=[1, 2]`""",
    "x==3": """\
error[bad-point]: `x==3` is not of the form NAME=VALUE
  | x==3
  | ^^^^
  = help: for example `--at x=3,y=[1, 2]`""",
    "x=1,,y=2": """\
error[bad-point]: NAME=VALUE is missing here
  | x=1,,y=2
  |     ^
  = help: for example `--at x=3,y=[1, 2]`""",
    " ": """\
error[bad-point]: NAME=VALUE is missing here
  |\x20\x20
  | ^
  = help: for example `--at x=3,y=[1, 2]`""",
    "x=1,x=2": """\
error[duplicate-value]: `x` is given twice
  | x=1,x=2
  |       ^""",
    "x=,y=sigmod(2),z=[1 2]": """\
error[bad-number]: there is no value here
  | x=,y=sigmod(2),z=[1 2]
  |   ^
error[unknown-function]: no function named `sigmod`
  | x=,y=sigmod(2),z=[1 2]
  |      ^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all
error[syntax]: this is not an expression: invalid syntax
  | x=,y=sigmod(2),z=[1 2]
  |                     ^""",
    "é=漢+1": """\
error[bad-number]: a point is made of numbers, and `漢` is not one
  | é=漢+1
  |   ^^^^""",
    "x=2*inf": """\
error[bad-number]: this expression has no finite value
  | x=2*inf
  |   ^^^^^""",
    "x=0:inf:3": """\
error[bad-number]: a grid has two ends, and `inf` is none
  | x=0:inf:3
  |     ^^^""",
    "x=1+nan": """\
error[unknown-name]: `nan` is not a number one can differentiate at
  | x=1+nan
  |     ^^^""",
    "x=2/0": """\
error[bad-number]: this expression has no finite value
  | x=2/0
  |   ^^^""",
    "x=sin(pi)": """\
error[bad-number]: this expression cannot be told from 0
  | x=sin(pi)
  |   ^^^^^^^""",
    "x=exp(1e6)": """\
error[bad-number]: this expression is a number far outside every dtype
  | x=exp(1e6)
  |   ^^^^^^^^""",
    "x=stack([1, 2])": """\
error[bad-number]: this is not a single number
  | x=stack([1, 2])
  |   ^^^^^^^^^^^^^""",
    "x=sum(1, dim=3)": """\
error[bad-number]: this is not a number: dim 3 is out of range: from -1 to 0 are there
  | x=sum(1, dim=3)
  |   ^^^^^^^^^^^^^""",
    "x=y=2": """\
error[unsupported-syntax]: one expression is needed here, without assignments
  | x=y=2
  |   ^^^""",
    "x=1;y=2": """\
error[unsupported-syntax]: one expression is needed here, without assignments
  | x=1;y=2
  |   ^""",
    "x=0:1": """\
error[bad-number]: a grid is written start:stop:count
  | x=0:1
  |   ^^^""",
    "x=0:1:0": f"""\
error[bad-number]: the count of a grid is a whole number from 1 to {MAX_POINTS:,}
  | x=0:1:0
  |       ^""",
    f"x=0:1:{MAX_POINTS + 1}": f"""\
error[bad-number]: the count of a grid is a whole number from 1 to {MAX_POINTS:,}
  | x=0:1:{MAX_POINTS + 1}
  |       ^^^^^^^""",
    "x=0::5": """\
error[bad-number]: there is no value here
  | x=0::5
  |     ^""",
    "x=[0:1:5]": """\
error[bad-number]: a grid cannot stand in a list
  | x=[0:1:5]
  |    ^^^^^""",
    "x=[1,,2]": """\
error[bad-number]: there is no value here
  | x=[1,,2]
  |      ^""",
    "x=[1, 2": """\
error[bad-number]: this bracket is not closed
  | x=[1, 2
  |   ^""",
    "x=[1, 2)": """\
error[bad-number]: this bracket closes none
  | x=[1, 2)
  |        ^""",
    "x=1]": """\
error[bad-number]: this bracket closes none
  | x=1]
  |    ^""",
    "x=[[1]2]": """\
error[bad-number]: there is something after the list
  | x=[[1]2]
  |       ^""",
    "x=[1, 2]*2": """\
error[bad-number]: there is something after the list
  | x=[1, 2]*2
  |         ^^""",
    "x=1e5001": f"""\
error[too-large]: this number has more than {MAX_DIGITS:,} digits or an exponent beyond {MAX_EXPONENT:,}
  | x=1e5001
  |   ^^^^^^""",
    "x=(1e-5000)**40000": """\
error[too-large]: this constant has more than 100,000 bits
  | x=(1e-5000)**40000
  |   ^^^^^^^^^^^^^^^^""",
    "x=" + "[" * 70 + "1" + "]" * 70: f"""\
error[too-deep]: brackets are nested more than 64 deep
  | …{"[" * 63}1{"]" * 56}…
  | {" " * 61}^""".replace("[" * 63 + "1" + "]" * 56, "[" * 66 + "1" + "]" * 54),
}

# Programs and points that do not fit, with all that is said of them.
MISFITS = [
    ("[x, y*x]", "x=1,y=2", {"jacobian": True, "cotangent": "[1, 2]"}, """\
error[conflicting-options]: a Jacobian has no cotangent: each element of the value is differentiated alone
  = help: give one of the two"""),
    ("[x, y*x]", "x=1,y=2", {"jacobian": True, "order": 2}, """\
error[conflicting-options]: second derivatives are those of one number, a Jacobian is of several
  = help: give a cotangent instead of `jacobian`"""),
    ("x + y*y", "x=1", {}, """\
error[missing-value]: `--at` gives no value for `y`
  | x + y*y
  |     ^
  = help: for example `--at y=1`"""),
    ("x*sin", "x=1", {}, """\
error[missing-value]: `--at` gives no value for `sin`
  | x*sin
  |   ^^^
  = help: `sin` is a function: write sin(...)"""),
    ("width", "widht=1", {}, """\
error[missing-value]: `--at` gives no value for `width`
  | width
  | ^^^^^
  = help: for example `--at width=1`
error[extra-value]: `--at` gives `widht`, which is not an input of the program
  = help: did you mean `width`?"""),
    ("x", "x=1,y=2", {"wrt": ["z"]}, """\
error[extra-value]: `--at` gives `y`, which is not an input of the program
  = help: it has `x`
error[unknown-input]: `--wrt` names `z`, which is not an input of the program
  = help: it has `x`"""),
    ("width*y", "width=1,y=2", {"wrt": ["widht", "z"]}, """\
error[unknown-input]: `--wrt` names `widht`, which is not an input of the program
  = help: did you mean `width`?
error[unknown-input]: `--wrt` names `z`, which is not an input of the program
  = help: it has `width`, `y`"""),
    ("pi*x", "x=1,pi=3,inf=2", {"wrt": ["E"]}, """\
error[extra-value]: `--at` gives `pi`, which is not an input of the program
  = help: `pi` is a constant, so an input needs another name, such as `pi_`; it has `x`
error[extra-value]: `--at` gives `inf`, which is not an input of the program
  = help: `inf` is a constant, so an input needs another name, such as `inf_`; it has `x`
error[unknown-input]: `--wrt` names `E`, which is not an input of the program
  = help: `E` is a constant, so an input needs another name, such as `E1`; it has `x`"""),
    ("y = x**2; y + sin(y)", "x=1,y=1", {"wrt": ["y"]}, """\
error[extra-value]: `--at` gives `y`, which is not an input of the program
  = help: `y` is what the program computes; it has `x`"""),
    ("cross_entropy(x, y)", "x=[1, 2],y=1", {"wrt": ["y"]}, "error[index-input]: `y` holds class indices: there is nothing to differentiate"),
    ("cross_entropy(x, y)", "x=[1, 2],y=1/2", {}, "error[not-an-integer]: `y` holds class indices, and 1/2 is not an integer"),
    ("2 + 3", "x=1", {}, """\
error[extra-value]: `--at` gives `x`, which is not an input of the program
  = help: it has no inputs"""),
    ("x", "x=1", {"dtypes": ["flaot32"]}, """\
error[unknown-dtype]: no dtype named `flaot32`
  = help: did you mean `float32`?"""),
    ("x", "x=[[1, 2], [3]]", {}, "error[ragged]: the rows of `x` are not of equal length"),
    ("x", "x=[1, [2]]", {}, "error[ragged]: the rows of `x` are not of equal length"),
    ("x", "x=[]", {}, "error[empty-tensor]: `x` has no elements: there is nothing to differentiate"),
    ("x", "x=" + "[" * 20 + "1" + "]" * 20, {}, "error[too-deep]: `x` has 20 dimensions; 16 are accepted"),
    ("x", "x=1e400", {}, "error[out-of-range]: `x` = 1e400 is beyond the largest float64, 1.79769e+308"),
    ("x", "x=65520", {"dtypes": ["float16"]}, "error[out-of-range]: `x` = 65520 is beyond the largest float16, 65504"),
    ("x**2", "x=-inf", {}, """\
error[not-finite]: there is no derivative at a number that is not finite, `x` = -inf
  | x**2
  | ^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out"""),
    ("x + y*m + n", "x=1,y=2,m=[[1, nan], [inf, 2]],n=inf", {}, """\
error[not-finite]: there is no derivative at a number that is not finite, `m[0,1]` = nan
  | x + y*m + n
  |       ^
  = help: name the inputs to differentiate: `--wrt x,y`, in a suite `wrt: [x, y]`
error[not-finite]: there is no derivative at a number that is not finite, `n` = inf
  | x + y*m + n
  |           ^
  = help: name the inputs to differentiate: `--wrt x,y`, in a suite `wrt: [x, y]`"""),
    ("where(m > 0, x, 0)", "x=[inf, 1, nan],m=[0, 1, 1]", {"wrt": ["x"]}, """\
error[not-finite]: there is no derivative at a number that is not finite, `x[2]` = nan
  | where(m > 0, x, 0)
  |              ^
  = help: infinities and NaN may stand at inputs that are not differentiated (`--wrt` names those that are) and at elements that are masked out"""),
    ("x", "x=1", {"cotangent": read_value("inf")}, "error[not-finite]: the cotangent weighs the elements of the result: its numbers are finite"),
    ("cross_entropy(x, y)", "x=[1, 2],y=inf", {}, "error[not-an-integer]: `y` holds class indices, and inf is not an integer"),
    ("x @ y", "x=[1, 2],y=[1, 2, 3]", {}, """\
error[shape-mismatch]: shapes do not fit: x is 2, y is 3: `@` needs as many columns on the left as there are rows on the right
  | x @ y
  | ^^^^^"""),
    ("sum(inverse(x))", "x=[[1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1]]", {}, """\
error[too-large]: a determinant or inverse of size 7 is too large; up to 6 are expanded exactly
  | sum(inverse(x))
  |     ^^^^^^^^^^"""),
    ("2*mse_loss(x, 1, reduction='avg')", "x=[1, 2]", {}, """\
error[bad-argument]: reduction is 'mean', 'sum', 'none', not 'avg'
  | 2*mse_loss(x, 1, reduction='avg')
  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"""),
    ("threshold(x, 0, None)", "x=1", {}, """\
error[bad-argument]: `value` takes a number, not None
  | threshold(x, 0, None)
  | ^^^^^^^^^^^^^^^^^^^^^"""),
    ("cross_entropy(x, [0.5])", "x=[1, 2]", {}, """\
error[not-an-integer]: an integer is needed here: give the class index as a constant or an input of integers
  | cross_entropy(x, [0.5])
  | ^^^^^^^^^^^^^^^^^^^^^^^"""),
    ("cross_entropy(x, [inf])", "x=[1, 2]", {}, """\
error[not-an-integer]: an integer is needed here: give the class index as a constant or an input of integers
  | cross_entropy(x, [inf])
  | ^^^^^^^^^^^^^^^^^^^^^^^"""),
    ("x*2", "x=[1, 2]", {"cotangent": read_value("[1, 2, 3]")}, "error[shape-mismatch]: the cotangent has shape (3,), the result (2,)"),
    ("x + y", "x=0:1:2000,y=0:1:2000", {}, f"error[too-large]: these grids make more than {MAX_POINTS:,} points"),
]  # fmt: skip
