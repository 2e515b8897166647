"""The JSON Schema of a suite file, by which an editor completes and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.records.json_schema import DIALECT
from gradcheck_cli.suites.at import Coordinate, PointsKind
from gradcheck_cli.suites.expect import Target
from gradcheck_cli.suites.keys import SUITE, VERSION
from gradcheck_cli.suites.numerals import NESTED

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema


def suite_schema() -> Schema:
    """A JSON Schema (2020-12) of a suite file, of the table of keys that the reader follows."""
    definitions = {
        "point": PointsKind().definition(),
        "values": Coordinate().definition(),
        "tensor": NESTED,
        "expected": Target().definition(),
    }
    return {
        "$schema": DIALECT,
        "title": f"gradcheck suite, version {VERSION}",
        "description": "Cases for `gradcheck run`: programs whose gradients are checked at points. "
        "`docs/suites.md` describes every key.",
        **SUITE.schema(),
        "$defs": definitions,
    }
