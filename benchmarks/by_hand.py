"""What a careful user writes by hand for one function at one point: SymPy, torch and a central
difference, in a table.
"""

from __future__ import annotations

import sympy
import torch
from rich.console import Console
from rich.table import Table

POINT = 3.0
STEP = 5e-4


def value(x: torch.Tensor) -> torch.Tensor:
    """sigmoid(x**2) + tanh(x**3)."""
    return torch.sigmoid(x**2) + torch.tanh(x**3)


def analytic() -> tuple[str, float]:
    """SymPy's derivative as a formula, and its value at the point."""
    x = sympy.Symbol("x")
    formula = sympy.diff(1 / (1 + sympy.exp(-(x**2))) + sympy.tanh(x**3), x)
    return str(formula), float(formula.evalf(30, subs={x: sympy.Float(POINT, 30)}))


def autograd() -> float:
    """torch's derivative."""
    x = torch.tensor(POINT, dtype=torch.float64, requires_grad=True)
    value(x).backward()
    assert x.grad is not None
    return float(x.grad.item())


def numeric() -> float:
    """The central difference of torch's forward."""
    above, below = (
        value(torch.tensor(POINT + sign * STEP, dtype=torch.float64)).item() for sign in (1, -1)
    )
    return float(above - below) / (2 * STEP)


def main() -> None:
    """Print the three opinions."""
    formula, exact = analytic()
    table = Table(title=f"d/dx sigmoid(x**2) + tanh(x**3) at x = {POINT}", caption=formula)
    for heading in ("method", "value", "error"):
        table.add_column(heading)
    for method, derivative in (
        ("analytic", exact),
        ("autograd", autograd()),
        ("numeric", numeric()),
    ):
        table.add_row(method, f"{derivative:.17g}", f"{abs(derivative - exact):.2g}")
    Console().print(table)


if __name__ == "__main__":
    main()
