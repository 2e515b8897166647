"""One test of many cells: a law that is held in less time than pytest takes to count a test."""

from __future__ import annotations

import inspect
import traceback
from functools import wraps

import pytest


def each(names, values, ids=str):
    """As `pytest.mark.parametrize`, within one test: it goes through all cells, and tells each that
    fails by its name.

    Args:
        names: one, or several behind commas, of which a cell has a value each.
        ids: gives the name of a cell from its value, or from a tuple of its values.
    """
    keys = [name.strip() for name in names.split(",")]
    cells = [value if len(keys) > 1 else (value,) for value in values]
    assert cells, "a law of no cells cannot fail"

    def decorate(law):
        @wraps(law)
        def test(**fixtures):
            failures = [
                f"{ids(cell if len(keys) > 1 else cell[0])}: {told}"
                for cell in cells
                if (told := _failure(law, dict(zip(keys, cell, strict=True)) | fixtures))
            ]
            if failures:
                lead = f"{len(failures)} of {len(cells)} cells"
                pytest.fail("\n".join([lead, *failures]), pytrace=False)

        whole = inspect.signature(law)
        assert set(keys) <= set(whole.parameters), "each name is an argument of the law"
        others = [p for name, p in whole.parameters.items() if name not in keys]
        test.__signature__ = whole.replace(parameters=others)
        return test

    return decorate


def _failure(law, arguments):
    """What a law says where it does not hold; "" where it does. A cell is never skipped in silence."""
    try:
        law(**arguments)
    except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - told
        within = error.__traceback__ and error.__traceback__.tb_next
        return "".join(traceback.format_exception(error.with_traceback(within))).strip()
    return ""
