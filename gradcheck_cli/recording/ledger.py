"""What all arrays of a run share: the tape, what was noticed, and why it could not be followed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from gradcheck_cli.language.program import Call, Variable
from gradcheck_cli.recording.lines import line_of_person
from gradcheck_cli.recording.operation import setting_of
from gradcheck_cli.recording.tape import Tape, Unfollowed
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.recording.recorder import Remark
    from gradcheck_cli.recording.tape import Nodes

# The node of memory that nothing was written to.
UNSET = -1


@dataclass(eq=False)
class ArrayLedger:
    """Where arrays are written down.

    Attributes:
        failure: the first thing that was not followed: whoever called may have caught it.
    """

    tape: Tape = field(default_factory=Tape)
    remarks: list[Remark] = field(default_factory=list)
    failure: Exception | None = None
    _depends: list[bool] = field(default_factory=list)

    def refuse(self, what: str) -> NoReturn:
        """It cannot be followed.

        Raises:
            Unfollowed: always, with the person's line.
        """
        error = Unfollowed(what, line_of_person().place)
        self.failure = self.failure or error
        raise error

    @contextmanager
    def following(self) -> Iterator[None]:
        """What is computed here is of the person's line; whatever fails here could not be followed.

        Raises:
            Unfollowed, TooLarge: something does.
        """
        self.tape.at(line_of_person())
        try:
            yield
        except TooLarge as error:
            self.failure = self.failure or error
            raise
        except Unfollowed as error:
            if error.place:
                raise
            self.refuse(str(error))
        except (ValueError, IndexError, KeyError, TypeError) as error:
            self.refuse(str(error))

    def remark(self, kind: str, what: str) -> None:
        """Something that may matter was seen at the person's line."""
        from gradcheck_cli.recording.recorder import Remark

        found = Remark(kind, what, line_of_person().place)
        if found not in self.remarks:
            self.remarks.append(found)

    def constants(self, values: Any) -> Nodes:
        """The nodes of plain numbers, an array or one of them."""
        array = np.asarray(values)
        if array.dtype.kind not in "fiub":
            self.refuse(f"an array of {array.dtype}")
        single = array.dtype in (np.float32, np.float16)
        try:
            return self.tape.numbers(array, single=single)
        except ValueError as error:
            self.refuse(str(error))

    def nodes(self, value: Any) -> Nodes:
        """The nodes of an array, a number, or a list of them; `UNSET` ones too."""
        if isinstance(value, Taped):
            if value.ledger.tape is not self.tape:
                self.refuse("it uses an array of an earlier run")
            return value.nodes
        if taped_in(value):
            return np.array([self.nodes(part) for part in value])
        return self.constants(value)

    def row(self, name: str, *args: Nodes, **settings: Any) -> Nodes:
        """What a row of the function table makes of nodes.

        Raises:
            Unfollowed: of memory that nothing was written to, or it does not take them.
        """
        if any((np.asarray(nodes) == UNSET).any() for nodes in args):
            self.refuse("it reads memory that nothing was written to")
        given = {key: setting_of(value) for key, value in settings.items()}
        return self.tape.call(name, *args, **given)

    def fitting(self, nodes: Nodes, dtype: Any) -> Nodes:
        """Nodes as a dtype has them: truth values, or numbers."""
        is_unset = nodes == UNSET
        known = np.where(is_unset, 0, nodes)
        turned = self.tape.conditions if dtype == np.bool_ else self.tape.floats
        return np.where(is_unset, UNSET, turned(known))

    def is_fixed(self, nodes: Nodes) -> bool:
        """Whether nodes are the same numbers whatever the inputs are."""
        depends, made = self._depends, self.tape.builder.nodes
        for i in range(len(depends), len(made)):
            node = made[i]
            if isinstance(node, Call):
                depends.append(any(depends[k] for k in node.args))
            else:
                depends.append(isinstance(node, Variable))
        return not any(depends[i] for i in np.unique(nodes).tolist() if i != UNSET)


class Taped:
    """An array, and the scalar node of each of its elements; both are of the same shape and lie in
    memory in the same way, so that a view of one is a view of the other.

    Attributes:
        values: the numbers that the run itself has.
        scalar: it is one number, which nothing can write to.
    """

    __slots__ = ("ledger", "nodes", "scalar", "values")

    def __init__(
        self, ledger: ArrayLedger, values: Any, nodes: Nodes, *, scalar: bool = False
    ) -> None:
        self.ledger, self.values, self.nodes, self.scalar = ledger, values, nodes, scalar


def untaped(tree: Any) -> Any:
    """The values of what was recorded, in lists of lists too."""
    if isinstance(tree, Taped):
        return tree.values[()] if tree.scalar else tree.values
    if isinstance(tree, list | tuple) and type(tree) in (list, tuple):
        return type(tree)(map(untaped, tree))
    if type(tree) is dict:
        return {key: untaped(value) for key, value in tree.items()}
    return tree


def taped_in(tree: Any) -> list[Taped]:
    """All recorded arrays in lists of lists."""
    if isinstance(tree, Taped):
        return [tree]
    if type(tree) is dict:
        tree = list(tree.values())
    if type(tree) in (list, tuple):
        return [found for part in tree for found in taped_in(part)]
    return []
