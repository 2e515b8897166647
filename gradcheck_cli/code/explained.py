"""What a call that is wrong shows to be wrong with the function, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.diagnosis.diagnose import diagnose
from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.subjects.function import Plain
from gradcheck_cli.worlds import tensors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.code.call import CodeCall
    from gradcheck_cli.code.variants import Tried

# Variants that say what is wrong by themselves: a kind, and what is then said of them.
_LAYOUTS = {
    "strided-cotangent": (
        "contiguous-cotangent",
        "it assumes a contiguous upstream gradient: wrong for one that is a slice",
    ),
    "expanded-cotangent": (
        "contiguous-cotangent",
        "it takes the upstream gradient's memory for its elements: wrong for one that is expanded, "
        "as after `sum()`",
    ),
    "strided": ("contiguous-input", "it assumes contiguous inputs: wrong for slices"),
    "expanded": (
        "contiguous-input",
        "it assumes that every row has its own memory: wrong for rows that are expanded",
    ),
    "twice": (
        "state",
        "it keeps state between calls: a second call before the backward changes the first one's "
        "gradient (what is saved on the class or the module belongs on `ctx`)",
    ),
    "large": ("tail", "it is right at the inputs given, and wrong in the tail, at large ones"),
}


def explained(call: CodeCall, result: Result) -> Diagnosis | None:
    """What is wrong with a function that was followed; None where nothing that is tried holds."""
    point = result.evidence.point
    recording = point.question.subject.recording
    if recording is None or not is_wrong(result):
        return None
    return diagnose(point, recording, _sizes(call))


def is_wrong(result: Result) -> bool:
    """Whether a partial is wrong, or a path is missing where there should be one."""
    return any(v.outcome is Outcome.WRONG or v.failed for v in result.verdicts)


def _sizes(call: CodeCall) -> list[int]:
    """How many elements each result has; none where that is not known."""
    import torch

    if type(call.subject.layout) is not Plain:
        return []
    like = torch.empty((), dtype=tensors.dtype_of(call.dtype.name), device=call.device)
    inputs = {n: torch.tensor(a, dtype=torch.float64).to(like) for n, a in call.arrays.items()}
    return call.subject.sizes(inputs, like)


def variant_explained(call: CodeCall, one: Tried) -> Diagnosis | None:
    """What a variant that is wrong shows, where the call itself is right."""
    inner = None if one.result is None else explained(one.variant.call, one.result)
    shown = _shown(call, one)
    if shown is None:
        return inner and replace(inner, text=f"{inner.text} ({one.variant.words})")
    if inner is None:
        return shown
    return replace(shown, text=f"{shown.text}: {inner.text}", factor=inner.factor)


def _shown(call: CodeCall, one: Tried) -> Diagnosis | None:
    """What the variant shows by itself."""
    name = one.variant.name
    if name in _LAYOUTS:
        return Diagnosis(*_LAYOUTS[name])
    if name in ("one-sample", "more-samples"):
        count = _samples(call)
        words = "one" if name == "one-sample" else f"more than {count}"
        return Diagnosis("samples", f"it is right for {count} samples only: wrong for {words}")
    if name.startswith("alone-"):
        alone = name.removeprefix("alone-")
        words = f"it is wrong where `{alone}` alone is differentiated"
        why = "the order of `needs_input_grad`, or of what is returned"
        return Diagnosis("needs-input-grad", f"{words}: {why}")
    if name in ("float32", "float64"):
        return Diagnosis("dtype", f"it is right in {call.dtype.name}, and wrong in {name}")
    return None


def _samples(call: CodeCall) -> int:
    rows: Sequence[int] = [array.shape[0] for array in call.arrays.values() if array.ndim]
    return rows[0] if rows else 1
