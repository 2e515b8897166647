"""Whether a claim is the derivative for all inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.claims.verdict import ClaimVerdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from gradcheck_cli.claims.pair import Pair
    from gradcheck_cli.language.claiming import Statement


def proof_of(line: Statement, pair: Pair, points: int, fixed: Collection[str] = ()) -> ClaimVerdict:
    """The verdict on a claim that no point refutes."""
    return ClaimVerdict(line, "not_refuted", "point", points)
