"""Programs that are refused, each with the whole text that is said of it."""

from __future__ import annotations

from gradcheck_cli.language.constants import MAX_BITS, MAX_DIGITS, MAX_EXPONENT
from gradcheck_cli.language.parse import MAX_LENGTH

# Each program with all that is said of it.
MESSAGES = {
    "sigmod(x**2) + tanh(x**3)": """\
error[unknown-function]: no function named `sigmod`
  | sigmod(x**2) + tanh(x**3)
  | ^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all""",
    "qqq(x)": """\
error[unknown-function]: no function named `qqq`
  | qqq(x)
  | ^^^
  = help: `gradcheck functions` lists all""",
    "getitem(x, 0)": """\
error[unknown-function]: no function named `getitem`
  | getitem(x, 0)
  | ^^^^^^^
  = help: elements are written `x[0, 1:]`""",
    "sigmod(x) + y.snh() + sin(x, y)": """\
error[unknown-function]: no function named `sigmod`
  | sigmod(x) + y.snh() + sin(x, y)
  | ^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all
error[unknown-function]: no function named `snh`
  | sigmod(x) + y.snh() + sin(x, y)
  |               ^^^
  = help: did you mean `sinh`? `gradcheck functions` lists all
error[arity]: `sin` takes 1 argument, 2 are given
  | sigmod(x) + y.snh() + sin(x, y)
  |                       ^^^^^^^^^
  = help: `sin(x)`""",
    "__import__('os').system('x')": """\
error[unknown-function]: no function named `system`
  | __import__('os').system('x')
  |                  ^^^^^^
  = help: `gradcheck functions` lists all""",
    "(é + x).sni().cosh()": """\
error[unknown-function]: no function named `sni`
  | (é + x).sni().cosh()
  |         ^^^
  = help: did you mean `sin`? `gradcheck functions` lists all""",
    "foo(bar(x))": """\
error[unknown-function]: no function named `foo`
  | foo(bar(x))
  | ^^^
  = help: `gradcheck functions` lists all
error[unknown-function]: no function named `bar`
  | foo(bar(x))
  |     ^^^
  = help: `gradcheck functions` lists all""",
    "y = x**2\nz = sigmod(y)\nz": """\
error[unknown-function]: no function named `sigmod`
  | z = sigmod(y)
  |     ^^^^^^
  = help: did you mean `sigmoid`? `gradcheck functions` lists all""",
    "sin()": """\
error[arity]: `sin` needs 1 argument: `x` missing
  | sin()
  | ^^^^^
  = help: `sin(x)`""",
    "clamp()": """\
error[arity]: `clamp` needs 1 to 3 arguments: `x` missing
  | clamp()
  | ^^^^^^^
  = help: `clamp(x, min=-inf, max=inf)`""",
    "threshold(x, 1)": """\
error[arity]: `threshold` needs `value`
  | threshold(x, 1)
  | ^^^^^^^^^^^^^^^
  = help: `threshold(x; threshold, value)`""",
    "sum(x, 0, dim=1)": """\
error[arity]: `dim` is given twice
  | sum(x, 0, dim=1)
  |           ^^^^^""",
    "hypot(x, y, x=y)": """\
error[arity]: `x` is given twice
  | hypot(x, y, x=y)
  |             ^^^""",
    "stack([])": """\
error[arity]: `stack` needs at least 1 tensor
  | stack([])
  | ^^^^^^^^^
  = help: `stack(*tensors; dim=0)`
error[unsupported-syntax]: an empty list is not part of the language
  | stack([])
  |       ^^""",
    "cat([x], 0, 1)": """\
error[arity]: a list of tensors and at most a dim are expected
  | cat([x], 0, 1)
  | ^^^^^^^^^^^^^^""",
    "sum(x, dm=1)": """\
error[unknown-keyword]: `sum` has no argument named `dm`
  | sum(x, dm=1)
  |        ^^^^
  = help: did you mean `dim`?""",
    "sin(x, out=y)": """\
error[unknown-keyword]: `sin` has no argument named `out`
  | sin(x, out=y)
  |        ^^^^^
  = help: `sin(x)`""",
    "sum(x, dim=n)": """\
error[not-constant]: this setting must be a constant, such as 1 or 0.5
  | sum(x, dim=n)
  |            ^""",
    "elu(x, 1/0)": """\
error[not-constant]: division by zero in a setting
  | elu(x, 1/0)
  |        ^^^""",
    "elu(x, 2**0.5)": """\
error[not-constant]: a setting is a rational number: the exponent must be an integer
  | elu(x, 2**0.5)
  |        ^^^^^^""",
    "elu(x, 'a' + 1)": """\
error[not-constant]: this setting must be a constant, such as 1 or 0.5
  | elu(x, 'a' + 1)
  |        ^^^^^^^""",
    "sympy.sinc(x)": """\
error[foreign-meaning]: sympy.sinc(x) is sin(x)/x, this language's sinc(x) is sin(pi*x)/(pi*x): write sinc(x/pi)
  | sympy.sinc(x)
  | ^^^^^^^^^^""",
    "torch.cumsum(x)": """\
error[foreign-meaning]: torch.cumsum needs a dim: write cumsum(x, dim=0)
  | torch.cumsum(x)
  | ^^^^^^^^^^^^^^^""",
    "2*F.softmax(x)": """\
error[foreign-meaning]: F.softmax(x) takes dim 0 or 1 by the number of dimensions: write softmax(x, dim=-1)
  | 2*F.softmax(x)
  |   ^^^^^^^^^^^^""",
    "F.mse_loss(x, y, 'sum')": """\
error[foreign-meaning]: behind its arguments `F.mse_loss` does not take `reduction`: write reduction=...
  | F.mse_loss(x, y, 'sum')
  | ^^^^^^^^^^^^^^^^^^^^^^^""",
    "np.max(x, y)": """\
error[foreign-meaning]: np.max(x, axis) takes no second array: write np.maximum(x, y)
  | np.max(x, y)
  | ^^^^^^^^^^^^""",
    "xnp.sin(x)": """\
error[unknown-prefix]: `xnp.` is no known prefix
  | xnp.sin(x)
  | ^^^^^^^
  = help: known are `torch.`, `torch.nn.functional.`, `torch.special.`, `torch.linalg.`, `np.`, `np.linalg.`, `math.`, `sympy.`, `scipy.special.`; if `xnp` is an input: `sin` takes 1 argument, 2 are given""",
    "1 + numppy.linalg.norm(x)": """\
error[unknown-prefix]: `numppy.linalg.` is no known prefix
  | 1 + numppy.linalg.norm(x)
  |     ^^^^^^^^^^^^^^^^^^
  = help: did you mean `numpy.linalg`? known are `torch.`, `torch.nn.functional.`, `torch.special.`, `torch.linalg.`, `np.`, `np.linalg.`, `math.`, `sympy.`, `scipy.special.`; if `numppy` is an input: there is no attribute `linalg`""",
    "torch.fft.sin(x)": """\
error[unknown-prefix]: `torch.fft.` is no known prefix
  | torch.fft.sin(x)
  | ^^^^^^^^^^^^^
  = help: did you mean `torch`? known are `torch.`, `torch.nn.functional.`, `torch.special.`, `torch.linalg.`, `np.`, `np.linalg.`, `math.`, `sympy.`, `scipy.special.`""",
    "x[1.5] + x[n] + x[True]": """\
error[bad-index]: an index must be a constant integer or a slice
  | x[1.5] + x[n] + x[True]
  |   ^^^
error[bad-index]: an index must be a constant integer or a slice
  | x[1.5] + x[n] + x[True]
  |            ^
error[bad-index]: an index must be a constant integer or a slice
  | x[1.5] + x[n] + x[True]
  |                   ^^^^""",
    "elu(x, 'a') + huber_loss(x, 1, delta=None) + elu(x, True)": """\
error[bad-argument]: `alpha` takes a number, not 'a'
  | elu(x, 'a') + huber_loss(x, 1, delta=None) + elu(x, True)
  |        ^^^
error[bad-argument]: `delta` takes a number, not None
  | elu(x, 'a') + huber_loss(x, 1, delta=None) + elu(x, True)
  |                                      ^^^^
error[bad-argument]: `alpha` takes a number, not True
  | elu(x, 'a') + huber_loss(x, 1, delta=None) + elu(x, True)
  |                                                     ^^^^""",
    "x[::-1]": """\
error[bad-index]: torch takes only slices with a positive step
  | x[::-1]
  |   ^^^^""",
    "x[9223372036854775808]": """\
error[bad-index]: an index has at most 63 bits
  | x[9223372036854775808]
  |   ^^^^^^^^^^^^^^^^^^^""",
    "a if c else b": """\
error[not-a-condition]: a comparison is needed here, such as `x > 0`
  | a if c else b
  |      ^""",
    "where(x, 1, 2)": """\
error[not-a-condition]: a comparison is needed here, such as `x > 0`
  | where(x, 1, 2)
  |       ^""",
    "x > 0 and y": """\
error[not-a-condition]: a comparison is needed here, such as `x > 0`
  | x > 0 and y
  |           ^""",
    "x.shape": """\
error[unknown-attribute]: there is no attribute `shape`
  | x.shape
  | ^^^^^^^
  = help: `.T` and methods such as `.sum()` are known""",
    "I*x + nan": """\
error[unknown-name]: `I` is not a number one can differentiate at
  | I*x + nan
  | ^
error[unknown-name]: `nan` is not a number one can differentiate at
  | I*x + nan
  |       ^^^""",
    "pi = 3; inf = pi; pi*x": """\
error[reserved-name]: `pi` is a constant and cannot be assigned
  | pi = 3; inf = pi; pi*x
  | ^^
error[reserved-name]: `inf` is a constant and cannot be assigned
  | pi = 3; inf = pi; pi*x
  |         ^^^""",
    "sigmoid(x)\n+ tanh(x)": """\
error[unused-value]: nothing is done with this value
  | sigmoid(x)
  | ^^^^^^^^^^
  = help: name it: `y = ...`; put an expression of several lines in brackets""",
    "x^2": """\
error[unsupported-syntax]: the operator `^` is not part of the language
  | x^2
  | ^^^
  = help: a power is written `x**y`""",
    "x // y": """\
error[unsupported-syntax]: the operator `//` is not part of the language
  | x // y
  | ^^^^^^
  = help: write `floor(x / y)`""",
    "x < y is z": """\
error[unsupported-syntax]: the operator `is` is not part of the language
  | x < y is z
  | ^^^^^^^^^^""",
    "lambda x: x": """\
error[unsupported-syntax]: a lambda is not part of the language
  | lambda x: x
  | ^^^^^^^^^^^""",
    "x += 1": """\
error[unsupported-syntax]: an augmented assignment is not part of the language
  | x += 1
  | ^^^^^^
  = help: write it out: `x = x + 1`""",
    "x, y = 1, 2": """\
error[unsupported-syntax]: an assignment to anything but one name is not part of the language
  | x, y = 1, 2
  | ^^^^^^^^^^^""",
    "sin(*x)": """\
error[unsupported-syntax]: unpacking is not part of the language
  | sin(*x)
  |     ^^""",
    "sin(**x)": """\
error[unsupported-syntax]: `**` unpacking is not part of the language
  | sin(**x)
  |       ^""",
    "x(y)(z)": """\
error[unsupported-syntax]: only a function of the language can be called
  | x(y)(z)
  | ^^^^""",
    "'a' + True + 1j + ... + b'c'": """\
error[unsupported-syntax]: `'a'` is not a number
  | 'a' + True + 1j + ... + b'c'
  | ^^^
error[unsupported-syntax]: `True` is not a number
  | 'a' + True + 1j + ... + b'c'
  |       ^^^^
error[unsupported-syntax]: `1j` is not a number
  | 'a' + True + 1j + ... + b'c'
  |              ^^
error[unsupported-syntax]: `...` is not a number
  | 'a' + True + 1j + ... + b'c'
  |                   ^^^
error[unsupported-syntax]: `b'c'` is not a number
  | 'a' + True + 1j + ... + b'c'
  |                         ^^^^""",
    "(x": """\
error[syntax]: this is not an expression: '(' was never closed
  | (x
  | ^""",
    "x y": """\
error[syntax]: this is not an expression: invalid syntax
  | x y
  |   ^""",
    "x − y": """\
error[syntax]: this is not an expression: invalid character '−' (U+2212)
  | x − y
  |   ^
  = help: in place of `−` write `-`""",
    "x\0y": """\
error[syntax]: this is not an expression: invalid character U+0000
  | x�y
  |  ^""",
    "": """\
error[empty]: there is no expression
  = help: give one, such as `sin(x)**2`""",
    "# a comment": """\
error[empty]: there is no expression
  = help: give one, such as `sin(x)**2`""",
    "x"
    * (
        MAX_LENGTH + 1
    ): f"error[too-long]: the program has {MAX_LENGTH + 1:,} characters; {MAX_LENGTH:,} are accepted",
    "x + 9**9**9**9": f"""\
error[too-large]: this constant has more than {MAX_BITS:,} bits
  | x + 9**9**9**9
  |        ^^^^^^^""",
    "x + 1e5001": f"""\
error[too-large]: this number has more than {MAX_DIGITS:,} digits or an exponent beyond {MAX_EXPONENT:,}
  | x + 1e5001
  |     ^^^^^^""",
    "norm(x, p=10**400)": """\
error[too-large]: an integer here has at most 63 bits
  | norm(x, p=10**400)
  |           ^^^^^^^""",
    "elu(x, 2.0**30000)": f"""\
error[too-large]: this constant has more than {MAX_BITS:,} bits
  | elu(x, 2.0**30000)
  |        ^^^^^^^^^^""",
    "((" + "-" * 60_000 + "x))": f"""\
error[too-deep]: the program is nested too deeply
  | (({"-" * 60}…
  |  ^
  = help: name parts of it: `y = ...; f(y)`""",
}
