"""Cuts that are meant, in a verdict: no path for the gradient is what is stated there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.calculus.cuts import has_stops, stopped
from gradcheck_cli.language.program import Call, reach
from gradcheck_cli.questions.prepared import Oversize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.batch import Point


def stop_note(point: Point) -> str | None:
    """What is checked in place of the derivative of the value; None where nothing is stopped that
    rests on an input that is differentiated.
    """
    prepared = point.prepared
    note: str | None = prepared.share("stops", lambda: _note(prepared.specification, prepared.wrt))
    return note


def _note(program: Program, wrt: Sequence[str]) -> str | None:
    if not has_stops(program.nodes):
        return None
    rests = reach(program, dict.fromkeys(wrt, 1))
    places: dict[str, None] = {}
    for i, node in enumerate(program.nodes):
        ends = stopped(node.function, node.settings) if isinstance(node, Call) else frozenset[int]()
        if isinstance(node, Call) and any(rests[j] for k, j in enumerate(node.args) if k in ends):
            places[f"`{program.source(i)}`"] = None
    if not places:
        return None
    where = ", ".join(places)
    cut = "the cut at" if len(places) == 1 else "the cuts at"
    meant = "is meant" if len(places) == 1 else "are meant"
    return f"{cut} {where} {meant}: the gradient stated is checked, not that of the value"


def is_stopped(point: Point, partial: int) -> bool:
    """Whether the result rests on an element, and every path to it is cut on purpose."""
    if isinstance(point.prepared.expansion, Oversize):
        return False
    program = point.prepared.gradient
    rests, leads = program.reached[program.objective], program.dependence[program.objective]
    return bool((rests & ~leads) >> partial & 1)
