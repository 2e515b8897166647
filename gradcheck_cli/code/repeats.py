"""Whether code gives the same each time that it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.code.call import Followed, batch_of
from gradcheck_cli.code.variants import Tried, Variant
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses.autograd import floats_of, run_once

if TYPE_CHECKING:
    from gradcheck_cli.code.call import CodeCall


def repeated(call: CodeCall, count: int) -> Tried:
    """What becomes of running it so many times: `wrong` where two runs of the same numbers, with
    the same seed, have other gradients than rounding explains, `imprecise` where they differ.
    """
    variant = Variant("repeat", f"{count} runs of the same", call)
    batch = batch_of(call, Followed(None, "run again"))
    runs = []
    for _ in range(count):
        execution, leaves = run_once(batch)
        grads = [leaves[name].grad for name in call.wrt]
        numbers = [floats_of(execution.result), *(floats_of(g) for g in grads if g is not None)]
        runs.append(np.concatenate(numbers))
    rows = np.array(runs)
    if (rows == rows[0]).all():
        return Tried(variant, Outcome.AGREE)
    scale = np.abs(rows).max()
    spread = float(np.ptp(rows, axis=0).max())
    room = call.dtype.unit_roundoff * scale * rows.shape[1]
    words = f"runs differ by up to {spread:.2g}"
    if spread <= room:
        return Tried(variant, Outcome.IMPRECISE, words)
    return Tried(variant, Outcome.WRONG, words)
