"""Formulas of derivatives are made for the runs that show them; all else is the same without."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from suites import made, written

from gradcheck_cli.runs import session
from gradcheck_cli.runs.desk import Desk
from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.task import fingerprint

# (words of a run, whether it shows formulas)
RUNS = [
    ((), False),
    (("-q",), False),
    (("-v", "-q"), False),
    (("--export", "a.xml", "--export", "sarif:b", "--export", "c.csv", "-f", "tap"), False),
    (("--export", "gitlab:a"), False),
    (("-v",), True),
    (("-f", "json"), True),
    (("-f", "jsonl"), True),
    (("-f", "markdown"), True),
    (("-f", "github"), True),
    (("-f", "tap", "--export", "a.json"), True),
    (("--export", "a.txt"), True),
]


@pytest.mark.parametrize(("words", "wanted"), RUNS, ids=str)
def test_a_run_has_formulas_made_where_a_report_of_it_shows_them(
    tool, tmp_path, monkeypatch, words, wanted
):
    """The table that a run writes to stdout shows some with `--verbose` alone."""
    plans = []
    monkeypatch.setattr(
        session, "plan", lambda *args, **said: plans.append(plan(*args, **said)) or plans[-1]
    )
    written(tmp_path, "{expr: x**2*detach(y), at: {x: 3, y: 2}}")
    _, out, _ = tool.ran(tmp_path, "run", ".", *words)
    assert {task.formulas for one in plans for task in one.tasks} == {wanted}
    exported = [path.read_text("utf-8") for path in tmp_path.glob("*.[tj]*")]
    texts = [text for text in (out, *exported) if "2*x*detach(y)" in text]
    assert wanted is bool(texts) or words == ("-f", "github")


@pytest.fixture(scope="module")
def desk():
    """Where tasks are checked."""
    with_sympy = Desk()
    yield with_sympy
    with_sympy.close()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sin(x)**2", (1, 2)),
        ("relu(x)", (0,)),
        ("sqrt(x**2)", (0,)),
        ("softmax([x, 2*x])", (1,)),
        ("log(x)", (-1,)),
        ("x**x", (0.5,)),
    ],
)
def test_everything_but_the_formulas_is_the_same(desk, text, values):
    """Value for value, and in words."""
    (task,) = plan([made("a", text, *values)], Selection()).tasks
    whole = [json.loads(item.line) for item in desk.check([task])]
    bare = [json.loads(item.line) for item in desk.check([replace(task, formulas=False)])]
    assert bare != whole
    for record in whole:
        for partial in (*record["partials"], *(record["also"] or {"partials": ()})["partials"]):
            for word in ("formula", "latex", "gradient"):
                partial["analytic"].pop(word, None)
    assert bare == whole


def test_what_was_made_without_formulas_is_not_taken_over_where_they_are_shown():
    """`--resume` goes on from what is as it would be made."""
    (task,) = plan([made("a", "x**2")], Selection()).tasks
    (bare,) = plan([made("a", "x**2")], Selection(), formulas=False).tasks
    assert fingerprint(task, "1") != fingerprint(bare, "1")
