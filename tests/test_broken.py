"""Broken functions are found, and it is told what is wrong with them; their right twins agree."""

from __future__ import annotations

import broken
import pytest
import torch
from torch.autograd import Function

from gradcheck_cli.code.arguments import read_arguments
from gradcheck_cli.code.facts import finished
from gradcheck_cli.code.trial import TrialOptions, try_code
from gradcheck_cli.diagnosis.case import case_of
from gradcheck_cli.diagnosis.diagnose import SECONDS, diagnose
from gradcheck_cli.diagnosis.ratios import constant_factor
from gradcheck_cli.diagnosis.scene import Scene
from gradcheck_cli.diagnosis.words import Words
from gradcheck_cli.records.outcome import Outcome

TWINS = {one.twin: one for one in broken.ROWS}.values()


def tried(found, args, variants=(), wrt=()):
    """What becomes of code."""
    options = TrialOptions(wrt=wrt, variants=variants)
    *_, trial = try_code(found, "it", read_arguments(args), options)
    return trial


@pytest.mark.parametrize("one", broken.ROWS, ids=lambda one: one.broken)
def test_a_broken_function_is_told_what_is_wrong(one):
    """In the first note of its own, and in the JSON report."""
    trial = tried(getattr(broken, one.broken), one.args, (one.variant,), one.wrt)
    result = finished(trial)
    assert result.outcome is Outcome.WRONG or any(v.failed for v in result.verdicts)
    why = trial.diagnosis
    assert why is not None
    assert (why.kind, one.says in why.text) == (one.kind, True), why
    assert why.text in result.notes
    told = {"kind": why.kind, "text": why.text, "factor": why.factor}
    assert result.function["explanation"] == told


@pytest.mark.parametrize("one", TWINS, ids=lambda one: one.twin)
def test_its_twin_agrees(one):
    """And nothing is said to be wrong with it, not even when it is asked."""
    trial = tried(getattr(broken, one.twin), one.args, (), one.wrt)
    assert trial.result.outcome is Outcome.AGREE
    assert trial.diagnosis is None
    assert diagnose(trial.result.evidence.point, trial.followed.recording) is None
    assert trial.identity.holds or not one.proved


class Squared(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2


class TwiceAtTwo(Squared):
    """Twice the derivative where x is 2, and nowhere else."""

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * x**3


class RightForOnes(Squared):
    """The derivative where the upstream gradient is 1 or 0."""

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return up * up * 2 * x


class Nonsense(Squared):
    """Nothing that anybody would mean."""

    @staticmethod
    def backward(ctx, up):
        (x,) = ctx.saved_tensors
        return torch.erf(up * 0.37 + x) * torch.atan(x * x + 0.11) + torch.cos(1.3 * up)


def test_what_holds_at_one_point_alone_is_not_said():
    """A factor of 2 that is one at the point given."""
    trial = tried(TwiceAtTwo, ["x=[2.0]"])
    assert trial.diagnosis.kind == "extra-factor"
    assert trial.diagnosis.factor == "x**2/2"
    scene = Scene(trial.result.evidence.point, trial.followed.recording, SECONDS)
    assert scene.keep_where_known()
    assert constant_factor(case_of(scene, Words(scene), "x")) is None
    scene.worlds = scene.worlds[:2]
    assert constant_factor(case_of(scene, Words(scene), "x")).factor == "2"


def test_what_holds_under_one_cotangent_alone_is_not_said():
    """A cotangent of ones is its own square, and of zeros and ones too."""
    trial = tried(RightForOnes, ["x=[0.5, -2, 3]"])
    assert trial.diagnosis.kind == "cotangent-twice"
    point = trial.result.evidence.point
    scene = Scene(point, trial.followed.recording, SECONDS)
    assert scene.keep_where_known()
    assert constant_factor(case_of(scene, Words(scene), "x")) is None


def test_nonsense_has_no_explanation():
    """It is wrong all the same."""
    trial = tried(Nonsense, ["x=[0.5, -2, 3]"])
    assert trial.result.outcome is Outcome.WRONG
    assert trial.diagnosis is None


def test_no_time_is_no_explanation():
    """And no exception."""
    trial = tried(TwiceAtTwo, ["x=[2.0]"])
    point, recording = trial.result.evidence.point, trial.followed.recording
    assert diagnose(point, recording, seconds=0.0) is None
    assert diagnose(point, recording) == trial.diagnosis
