"""torch is wrong about the derivative by `x` of

    hardsigmoid(x)

at x = -2.9 in float64: torch answers 0.1666666716337204, and it is
0.166666666666666666666666666667.

It ends with 1 while torch's answer is further from the derivative than rounding explains, with 0
once it is not, and with 2 if the derivative that is proved and the one computed here are not the
same. Written by gradcheck 0.1.0.
"""

import platform
import sys

import mpmath
import torch
from mpmath import mp, mpf

# The derivative, proved in ball arithmetic.
PROVED = "0.166666666666666666666666666667"
# The largest error that rounding explains.
ALLOWED = 1.1102230246251565e-16
# Digits that are computed with.
mp.dps = 128


def gradient():
    """torch's answer."""
    x = torch.tensor(-2.9, dtype=torch.float64, requires_grad=True)
    y = torch.nn.functional.hardsigmoid(x)
    y.backward()
    return x.grad


def value(x):
    """The same function in mpmath, of the number that it is differentiated by."""
    t = (x + mpf(3) if x + mpf(3) > mpf(0) else mpf(0)) if (x + mpf(3) if x + mpf(3) > mpf(0) else mpf(0)) < mpf(6) else mpf(6)
    return t/mpf(6)


def main():
    """Compare them."""
    print(f"torch {torch.__version__}, mpmath {mpmath.__version__}, "
          f"Python {platform.python_version()}, {platform.platform()}")
    x = mpf(-2.9)
    true = mp.diff(value, x, h=abs(x) * mpf(2)**(-mp.prec - 10))
    proved = mpf(PROVED)
    print("derivative, proved:   ", PROVED)
    print("derivative, by mpmath:", mp.nstr(true, 30))
    if not abs(true - proved) <= abs(proved) * mpf(10)**-28:
        print("these are not the same: nothing is said of torch")
        return 2
    answer = gradient()
    print("torch's answer:       ", "none" if answer is None else repr(float(answer)))
    error = mp.inf if answer is None else abs(mpf(float(answer)) - proved)
    if not error <= ALLOWED:
        print(f"wrong: off by {mp.nstr(error, 3)}, where rounding explains {ALLOWED}")
        return 1
    print("right, as far as rounding allows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
