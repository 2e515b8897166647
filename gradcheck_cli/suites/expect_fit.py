"""Whether the numbers that a case expects are of the shapes that its program has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.judge.evidence import tolerance_of
from gradcheck_cli.language.errors import elide
from gradcheck_cli.questions.naming import way_out_of
from gradcheck_cli.suites.expect import outcomes_of, partial_of
from gradcheck_cli.suites.expected import Expectation, ExpectedPartial
from gradcheck_cli.suites.numerals import numeral_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.suites.fit import Fit, PointShapes
    from gradcheck_cli.suites.kinds import Entry


def expectation_of(
    fit: Fit, wrt: tuple[str, ...], shapes: Sequence[PointShapes]
) -> Expectation | None:
    """What the case expects; None where it says nothing.

    Args:
        wrt: the inputs that are differentiated.
        shapes: those at the first point of each block.
    """
    entry = fit.settings.entry("expect")
    if entry is None or entry.value is None:
        return None
    values = fit.settings.values()
    tolerance = tolerance_of(values.get("rtol"), values.get("atol"))
    if isinstance(entry.value, str):
        return Expectation(outcomes_of(entry.value), tolerance=tolerance)
    value = entry.value.get("value")
    if value is not None and value.value is not None:
        _value(fit, value, shapes)
    named = entry.value.get("partials")
    entries = (named.value or {}).values() if named is not None else ()
    partials = [_partial(fit, partial, wrt, shapes) for partial in entries]
    return Expectation(
        outcomes_of(entry.value),
        value.value if value is not None else None,
        tuple(partial for partial in partials if partial is not None),
        tolerance,
    )


def _value(fit: Fit, value: Entry, shapes: Sequence[PointShapes]) -> None:
    wanted = numeral_shape(value.value) or ()
    for at in shapes:
        if wanted and at.value is not None and wanted != at.value:
            message = f"the program's value has shape {at.value}, what is expected {wanted}"
            fit.add_misfit("shape-mismatch", message, value.node, key="expect")
            return


def _partial(
    fit: Fit, entry: Entry, wrt: tuple[str, ...], shapes: Sequence[PointShapes]
) -> ExpectedPartial | None:
    """One key of `partials`; None if it is wrong, or the command line asks for other inputs."""
    name = elide(entry.key.text)
    partial = partial_of(entry.key.text, entry.value)
    if partial is None or partial.variable not in fit.variables:
        way_out = "an input is written `W`, an element of it `W[0,1]`"
        if partial:
            way_out = way_out_of(partial.variable, fit.program)
        message = f"`partials` names `{name}`, which is not an input of the program"
        fit.add_misfit("unknown-input", message, entry.key, way_out, "expect")
        return None
    if partial.variable not in wrt:
        if "wrt" not in fit.settings.above and fit.good:
            inputs = ", ".join(f"`{variable}`" for variable in wrt)
            message = f"`partials` names `{name}`, and what is differentiated is {inputs}"
            fit.add_misfit("not-differentiated", message, entry.key, key="expect")
        return None
    if entry.value is None:
        return None
    wanted = numeral_shape(entry.value) or ()
    for at in shapes:
        shape = at.inputs[partial.variable]
        if not _has_element(shape, partial.index):
            message = f"`{name}` is no element of `{partial.variable}`, whose shape is {shape}"
            fit.add_misfit("shape-mismatch", message, entry.key, key="expect")
            return None
        if wanted and (partial.index is not None or wanted != shape):
            has = "is a number" if partial.index is not None else f"has shape {shape}"
            message = f"`{name}` {has}, what is expected of it has shape {wanted}"
            fit.add_misfit("shape-mismatch", message, entry.node, key="expect")
            return None
    return partial


def _has_element(shape: tuple[int, ...], index: tuple[int, ...] | None) -> bool:
    """Whether there is such an element; no index means all of them."""
    return index is None or (
        len(index) == len(shape) and all(i < length for i, length in zip(index, shape, strict=True))
    )
