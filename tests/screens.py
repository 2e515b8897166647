"""What a terminal shows of seven reports, at four widths.

As a script it writes the goldens anew: `python tests/screens.py`.
"""

from __future__ import annotations

import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tool import Tool

from gradcheck_cli.reports.stored import read_report
from gradcheck_cli.reports.table import render

FOLDER = Path(__file__).parent / "golden" / "screens"
WIDTHS = (60, 80, 100, 120)
FAILING = """\
version: 1
defaults: {at: {x: 0}}
cases:
  - {expr: sqrt(x**2)}
  - {expr: sqrt(x**4)}
  - {expr: relu(x) - relu(-x)}
  - {expr: x*detach(x), at: {x: 3}}
  - {expr: log1p(exp(x)), at: {x: 710}}
  - {expr: "where(x > 0, sqrt(x), 0)", at: {x: -1}}
  - {expr: softplus(x), at: {x: 21}}
  - {expr: "norm(v)", at: {v: [[1e-200, 1e-200]]}}
  - {expr: "celu(x, alpha=0.3)", at: {x: -1}}
  - {id: unmet, expr: relu(x), at: {x: 1}, expect: kink}
"""
MATRIX = "W=[[1,2,3,4],[2,3,4,5.5],[3,4,5,6.25]]"
CHAIN = "z = w0*x0 + w1*x1 + w2; k = exp(-z); h = 1 + k; f = 1/h"
PATHS = (
    "x1 = 2*a; x2 = 3*b; x = x1 + x2; c = 2*x; y1 = a*a; y2 = 5*y1; y3 = b*b; y4 = 3*b; "
    "y5 = y4*y3; y = y2 + y5; d = 3*y; z = c + d"
)
COMMANDS = {
    "example": ["sigmoid(x**2)+tanh(x**3)", "--at", "x=3"],
    "six": ["a*b+c*sin(d)/(p+q**2)", "--at", "a=1.5,b=2,c=-3.25,d=0.7,p=1e5,q=0.002"],
    "matrix": ["sum(tanh(W@x)**2)", "--at", MATRIX, "--at", "x=[0.1,0.2,0.3,0.4]"],
    "grid": ["tanh(x)", "--at", "x=-20:20:1001", "--dtype", "float32"],
    "chain": [CHAIN, "--at", "w0=0.5,x0=1,w1=-0.3,x1=2,w2=0.1", "--trace"],
    "paths": [PATHS, "--at", "a=1,b=2", "--trace"],
    "failing": ["run", "failing.gradcheck.yaml"],
}


def stored(tool, name, folder):
    """The JSON report of a command, made in a folder."""
    Path(folder, "failing.gradcheck.yaml").write_text(FAILING, encoding="utf-8")
    path = Path(folder, f"{name}.json")
    path.write_text(tool.run([*COMMANDS[name], "-f", "json"], folder=folder).stdout, "utf-8")
    return path


def screen(path, width):
    """What `gradcheck report` shows of a stored report."""
    report = _read(path.read_text(encoding="utf-8"))
    is_suite = any(record["source"] is not None for record in report.records)
    return render(report, width=width, quiet=is_suite)


_read = cache(read_report)  # it takes longer than to show it


def golden(name, width):
    """Where the screen of a report stands."""
    return FOLDER / f"{name}.{width}.txt"


def main():
    """Write every screen."""
    FOLDER.mkdir(exist_ok=True)
    with closing(Tool()) as tool, TemporaryDirectory() as folder:
        for name in COMMANDS:
            path = stored(tool, name, folder)
            for width in WIDTHS:
                golden(name, width).write_text(screen(path, width), encoding="utf-8")
                sys.stdout.write(f"wrote {golden(name, width).name}\n")


if __name__ == "__main__":
    main()
