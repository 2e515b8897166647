"""Guards: a branch of `where` given an argument it can bear where it is not taken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.calculus.spelling import Speller, carried_spans
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Number, Program, Variable, prune, reach

if TYPE_CHECKING:
    from collections.abc import Iterator

# Arguments that most functions bear: no pole, no edge of a domain.
_SAFE = ("1", "1/2", "2")
# A branch of more nodes is not searched for the one to guard.
_MOST_GUARDS = 8


class SafeBranch(NamedTuple):
    """A program with a safe branch, and texts for it; `words` is what is new in them."""

    program: Program
    texts: list[str]
    words: str


def guards(program: Program, choice: int) -> Iterator[SafeBranch]:
    """For each branch of a choice and each node in it: the branch with that node replaced by a
    number where the other branch is taken.
    """
    call = program.nodes[choice]
    assert isinstance(call, Call)
    inputs = reach(program, dict.fromkeys(program.variables, 1))
    for branch in (1, 2):
        inner = _upstream(program, call.args[branch]) - {call.args[branch]}
        nodes = [i for i in sorted(inner) if inputs[i] and not _is_condition(program, i)]
        nodes.sort(key=lambda i: not isinstance(program.nodes[i], Variable))
        for node in nodes[:_MOST_GUARDS]:
            for safe in _SAFE:
                yield _guard(program, choice, branch, node, safe)


def _upstream(program: Program, index: int) -> set[int]:
    needed = {index}
    for i in range(index, -1, -1):
        node = program.nodes[i]
        if i in needed and isinstance(node, Call):
            needed.update(node.args)
    return needed


def _is_condition(program: Program, index: int) -> bool:
    node = program.nodes[index]
    return isinstance(node, Call) and lookup(node.function).condition


def _guard(program: Program, choice: int, branch: int, node: int, safe: str) -> SafeBranch:
    call = program.nodes[choice]
    assert isinstance(call, Call)
    words = {i: _text(program, i) for i in (node, call.args[0])}
    parts = [words[node], safe] if branch == 1 else [safe, words[node]]
    new = f"where({words[call.args[0]]}, {', '.join(parts)})"
    texts = []
    if call.args[branch] in program.spans:
        start, end = program.spans[call.args[branch]]
        own = re.escape(words[node])
        inside = re.sub(rf"(?<!\w){own}(?!\w)", lambda _: new, program.text[start:end])
        texts = [program.text[:start] + inside + program.text[end:]]
    return SafeBranch(_guarded(program, choice, branch, node, safe), texts, new)


def _text(program: Program, index: int) -> str:
    node = program.nodes[index]
    if isinstance(node, Variable):
        return node.name
    return program.names.get(index) or program.text[slice(*program.spans.get(index, (0, 0)))]


def _guarded(program: Program, choice: int, branch: int, node: int, safe: str) -> Program:
    """The same as nodes: inside the branch, and nowhere else, the node is guarded."""
    speller, places = Speller(), list[int]()
    inner: dict[int, int] = {}
    for i, item in enumerate(program.nodes):
        if not isinstance(item, Call):
            places.append(speller.add(item))
        else:
            args = [places[j] for j in item.args]
            if i == choice:
                below = _upstream(program, item.args[branch])
                inner = _inside(program, speller, places, below, choice, branch, node, safe)
                args[branch] = inner[item.args[branch]]
            places.append(speller.add(Call(item.function, tuple(args), item.settings)))
    return prune(carried_spans(program, speller, places))


def _inside(
    program: Program,
    speller: Speller,
    places: list[int],
    below: set[int],
    choice: int,
    branch: int,
    node: int,
    safe: str,
) -> dict[int, int]:
    """Where the nodes of a branch go once one of them is guarded."""
    call = program.nodes[choice]
    assert isinstance(call, Call)
    parts = [places[node], speller.add(_number(safe))]
    guarded = (places[call.args[0]], *(parts if branch == 1 else parts[::-1]))
    inner = {node: speller.add(Call(call.function, guarded))}
    for i in sorted(below - {node}):
        item = program.nodes[i]
        inner[i] = places[i]
        if isinstance(item, Call) and any(inner.get(j, places[j]) != places[j] for j in item.args):
            args = tuple(inner.get(j, places[j]) for j in item.args)
            inner[i] = speller.add(Call(item.function, args, item.settings))
    return inner


def _number(text: str) -> Number:
    from fractions import Fraction

    return Number(Fraction(text), decimal=False)
