"""torch in its other modes: on trial as its backward is, with the same rule, and counted."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from math import cos, inf, nan, sin

import pytest
import torch
from asking import alone, case, changed, check_together, evidence, points, reference
from each import each
from jsonschema_rs import Draft202012Validator
from laws.points import differentiable_rows, named, samples
from torch_facts import FACTS

from gradcheck_cli import check
from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.checks.report import report_of
from gradcheck_cli.functions import table
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.language.elements import element
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.records.record import MODES, WITNESSES
from gradcheck_cli.records.versions import versions
from gradcheck_cli.reports import renderer
from gradcheck_cli.reports.json import document
from gradcheck_cli.reports.schema import report_schema
from gradcheck_cli.settings.values import Layer
from gradcheck_cli.suites.read import read_suites
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.modes import MAX_PASSES, Mode, ModeAnswer, mode_witnesses

OTHERS = MODES[1:]
UNASKED = Abstention("not asked")


def heard(point, modes=OTHERS, witnesses=None):
    """What reference, backward and the modes say of a point."""
    batch = point.batch
    said = {w.name: w.answer(batch) for w in (Autograd(), *(witnesses or mode_witnesses(modes)))}
    told = {n: a if isinstance(a, Abstention) else a.testimony(point.k) for n, a in said.items()}
    return evidence(point, reference=reference(point), numeric=UNASKED, **told)


def check_in(point, analyst, modes=OTHERS):
    """The result of a point."""
    return next(check_batches([(alone(point).batch,)], panel(analyst, None, modes)))


@pytest.mark.parametrize("mode", OTHERS)
@pytest.mark.parametrize(
    ("text", "at", "wrt", "cotangent", "slopes"),
    [
        ("sin(x)*y", "x=0.7,y=3", ["x", "y"], None, [3 * cos(0.7), sin(0.7)]),
        ("sin(x)*y", "x=0.7,y=3", ["y"], None, [sin(0.7)]),
        ("W @ x", "W=[[1, 2], [3, 4]],x=[1, -1]", ["x"], "[1, 10]", [31, 42]),
        ("W @ x", "W=[[1, 2], [3, 4]],x=[1, -1]", ["W"], "[1, 10]", [1, -1, 10, -10]),
        ("gather(x, t)", "x=[5, 6, 7],t=1", ["x"], None, [0, 1, 0]),
        ("x*exp(m)", "x=2,m=-inf", ["x"], None, [0]),
        ("x*stop_gradient(x)", "x=3", ["x"], None, [3]),
        ("straight_through(round(x), x**2)", "x=1.5", ["x"], None, [3]),
        ("0.1*x", "x=3", ["x"], None, [0.1]),
    ],
)
def test_each_mode_gives_the_gradient(text, at, wrt, cotangent, slopes, mode):
    """By hand."""
    said = heard(case(text, at, wrt=wrt, cotangent=cotangent), [mode])
    values = [answer.value for answer in said.testimonies[mode].partials]
    assert values == pytest.approx(slopes, rel=1e-15)
    assert all(verdict.agrees[mode] is True for verdict in judge(said))


# What torch has no such mode of, for some arguments: a forward derivative of copysign, a batch of
# rrelu.
LACKING = {("copysign", "forward"), ("rrelu", "vmap")}


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@each("row", differentiable_rows(), ids=named)
def test_the_modes_agree_where_backward_does(row, dtype):
    """At ordinary points of every function: what torch can do in a mode it does within the budget of
    its backward, and it can what backward can.
    """
    for sample in samples(row, 3):
        said = heard(case(sample.text, sample.at, dtype, wrt=sample.numbers))
        plain = changed(said, **dict.fromkeys(OTHERS, UNASKED))
        for k, (with_modes, without) in enumerate(zip(judge(said), judge(plain), strict=True)):
            assert with_modes.outcome == without.outcome, f"{sample}: {with_modes.reason}"
            answers = [said.of(mode, k) for mode in OTHERS]
            if isinstance(said.of("autograd", k), Abstention):
                assert all(isinstance(answer, Abstention) for answer in answers)
            elif without.outcome == "agree":
                asked = [mode for mode in OTHERS if (row.name, mode) not in LACKING]
                assert [with_modes.agrees[mode] for mode in asked] == [True] * len(asked)
                assert all(with_modes.agrees[mode] is not False for mode in OTHERS)


def lying(name, lie):
    """A mode that answers something else."""
    (honest,) = mode_witnesses([name])

    def gradients(call):
        return [None if g is None else lie(g) for g in honest.gradients(call)]

    return Mode(name, gradients)


LIES = {
    "a part in a million": lambda g: g * (1 + 1e-6),
    "nan": lambda g: g * nan,
    "infinity": lambda g: g * inf,
    "sign": lambda g: -g,
    "zero": torch.zeros_like,
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("mode", OTHERS)
def test_a_lying_mode_is_caught(mode, lie):
    """It is named, and counted; what the others say stands."""
    said = heard(case("exp(x)", "x=0.5"), witnesses=(lying(mode, LIES[lie]),))
    (verdict,) = judge(said)
    assert (verdict.outcome, verdict.agrees[mode]) == ("wrong", False)
    words = {
        "forward": "in forward mode",
        "create_graph": "under create_graph=True",
        "vmap": "under vmap",
    }
    assert f"; {words[mode]} it is wrong: torch answers " in verdict.reason
    assert verdict.reason.startswith("within 4 ulp")


@pytest.mark.parametrize(
    ("shift", "outcome", "agrees"), [(0, "kink", None), (0.5, "kink", None), (1.5, "wrong", False), (nan, "wrong", False)]
)  # fmt: skip
def test_at_a_kink_a_mode_may_choose_another_subgradient(shift, outcome, agrees):
    """Between the sides, and nothing else."""
    liar = lying("forward", lambda g: g * 0 + shift)
    (verdict,) = judge(heard(case("relu(x)", "x=0"), witnesses=(liar,)))
    assert (verdict.outcome, verdict.agrees["forward"]) == (outcome, agrees)


def test_a_mode_that_loses_digits_is_imprecise():
    """By the same budget."""
    said = heard(case("sinc(x)", "x=1e-8"))
    (verdict,) = judge(said)
    assert (verdict.outcome, verdict.agrees["vmap"]) == ("imprecise", False)
    liar = lying("vmap", lambda g: g * 1.5)
    (verdict,) = judge(heard(case("x + sinc(x)*0", "x=1e-8"), witnesses=(liar,)))
    assert verdict.outcome == "wrong"


def test_a_wrong_backward_beside_a_right_mode_is_told():
    """The mode is said to agree; the outcome is that of backward."""
    said = heard(case("exp(x)", "x=0.5"), ["forward"])
    right = said.testimonies["autograd"]
    wrong = replace(right, partials=(type(right.partials[0])(1.0),))
    (verdict,) = judge(changed(said, autograd=wrong))
    assert (verdict.outcome, verdict.agrees["forward"]) == ("wrong", True)
    assert verdict.reason.endswith("in forward mode it answers 1.64872, which agrees")


def test_without_a_path_no_mode_is_heard():
    """Forward mode and create_graph have none; vmap fills in a zero that says nothing."""
    said = heard(case("detach(x)*2", "x=3"))
    (verdict,) = judge(said)
    assert (verdict.outcome, verdict.failed) == ("detached", True)
    answers = [said.of(mode, 0) for mode in OTHERS]
    none = Abstention("no path from the input to the result")
    assert answers == [none, none, ModeAnswer(0.0)]
    assert verdict.agrees == {"numeric": None, **dict.fromkeys(OTHERS)}


@pytest.mark.torch_fact
@pytest.mark.parametrize("name", FACTS.data["modes"])
def test_what_a_mode_answers_is_as_stated(name, analyst):
    """And what the tool says of it."""
    fact = FACTS.data["modes"][name]
    point = case(fact["program"], fact["at"])
    result, plain = (check_in(point, analyst, modes) for modes in ([fact["mode"]], ()))
    (k,) = [k for k, key in enumerate(point.keys) if element(*vars_of(key)) == fact["of"]]
    answers = [result.evidence.of(who, k).value for who in (fact["mode"], "autograd")]
    wanted = [float(fact["answer"]), float(fact["backward"])]
    assert answers == pytest.approx(wanted, nan_ok=True), name
    outcomes = {"alone": plain.verdicts[k].outcome, "outcome": result.verdicts[k].outcome}
    assert {word: outcomes[word] for word in outcomes if word in fact} == {
        word: fact[word] for word in outcomes if word in fact
    }


def vars_of(key):
    """A partial's variable and index."""
    return key.variable, key.index


def test_what_torch_lacks_in_a_mode_is_told_in_its_words(monkeypatch):
    """An autograd.Function without a jvp."""

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.exp()

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0].exp()

    monkeypatch.setitem(table(), "exp", replace(table()["exp"], torch=lambda t, x: Own.apply(x)))
    said = heard(case("exp(x)", "x=0.5"))
    (verdict,) = judge(said)
    assert (verdict.outcome, verdict.agrees["create_graph"]) == ("agree", True)
    for mode in ("forward", "vmap"):
        reason = said.testimonies[mode].reason
        assert reason.startswith("torch cannot do this in this mode: ")
        assert verdict.agrees[mode] is None


def test_of_second_derivatives_no_mode_is_asked(analyst):
    """Said in words; a Jacobian is asked row by row."""
    second = check_in(points("sin(x)", "x=1", order=2)[0], analyst)
    none = Abstention("not asked of second derivatives")
    assert [second.evidence.of(mode, 0) for mode in OTHERS] == [none] * len(OTHERS)
    rows = check_in(points("[x*y, y**2]", "x=1,y=2", jacobian=True)[0], analyst)
    for mode in OTHERS:
        assert [rows.evidence.of(mode, k).value for k in range(4)] == [2, 1, 0, 4]
        assert [v.agrees[mode] for v in rows.verdicts] == [True] * 4


def test_too_many_passes_are_not_made():
    """Forward mode takes one for each partial."""
    at = f"x=[{', '.join(['1'] * (MAX_PASSES + 1))}]"
    said = heard(case("sum(x)", at), ["forward", "vmap"])
    assert "1,025 partials take as many passes" in said.testimonies["forward"].reason
    assert [answer.value for answer in said.testimonies["vmap"].partials] == [1.0] * 1_025


def test_each_point_of_a_batch_is_heard():
    """In order."""
    found = points("x**2*y", "x=1:3:3,y=2")
    for mode in mode_witnesses(OTHERS):
        estimates = mode.answer(found[0].batch)
        values = [estimates.testimony(k).partials[0].value for k in range(3)]
        assert values == [4, 8, 12]


def test_reports_show_them_beside_the_others(analyst):
    """JSON under their names, tables as ways of torch; the schema takes them."""
    result = check_in(case("exp(x)*y", "x=0.5,y=2"), analyst)
    report = replace(report_of([result]), environment=versions(), command=("gradcheck",))
    partial = record_of(result)["partials"][0]
    assert [name for name in partial if name in (*WITNESSES, *OTHERS)] == [*WITNESSES, *OTHERS]
    assert all(partial[mode]["agrees"] is True for mode in OTHERS)
    head = next(line for line in renderer("table")(report).splitlines() if "numeric ±" in line)
    places = [head.index(f"autograd ({mode})") for mode in OTHERS]
    assert places == sorted(places)
    Draft202012Validator(report_schema()).validate(json.loads(renderer("json")(report)))


def test_python_asks_for_them():
    """One as a word, several in a list; none by default."""
    report = check("exp(x)", {"x": 0.5}, modes=["forward", "reverse"])
    (record,) = document(report)["cases"]
    assert record["partials"][0]["forward"]["agrees"] is True
    assert "vmap" not in record["partials"][0]
    assert shlex.split(record["reproduce"])[-2:] == ["--modes", "forward,reverse"]
    assert "forward" not in document(check("exp(x)", {"x": 0.5}))["cases"][0]["partials"][0]
    with pytest.raises(UserError) as caught:
        check("exp(x)", {"x": 0.5}, modes="foward")
    assert (
        str(caught.value)
        == "error[unknown-mode]: no mode named `foward`\n  = help: did you mean `forward`?"
    )


def test_suites_ask_for_them():
    """As a word or a list, in a case or in the defaults."""
    text = "version: 1\ndefaults: {modes: vmap}\ncases:\n  - {expr: x, at: {x: 1}}\n  - {expr: x, at: {x: 1}, modes: [forward, create_graph]}\n"
    (suite,) = read_suites([("f", text)], Layer(), Layer())
    assert [one.modes for one in suite.cases] == [
        ("reverse", "vmap"),
        ("reverse", "forward", "create_graph"),
    ]


def test_none_is_heard_where_none_is_asked_for(analyst):
    """Nor prepared for."""
    (result,) = check_together(points("tanh(x)", "x=1"), analyst)
    assert list(result.evidence) == list(WITNESSES)
