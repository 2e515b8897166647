"""Which dtypes a case is checked in, and on which devices."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from gradcheck_cli.suites.kinds import part
from gradcheck_cli.suites.spec import Exclusion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.suites.document import Document
    from gradcheck_cli.suites.kinds import Entry
    from gradcheck_cli.suites.layers import CaseLayers

RunKey = tuple[str, str]


def exclusions(found: Sequence[Mapping[str, Entry]] | None) -> tuple[Exclusion, ...]:
    """What the items of `exclude` say."""
    return tuple(Exclusion(_names(item, "dtype"), _names(item, "device")) for item in found or ())


def _names(item: Mapping[str, Entry], key: str) -> tuple[str, ...]:
    return tuple(item[key].value or ()) if key in item else ()


def check_matrix(matrix: Entry, document: Document) -> None:
    """Tell of exclusions that match nothing."""
    parts: Mapping[str, Entry] = matrix.value or {}
    exclude = parts.get("exclude")
    if (
        exclude is None
        or exclude.value is None
        or any(entry.value is None for entry in parts.values())
    ):
        return
    # What the matrix does not say comes from elsewhere, and may be anything.
    dtypes, devices = (_names(parts, key) or ("",) for key in ("dtype", "device"))
    runs = list(product(dtypes, devices))
    for i, exclusion in enumerate(exclusions(exclude.value)):
        if not any(_may_cover(exclusion, run) for run in runs):
            document.add_mistake(
                "bad-exclude",
                "this leaves out nothing: the matrix has no such run",
                part(exclude.node, i),
            )


def _may_cover(exclusion: Exclusion, run: RunKey) -> bool:
    """Whether there may be a run that is left out, where a dtype is not known, or a device is not
    known or `all`.
    """
    dtype, device = run
    dtypes = () if dtype == "" else exclusion.dtypes
    devices = () if device in ("", "all") else exclusion.devices
    return Exclusion(dtypes, devices).covers(dtype, device)


def runs_of(settings: CaseLayers, document: Document) -> tuple[tuple[RunKey, ...], str | None]:
    """(runs, why there is none): where the command line asks only for runs that the case leaves
    out, all of these, and a reason to skip.
    """
    excluded = exclusions(settings["exclude"])
    asked = tuple(product(settings["dtype"] or (), settings["device"] or ()))
    left = tuple(run for run in asked if not any(exclusion.covers(*run) for exclusion in excluded))
    if left or not asked:
        return left, None
    if "dtype" in settings.above or "device" in settings.above:
        return (
            asked,
            f"its matrix leaves out {', '.join(f'{dtype} on {device}' for dtype, device in asked)}",
        )
    exclude = settings.entry("exclude")
    assert exclude is not None, "what leaves out runs stands in the file"
    own = [
        settings.case[name]
        for name in ("dtype", "device")
        if name in settings.case and settings.inherited("exclude")
    ]
    document.add_mistake("empty-matrix", "`exclude` leaves no run", (own or [exclude])[0].key)
    return asked, None
