"""Law: stretches hold every point that was entered, and each once, however few they are to be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gradcheck_cli.judge import spans as spans_module
from gradcheck_cli.judge.spans import Spans, Stretch

from .points import seeded

COUNT = 2_000


def entered(random, most):
    """Runs of points that are added in order, and others that are inserted later, in some order."""
    spans, points = Spans(most), set()
    at = 0
    while at < COUNT:
        at += random.randrange(1, 12)
        stop = at + random.randrange(1, 6)
        spans.add(at, stop)
        points |= {*range(at, stop)}
        at = stop
    left = [k for k in range(COUNT) if k not in points]
    while left:
        some = {random.choice(left) for _ in range(random.randrange(1, 300))}
        spans.insert(sorted(some))
        points |= some
        left = [k for k in left if k not in some] if random.random() < 0.7 else []
    return spans, points


def mistold(spans, points):
    """What stretches say that is not so."""
    found = list(spans)
    told = set()
    for span in found:
        inside = {k for k in points if span.start <= k < span.stop}
        told |= inside
        if len(inside) != span.points or (span.is_whole and len(inside) != span.stop - span.start):
            yield span
    yield from points - told
    yield from (pair for pair in pairwise(found) if pair[1].start < pair[0].stop)
    if len(found) > spans.most or len(spans) != len(points):
        yield len(found), len(spans)


@pytest.mark.parametrize("most", [3, 40, 1_024])
def test_every_point_stands_in_one_stretch(most):
    """Those that are inserted where stretches were taken together already among them."""
    random = seeded(f"spans {most}")
    for _ in range(30):
        assert not list(mistold(*entered(random, most)))


def test_a_stretch_that_ends_where_the_last_one_in_it_does_is_seen(monkeypatch):
    """What was inserted is within one that was taken together."""

    def shortened(spans):
        found = []
        for span in spans:
            if found and span.start < found[-1].stop:
                last = found[-1]
                found[-1] = Stretch(last.start, span.stop, last.points + span.points)
            else:
                found.append(span)
        return found

    monkeypatch.setattr(spans_module, "grown", shortened)
    random = seeded("spans lie")
    assert any(list(mistold(*entered(random, 3))) for _ in range(30))
