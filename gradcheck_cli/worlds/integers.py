"""What elementwise calls make of integers that are written or given: integers again, for who takes
them as indices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.formulas import emit
from gradcheck_cli.language.program import Builder, Number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.program import Call


def computed_integers(call: Call, args: Sequence[Any]) -> Any:
    """The integers of a call of arrays of integers, as the scalar world folds them; None where one
    is none.
    """
    builder = Builder()
    arrays = np.broadcast_arrays(*args)
    found = []
    for scalars in zip(*(a.reshape(-1).tolist() for a in arrays), strict=True):
        index = emit(builder, call.function, [builder.number(n) for n in scalars], call.settings)
        node = builder.nodes[index]
        if not isinstance(node, Number) or node.integer is None:
            return None
        found.append(node.integer)
    return np.array(found, dtype=np.int64).reshape(arrays[0].shape)
