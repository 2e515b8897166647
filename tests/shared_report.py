"""One Report of real checks that meets every outcome; the goldens in `golden/` are what each format makes of it.

To write the goldens anew after a change that is meant: `python tests/shared_report.py`, then read the difference.
The programs use only what IEEE arithmetic rounds in one way (+ - * / sqrt), so that every machine gets the same digits.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from gradcheck_cli.case import Request, cases_of
from gradcheck_cli.judge.verdict import judge
from gradcheck_cli.language.parse import parse
from gradcheck_cli.point import read_points
from gradcheck_cli.reports import FORMATS, renderer
from gradcheck_cli.suite.check import check_case
from gradcheck_cli.suite.report import Report, Result
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.process import Analyst

GOLDEN = Path(__file__).parent / "golden"
COMMAND = ("gradcheck", "run", "shared.yaml")
ENVIRONMENT = {"gradcheck": "0", "python": "3", "torch": "2", "sympy": "1", "python_flint": "0", "platform": "any"}
# (id, program, point, dtypes)
ASKED = [
    ("grid", "abs(x)*y", "x=-1:1:3,y=0.5", ("float64", "float32")),
    ("tensor", "W2 = W*W\nW2*[1, 3]", "W=[[1, 2], [0.3, 4]]", ("float32",)),
    ("wrong | `odd` [red]id[/red]", "relu(x) - relu(-x)", "x=0", ("float64",)),
    ("nan", "sqrt(x**2)", "x=0", ("float64",)),
    ("outside", "sqrt(x)", "x=-1", ("float64",)),
    ("cut", "detach(x)*3 + 0*y", "x=1,y=-0.0", ("float64",)),
    ("cancelled", "(x+1)**2 - x**2", "x=1e8", ("float32",)),
    (None, "x*y", "x=3,y=4", ("float64",)),
]


@cache
def results() -> tuple[Result, ...]:
    """The checks, made once a test run."""
    analyst = Analyst()
    try:
        return tuple(
            replace(check_case(case, analyst), id=name)
            for name, program, point, dtypes in ASKED
            for case in cases_of(Request(parse(program), read_points([point]), dtypes=dtypes))
        )
    finally:
        analyst.close()


def shared_report() -> Report:
    """The report: the last case has lost two of its witnesses, so that nothing is shown of it."""
    *found, last = results()
    lost = replace(last.evidence, reference=Abstention("no enclosure within 5 s"), analytic=Abstention("SymPy found no derivative within 3 s"))
    found.append(replace(last, evidence=lost, verdicts=judge(lost)))
    return Report(found, COMMAND, ENVIRONMENT, problems=("`lost`: the worker ended without an answer",))


def golden(name: str) -> Path:
    """Where a format's golden stands."""
    return GOLDEN / f"report.{name}.txt"


def main() -> None:
    """Write every golden anew."""
    GOLDEN.mkdir(exist_ok=True)
    for name in FORMATS:
        golden(name).write_bytes(renderer(name)(shared_report()).encode())


if __name__ == "__main__":
    main()
