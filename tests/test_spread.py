"""One pass forwards says of every node what a pass backwards says of one."""

from __future__ import annotations

from math import isfinite

from asking import case
from each import each
from flint import arb, ctx
from programs import smooth

from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.judge.spread import Spread

POINTS = [(asked.text, asked.at) for asked in smooth(60, "a pass forwards")] + [
    ("sum(softmax(x)*w)", "x=[0.1,2,-1],w=[3,0.5,7]"), ("sum(inverse(A)@b)", "A=[[2,1],[1,3]],b=[1,2]"), ("prod(x)", "x=[1,2,3]"),
    ("where(x > 0, sqrt(x), x)*x", "x=2"), ("norm(x)/(1 + sum(x*x))", "x=[0.3,-4]"), ("x*0.1 + sin(0.7)*x**2", "x=0.3"),
]  # fmt: skip


def spread_of(text, at):
    found = case(text, at)
    trace = rounding(found).gradient
    return trace, trace.spread_at(found, 64, found.dtype)


def swept(trace, spread, output):
    """`sum_i w_i e_i` by a pass backwards, and the part of each node of the user's program."""
    total, parts = arb(0), {}
    weights = trace.graph.weights(output, spread.values)
    for i, weight in weights.items():
        error = spread.errors[i]
        if error is not None:
            total += weight * error
            node = trace.expansion.origin[i]
            if trace.moves[node]:
                parts[node] = parts.get(node, arb(0)) + weight * error
    for i, size in spread.together():
        total += weights.get(i, arb(0)) * size
    return total, parts


@each("text, at", POINTS)
def test_a_pass_forwards_gives_what_passes_backwards_give(text, at):
    """To 2e-16, for every partial and for the value."""
    trace, spread = spread_of(text, at)
    with ctx.workprec(64):
        for node in {*trace.partials, trace.objective} - {-1}:
            total, _ = swept(trace, spread, node)
            found = spread.totals[node]
            assert abs((arb(0) if found is None else found) - total) <= 2e-16 * total


@each("text, at", POINTS)
def test_the_leader_makes_no_small_part_of_a_budget(text, at):
    """It is followed along one way at each fork, and so may be the second; it is never a node that
    makes less than a third of what the first makes.
    """
    trace, spread = spread_of(text, at)
    with ctx.workprec(64):
        for node in {*trace.partials, trace.objective} - {-1}:
            total, parts = swept(trace, spread, node)
            leader = spread.leaders[node]
            if leader is not None and isfinite(float(total)):
                assert 3 * parts[leader] >= max(parts.values(), key=float)


def test_a_slope_that_is_missed_is_seen():
    """The law compares two passes: without the slopes of one edge they differ."""
    trace, spread = spread_of("sin(x)*exp(x)", "x=0.7")
    node = trace.partials[0]
    total, _ = swept(trace, spread, node)
    edges = [*trace.graph.edges]
    lied = next(i for i in range(node, -1, -1) if edges[i] and spread.totals[i] is not None)
    edges[lied] = edges[lied][1:]
    trace.graph.edges = edges
    rest = spread.dtype, spread.bits, spread.origin, spread.moves, spread.eliminated
    other = Spread(trace.graph, spread.values, spread.errors, *rest)
    assert not abs((other.totals[node] or arb(0)) - total) <= 2e-16 * total


def test_where_no_bound_is_finite_the_node_is_named():
    """The leader of an infinite total is where it becomes infinite."""
    trace, spread = spread_of("sqrt(x)*y", "x=0,y=1")
    node = trace.partials[0]
    assert not spread.totals[node].is_finite()
    assert trace.program.source(spread.leaders[node]) == "sqrt(x)"
