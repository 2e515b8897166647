"""Whether the numbers that a case expects are of the shapes that its program has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import did_you_mean, elide
from gradcheck_cli.suites.expected import Expectation, ExpectedPartial
from gradcheck_cli.suites.expecting import outcomes_of, partial_of
from gradcheck_cli.suites.numerals import numeral_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.suites.fit import Fit, Shaped
    from gradcheck_cli.suites.kinds import Entry


def expectation_of(fit: Fit, wrt: tuple[str, ...], shapes: Sequence[Shaped]) -> Expectation | None:
    """What the case expects; None where it says nothing.

    Args:
        wrt: the inputs that are differentiated.
        shapes: those at the first point of each block.
    """
    entry = fit.settings.entry("expect")
    if entry is None or entry.value is None:
        return None
    tol = fit.settings["tol"]
    tolerance = tol.value if tol else None
    if isinstance(entry.value, str):
        return Expectation(outcomes_of(entry.value), tolerance=tolerance)
    value = entry.value.get("value")
    if value is not None and value.value is not None:
        _value(fit, value, shapes)
    found = [_partial(fit, partial, wrt, shapes) for partial in _entries(entry)]
    partials = tuple(partial for partial in found if partial is not None)
    return Expectation(
        outcomes_of(entry.value), value.value if value is not None else None, partials, tolerance
    )


def _entries(expect: Entry) -> list[Entry]:
    partials = expect.value.get("partials")
    return (
        list(partials.value.values()) if partials is not None and partials.value is not None else []
    )


def _value(fit: Fit, value: Entry, shapes: Sequence[Shaped]) -> None:
    wanted = numeral_shape(value.value) or ()
    for at in shapes:
        if wanted and at.value is not None and wanted != at.value:
            fit.add_misfit(
                "shape-mismatch",
                f"the program's value has shape {at.value}, what is expected {wanted}",
                value.node,
                key="expect",
            )
            return


def _partial(
    fit: Fit, entry: Entry, wrt: tuple[str, ...], shapes: Sequence[Shaped]
) -> ExpectedPartial | None:
    """One key of `partials`; None if something is wrong with it, or if the command line asks for
    other inputs.
    """
    name = elide(entry.key.text)
    partial = partial_of(entry.key.text, entry.value)
    if partial is None or partial.variable not in fit.variables:
        known = (
            did_you_mean(partial.variable, fit.variables)
            if partial
            else "an input is written `W`, an element of it `W[0,1]`"
        )
        fit.add_misfit(
            "unknown-input",
            f"`partials` names `{name}`, which is not an input of the program",
            entry.key,
            known,
            "expect",
        )
        return None
    if partial.variable not in wrt:
        if "wrt" not in fit.settings.above and fit.good:
            differentiated = ", ".join(f"`{variable}`" for variable in wrt)
            fit.add_misfit(
                "not-differentiated",
                f"`partials` names `{name}`, and what is differentiated is {differentiated}",
                entry.key,
                key="expect",
            )
        return None
    if entry.value is None:
        return None
    wanted = numeral_shape(entry.value) or ()
    for at in shapes:
        shape = at.inputs[partial.variable]
        inside = partial.index is None or (
            len(partial.index) == len(shape)
            and all(i < length for i, length in zip(partial.index, shape, strict=True))
        )
        if not inside:
            fit.add_misfit(
                "shape-mismatch",
                f"`{name}` is no element of `{partial.variable}`, whose shape is {shape}",
                entry.key,
                key="expect",
            )
            return None
        if wanted and (partial.index is not None or wanted != shape):
            has = (
                f"`{name}` is a number"
                if partial.index is not None
                else f"`{name}` has shape {shape}"
            )
            fit.add_misfit(
                "shape-mismatch",
                f"{has}, what is expected of it has shape {wanted}",
                entry.node,
                key="expect",
            )
            return None
    return partial
