"""Calls in points that are refused, each with the whole text that is said of it."""

from __future__ import annotations

MESSAGES = {
    "x=uniform(1,-1)": """\
error[bad-range]: of `uniform` the first number must be less than the second number
  | x=uniform(1,-1)
  |   ^^^^^^^^^^^^^""",
    "x=normal(0,0)": """\
error[bad-range]: of `normal` the second number must be positive
  | x=normal(0,0)
  |   ^^^^^^^^^^^""",
    "x=loguniform(0,1)": """\
error[bad-range]: of `loguniform` the first number must be positive and less than the second number
  | x=loguniform(0,1)
  |   ^^^^^^^^^^^^^^^""",
    "x=uniform(0,1e400)": """\
error[out-of-range]: this is beyond what a float64 holds
  | x=uniform(0,1e400)
  |   ^^^^^^^^^^^^^^^^""",
    "x=randm(3)": """\
error[unknown-function]: no function named `randm`
  | x=randm(3)
  |   ^^^^^
  = help: did you mean `rand` or `randn`?""",
    "x=2*ones(3)": """\
error[bad-number]: `ones(...)` stands alone in a point, not in an expression or a list
  | x=2*ones(3)
  |     ^^^^""",
    "x=ones(2,dtype=torch.float64)": """\
error[unknown-keyword]: `ones` has no argument named `dtype` in a point
  | x=ones(2,dtype=torch.float64)
  |          ^^^^^^^^^^^^^^^^^^^
  = help: say it with `--dtype`""",
    "x=tensor(3,requires_grad=False)": """\
error[unknown-keyword]: `tensor` has no argument named `requires_grad` in a point
  | x=tensor(3,requires_grad=False)
  |            ^^^^^^^^^^^^^^^^^^^
  = help: say it with `--wrt`""",
    "x=ones(0)": """\
error[bad-number]: a whole number from 1 to 300,000 is needed here
  | x=ones(0)
  |        ^""",
    "x=ones(10**400)": """\
error[bad-number]: a whole number from 1 to 300,000 is needed here
  | x=ones(10**400)
  |        ^^^^^^^""",
    "x=ones(1000,1000)": """\
error[too-large]: a tensor of a point has at most 300,000 elements and 16 dimensions
  | x=ones(1000,1000)
  |   ^^^^^^^^^^^^^^^""",
    "x=arange(1,0)": """\
error[bad-number]: this range has 0 numbers; 1 to 1,000,000 are accepted
  | x=arange(1,0)
  |   ^^^^^^^^^^^""",
    "x=arange(0,1,0)": """\
error[bad-number]: this range has 0 numbers; 1 to 1,000,000 are accepted
  | x=arange(0,1,0)
  |   ^^^^^^^^^^^^^""",
    "x=arange(10**9)": """\
error[bad-number]: this range has 1,000,000,000 numbers; 1 to 1,000,000 are accepted
  | x=arange(10**9)
  |   ^^^^^^^^^^^^^""",
    "x=linspace(0,inf,3)": """\
error[bad-number]: a finite number is needed here
  | x=linspace(0,inf,3)
  |              ^^^""",
    "x=full(2)": """\
error[arity]: `full` needs more arguments: `full(size, fill_value)`
  | x=full(2)
  |   ^^^^^^^""",
    "x=eye(2,2,2)": """\
error[arity]: `eye` takes fewer arguments: `eye(n, m)`
  | x=eye(2,2,2)
  |   ^^^^^^^^^^""",
    "x=randn(": """\
error[bad-number]: this bracket is not closed
  | x=randn(
  |        ^""",
    "x=1,2,3": """\
error[bad-point]: `x` has several values: a list stands in brackets
  | x=1,2,3
  |   ^^^^^
  = help: did you mean: x=[1,2,3]""",
    "y=4,x=1, 2,z=5": """\
error[bad-point]: `x` has several values: a list stands in brackets
  | y=4,x=1, 2,z=5
  |       ^^^^
  = help: did you mean: y=4,x=[1, 2],z=5""",
    "x=1..3": """\
error[bad-number]: a grid is written start:stop:count
  | x=1..3
  |   ^^^^
  = help: did you mean: x=1:3:3""",
}  # fmt: skip
