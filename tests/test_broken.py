"""Broken functions are found and told what is wrong with them; their right twins agree."""

from __future__ import annotations

import broken
import pytest

from gradcheck_cli.code.arguments import read_arguments
from gradcheck_cli.code.facts import finished
from gradcheck_cli.code.trial import TrialOptions, try_code
from gradcheck_cli.records.outcome import Outcome


def tried(name, one, variants):
    """What becomes of an object of `broken`."""
    wanted = TrialOptions(wrt=one.wrt, variants=variants)
    *_, trial = try_code(getattr(broken, name), name, read_arguments(one.args), wanted)
    return trial


@pytest.mark.parametrize("one", broken.ROWS, ids=lambda one: one.broken)
def test_a_broken_function_is_told_what_is_wrong(one):
    trial = tried(one.broken, one, (one.variant,))
    result = finished(trial)
    assert result.outcome in (Outcome.WRONG, Outcome.DETACHED)
    assert trial.diagnosis is not None, result.outcome
    assert (trial.diagnosis.kind, one.says in trial.diagnosis.text) == (one.kind, True), (
        trial.diagnosis
    )
    assert trial.diagnosis.text in result.notes


@pytest.mark.parametrize("one", {r.twin: r for r in broken.ROWS}.values(), ids=lambda one: one.twin)
def test_its_twin_agrees(one):
    trial = tried(one.twin, one, ())
    assert trial.result.outcome is Outcome.AGREE
    assert trial.diagnosis is None
    assert trial.identity.holds or not one.proved
