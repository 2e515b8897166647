"""What a person calls the arrays that their code computed: an input, a name that a line assigns, or
how it was computed.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck_cli.diagnosis.scene import flat, with_line_ends
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.program import Call, Number, Variable
from gradcheck_cli.questions.recorded import short
from gradcheck_cli.records.numbers import typed_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.diagnosis.scene import Scene
    from gradcheck_cli.recording.tape import ArrayStep, Nodes

UPSTREAM = "the upstream gradient"
# `name = ...`, the name alone.
_ASSIGNED = re.compile(r"([^\W\d]\w*)\s*(?::[^=]*)?=(?!=)")
# Longer formulas are told by their line.
_LONGEST = 60


class Known(NamedTuple):
    """An array that has a name.

    Attributes:
        words: as they stand in a sentence, in backticks where they are code.
        is_constant: it holds numbers alone.
        is_condition: it holds what is true or false.
    """

    words: str
    nodes: Nodes
    is_constant: bool = False
    is_condition: bool = False


class Words:
    """The names of a scene's arrays."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.lines = scene, scene.recording.tape.lines
        self._formulas: dict[tuple[int, ...], tuple[str, bool]] = {}
        self._named: dict[tuple[int, ...], str] = {}
        self._fill()

    def of(self, nodes: Nodes) -> str:
        """What an array is called, in backticks where it is code; empty where it has no name."""
        words = self._plain(nodes)
        return words if words in ("", UPSTREAM) else f"`{words}`"

    def step(self, step: ArrayStep) -> str:
        """What computes a step, and where: in words; its line where it has no formula."""
        words = self._formulas.get(_key(step.result), ("", True))[0]
        return f"`{words}`{self.place(step)}" if words else self.whole(step)

    def whole(self, step: ArrayStep) -> str:
        """The line of a step, and where it is; empty for one of torch's own."""
        line = self.lines[step.line]
        return f"`{line.text}` ({short(line.place)})" if line.place else ""

    def place(self, step: ArrayStep) -> str:
        """Where a step is, in brackets; empty for one of torch's own."""
        place = self.lines[step.line].place
        return f" ({short(place)})" if place else ""

    @cached_property
    def everything(self) -> list[Known]:
        """All arrays of the forward that have a name: inputs first, then what lines assign, then
        what stands in lines.
        """
        found = sorted(self._arrays(), key=lambda known: self._rank(known.nodes))
        return list({_key(known.nodes): known for known in reversed(found)}.values())[::-1]

    @cached_property
    def arrays(self) -> list[Known]:
        """Those of numbers."""
        return [known for known in self.everything if not known.is_condition]

    def is_condition(self, nodes: Nodes) -> bool:
        """Whether an array holds what is true or false."""
        made = (self.scene.builder.nodes[i] for i in flat(nodes))
        return any(isinstance(node, Call) and lookup(node.function).condition for node in made)

    def _rank(self, nodes: Nodes) -> int:
        return 0 if _key(nodes) in self._named else 1

    def _arrays(self) -> Iterator[Known]:
        scene = self.scene
        for nodes in self._inputs().values():
            yield Known(self.of(nodes), nodes)
        for step in scene.steps[: scene.forward_steps]:
            for nodes in (*step.args, step.result):
                if self.of(nodes):
                    made = [scene.builder.nodes[i] for i in flat(nodes)]
                    numbers = all(isinstance(node, Number) for node in made)
                    yield Known(self.of(nodes), nodes, numbers, self.is_condition(nodes))
        if scene.outputs.size:
            yield Known(self.of(scene.outputs) or "the result", scene.outputs)

    def _inputs(self) -> Mapping[str, Nodes]:
        found, index = {}, self.scene.builder.index
        for name, shape in self.scene.recording.shapes.items():
            made = [index.get(Variable(e), -1) for e in elements_of(name, shape)]
            if -1 not in made:
                found[name] = np.array(made, dtype=np.int64).reshape(shape)
        return found

    def _fill(self) -> None:
        scene = self.scene
        for name, nodes in self._inputs().items():
            self._named[_key(nodes)] = name
        self._named.setdefault(_key(scene.cotangent), UPSTREAM)
        for _, step, is_last in with_line_ends(scene.steps, 0, len(scene.steps)):
            key = _key(step.result)
            if key not in self._formulas:
                self._formulas[key] = self._formula(step)
            text = self.lines[step.line].text
            # Of several statements in one line nobody knows which made this.
            assigned = None if ";" in text else _ASSIGNED.match(text)
            if is_last and assigned is not None and self.lines[step.line].place:
                self._named.setdefault(key, assigned[1])

    def _plain(self, nodes: Nodes) -> str:
        key = _key(nodes)
        if key in self._named:
            return self._named[key]
        if key in self._formulas:
            return self._formulas[key][0]
        made = [self.scene.builder.nodes[i] for i in set(key)]
        if len(made) == 1 and isinstance(made[0], Number):
            value = made[0].value
            is_whole = not isinstance(value, float) and value.denominator == 1
            return str(int(value)) if is_whole else typed_text(float(value))
        return self._moved(nodes)

    def _moved(self, nodes: Nodes) -> str:
        """An array whose elements are those of another in another order."""
        if nodes.ndim == 2:
            words = self._short(_key(nodes.T))
            if words:
                return f"{words}.T"
        for axis in range(nodes.ndim):
            words = self._short(_key(np.flip(nodes, axis)))
            if words:
                return f"{words}.flip({axis})"
        return ""

    def _short(self, key: tuple[int, ...]) -> str:
        if key in self._named:
            return self._named[key]
        words, composite = self._formulas.get(key, ("", False))
        return f"({words})" if composite else words

    def _formula(self, step: ArrayStep) -> tuple[str, bool]:
        """A step as it is written, and whether it needs brackets in another."""
        row = lookup(step.call.function)
        args = [self._argument(a) for a in step.args]
        if not all(args):
            return "", False
        if row.operator and len(args) == 2 and not row.operator.isalpha():
            words, composite = f"{args[0]} {row.operator} {args[1]}", True
            if row.operator == "**":
                words = f"{args[0]}**{args[1]}"
        elif row.operator == "-" and len(args) == 1:
            words, composite = f"-{args[0]}", True
        else:
            given = [(name, v) for name, v in step.call.settings if v not in (None, False)]
            settings = [f"{name}={_setting(value)}" for name, value in given]
            words, composite = f"{row.name}({', '.join([*map(_bare, args), *settings])})", False
        return (words, composite) if len(words) <= _LONGEST else ("", False)

    def _argument(self, nodes: Nodes) -> str:
        key = _key(nodes)
        words = self._short(key)
        if words == UPSTREAM:
            return "g"
        return words or self._plain(nodes)


def _bare(words: str) -> str:
    """An argument without the brackets that a call has anyway."""
    lone = words.startswith("(") and words.endswith(")") and words.count("(") == 1
    return words[1:-1] if lone else words


def _setting(value: object) -> str:
    if isinstance(value, tuple):
        return str(value[0]) if len(value) == 1 else str(value)
    return str(value)


def _key(nodes: Nodes) -> tuple[int, ...]:
    return tuple(flat(nodes))
