"""The lines of a claim together: which is the first that is wrong, which rests on which."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.claims.verdict import ClaimVerdict
    from gradcheck_cli.language.claiming import Statement


def rests_on(lines: Sequence[Statement], line: Statement, name: str) -> bool:
    """Whether a line's right side names something, or something that is set by it."""
    needed = {line.left}
    for other in reversed(lines):
        if other.left in needed or other.target in needed:
            needed |= set(re.findall(r"[^\W\d]\w*", other.right))
    return name in needed


def with_first(verdicts: list[ClaimVerdict]) -> list[ClaimVerdict]:
    """With the first line marked that is wrong by itself, where lines follow."""
    wrong = [v for v in verdicts if v.status == "refuted" and not v.but_for and not v.deferred]
    return [
        v.but(first=True) if wrong and v is wrong[0] and len(verdicts) > 1 else v for v in verdicts
    ]


def with_deferred(
    verdicts: list[ClaimVerdict], lines: Sequence[Statement], board: Board
) -> list[ClaimVerdict]:
    """With working lines marked that are not the derivative they are called, and that later lines
    put right: all that is claimed of inputs is proved, and some of it rests on them.
    """
    ends = [v for v in verdicts if v.statement.by in board.inputs]
    if not all(v.status == "proved" for v in ends):
        return verdicts

    def is_put_right(line: Statement) -> bool:
        return any(rests_on(lines, end.statement, line.target) for end in ends)

    return [
        v.but(deferred=True) if v.status == "refuted" and is_put_right(v.statement) else v
        for v in verdicts
    ]
