"""The JSON Schema of a suite file: what `gradcheck schema suite` prints, and what an editor
completes and checks by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.suites.at import At, Coordinate
from gradcheck_cli.suites.expecting import Target
from gradcheck_cli.suites.keys import SUITE, VERSION
from gradcheck_cli.suites.numerals import NESTED

if TYPE_CHECKING:
    from gradcheck_cli.suites.kinds import Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def suite_schema() -> Schema:
    """A JSON Schema (2020-12) of a suite file, from the same table of keys that the reader follows."""
    definitions = {
        "point": At().definition(),
        "values": Coordinate().definition(),
        "tensor": NESTED,
        "expected": Target().definition(),
    }
    says = "Cases for `gradcheck run`: programs whose gradients are checked at points. `docs/suites.md` describes every key."
    return {
        "$schema": DIALECT,
        "title": f"gradcheck suite, version {VERSION}",
        "description": says,
        **SUITE.schema(),
        "$defs": definitions,
    }
