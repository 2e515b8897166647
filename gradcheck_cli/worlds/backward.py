"""torch's backward as a scalar Program: the rows' pullbacks, those of arrays at once, and the sums
that torch makes where a value is used more than once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.reverse import active, pulled_back
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Variable
from gradcheck_cli.worlds.scalars import expand_into

if TYPE_CHECKING:
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.scalars import ArrayCall, Expansion


@dataclass(frozen=True)
class TorchProgram:
    """torch's forward and gradient of one number, as scalars.

    Attributes:
        expansion: the forward, with the gradient's nodes behind it; the origin of these is the node
            whose pullback they are.
        forward: how many nodes the forward has.
        partials: the node of each partial, -1 where it is zero.
        sums: the nodes that add up cotangents, which torch may do in any order.
    """

    expansion: Expansion
    forward: int
    partials: list[int]
    sums: set[int]


def torch_backward(
    program: Program,
    expansion: Expansion,
    objective: int,
    names: tuple[str, ...],
    *,
    arrays: bool = True,
) -> TorchProgram:
    """torch's gradient of `objective` by the scalars called `names`.

    Args:
        expansion: `program` with `keep="pullbacks"`, the nodes of the objective last; it is copied.
        arrays: pull arrays back at once; False for the gradient of what the calls mean.
    """
    return _Reverse(program, expansion.copy(), objective, arrays).gradient(names)


@dataclass(eq=False)
class _Reverse:
    """Reverse mode, from the objective down.

    Attributes:
        terms: for each node the cotangents that it received so far.
    """

    program: Program
    expansion: Expansion
    objective: int
    arrays: bool
    terms: dict[int, list[int]] = field(default_factory=dict)
    sums: set[int] = field(default_factory=set)

    def gradient(self, names: tuple[str, ...]) -> TorchProgram:
        """As `torch_backward`."""
        builder, origin = self.expansion.builder, self.expansion.origin
        forward, known = len(builder.nodes), builder.index
        # torch computes anew what a pullback takes that the forward has computed as well: a number
        # of the backward is its own call's, and no other's.
        builder.index = {node: i for node, i in known.items() if not isinstance(node, Call)}
        alive = active(builder.nodes, frozenset(names))
        # Of calls that end at the same node the outer one, which comes last, counts.
        pending = [call for call in self.expansion.calls if self.arrays and _texts(call.call)]
        if alive[self.objective]:
            self.terms[self.objective] = [builder.number(1)]
        for i in range(self.objective, -1, -1):
            while pending and pending[-1].end > i:
                self._pull_array(pending.pop(), alive)
            if i in self.terms and isinstance(builder.nodes[i], Call):
                self._pull(i, alive)
            origin += [origin[i]] * (len(builder.nodes) - len(origin))
        found = [builder.index.get(Variable(name), -1) for name in names]
        partials = [self._sum(i) if i in self.terms else -1 for i in found]
        origin += [self.program.result] * (len(builder.nodes) - len(origin))
        builder.index.update(known)
        return TorchProgram(self.expansion, forward, partials, self.sums)

    def _sum(self, index: int) -> int:
        """The node that holds the cotangent of a node: all that it received, added up."""
        builder, terms = self.expansion.builder, self.terms[index]
        total = terms[0]
        for term in terms[1:]:
            total = builder.call("add", total, term)
            self.sums.add(total)
        return total

    def _pull(self, index: int, alive: list[bool]) -> None:
        builder = self.expansion.builder
        node, ybar = builder.nodes[index], self._sum(index)
        assert isinstance(node, Call)
        for position, j in enumerate(node.args):
            if alive[j]:
                term = pulled_back(builder, index, node, position, ybar, as_torch=True)
                if term is not None:
                    self.terms.setdefault(j, []).append(term)

    def _pull_array(self, call: ArrayCall, alive: list[bool]) -> None:
        """The cotangents of the arguments of a call, from the row's texts."""
        builder, outputs = self.expansion.builder, np.asarray(call.result)
        if not any(i in self.terms for i in outputs.reshape(-1).tolist()):
            return
        ybar = np.empty(outputs.shape, dtype=np.int64)
        for index in np.ndindex(*outputs.shape):
            i = int(outputs[index])
            ybar[index] = self._sum(i) if i in self.terms else builder.number(0)
        for i in outputs.reshape(-1).tolist():
            self.terms.pop(i, None)
        names = lookup(call.call.function).parsed.names
        bound = dict(zip(names, call.arguments, strict=False))
        given: dict[str, Any] = {**bound, "ybar": ybar, "y": call.result}
        for argument, text in zip(call.arguments, _texts(call.call), strict=False):
            pulled = expand_into(builder, parse(text), given)
            pairs = np.broadcast_arrays(np.asarray(argument), np.asarray(pulled))
            for j, term in zip(*(a.reshape(-1).tolist() for a in pairs), strict=True):
                if alive[j]:
                    self.terms.setdefault(j, []).append(term)


def _texts(node: Call) -> tuple[str, ...]:
    """The pullbacks of a call of arrays; none where none are stated for these settings."""
    return lookup(node.function).pulled_back(dict(node.settings))
