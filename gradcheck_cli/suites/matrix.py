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


def exclusions(items: Sequence[Mapping[str, Entry]] | None) -> tuple[Exclusion, ...]:
    """What the items of `exclude` say."""
    return tuple(Exclusion(_names(item, "dtype"), _names(item, "device")) for item in items or ())


def _names(item: Mapping[str, Entry], key: str) -> tuple[str, ...]:
    return tuple(item[key].value or ()) if key in item else ()


def check_matrix(matrix: Entry, document: Document) -> None:
    """Tell of exclusions that match nothing."""
    parts: Mapping[str, Entry] = matrix.value or {}
    exclude = parts.get("exclude")
    if exclude is None or any(entry.value is None for entry in parts.values()):
        return
    # What the matrix does not say comes from elsewhere, and may be anything.
    dtypes, devices = (_names(parts, key) or ("",) for key in ("dtype", "device"))
    runs = list(product(dtypes, devices))
    for i, exclusion in enumerate(exclusions(exclude.value)):
        if not any(_may_cover(exclusion, run) for run in runs):
            message = "this leaves out nothing: the matrix has no such run"
            document.add_mistake("bad-exclude", message, part(exclude.node, i))


def _may_cover(exclusion: Exclusion, run: RunKey) -> bool:
    """Whether it may leave out the run, of which dtype or device may not be known yet."""
    dtype, device = run
    dtypes = () if dtype == "" else exclusion.dtypes
    devices = () if device in ("", "all") else exclusion.devices
    return Exclusion(dtypes, devices).covers(dtype, device)


def runs_of(settings: CaseLayers, document: Document) -> tuple[tuple[RunKey, ...], str | None]:
    """(runs, why there is none): where the command line asks only for runs that the case leaves
    out, all of these, and a reason to skip.
    """
    excluded = exclusions(settings["exclude"])
    runs = tuple(product(settings["dtype"] or (), settings["device"] or ()))
    rest = tuple(run for run in runs if not any(exclusion.covers(*run) for exclusion in excluded))
    if rest or not runs:
        return rest, None
    if "dtype" in settings.above or "device" in settings.above:
        names = ", ".join(f"{dtype} on {device}" for dtype, device in runs)
        return runs, f"its matrix leaves out {names}"
    exclude = settings.entry("exclude")
    assert exclude is not None, "what leaves out runs stands in the file"
    own = [settings.case[name] for name in ("dtype", "device") if name in settings.case]
    culprit = own[0] if own and settings.inherited("exclude") else exclude
    document.add_mistake("empty-matrix", "`exclude` leaves no run", culprit.key)
    return runs, None
