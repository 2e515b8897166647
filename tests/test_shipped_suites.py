"""The suites in `expressions/`: as expected on every known version of torch, and what is stated in
`facts/`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torch_facts import known_facts, texts_of

SUITES = Path(__file__).parents[1] / "expressions"


@pytest.fixture(scope="module")
def shipped(tool):
    """(exit code, stdout, stderr) of the suites that ship, by the number of workers."""
    words = ("run", SUITES.name, "--seed", "1", "-f", "json")
    return {jobs: tool.ran(SUITES.parent, *words, "-j", jobs) for jobs in ("1", "2")}


def test_the_suites_that_ship_are_twice_the_same(shipped):
    """With one seed, whatever the number of workers: the same bytes."""
    assert shipped["1"] == shipped["2"]
    ids = {case["id"].split("::")[0] for case in json.loads(shipped["1"][1])["cases"]}
    assert ids == {
        f"expressions/{name}.gradcheck.yaml"
        for name in (
            "activations",
            "calculus",
            "claims",
            "defects",
            "field",
            "kinks",
            "losses",
            "notebooks",
        )
    }


@pytest.mark.torch_fact
def test_the_suites_that_ship_are_as_expected(shipped):
    """Whichever of the known versions of torch is installed."""
    code, _, err = shipped["1"]
    assert (code, err) == (0, "")


@pytest.mark.parametrize("name", ["notebooks", "defects"])
def test_every_fact_is_in_its_suite(name):
    """A fact without a case, or with another program, fails here, and so does a case that expects
    anything but what some version of torch comes to.
    """
    suite = texts_of(SUITES / f"{name}.gradcheck.yaml")
    cases = {case["id"]: case for case in suite["cases"]}
    versions = [facts.rows(name) for facts in known_facts()]
    assert list(cases) == [row["id"] for row in versions[0]]
    for same in zip(*versions, strict=True):
        case, stated = cases[same[0]["id"]], cases[same[0]["id"]]["expect"]
        expected = stated if isinstance(stated, str) else stated["outcome"]
        assert {case["expr"].strip()} == {row["program"].strip() for row in same}
        assert ({expected} if isinstance(expected, str) else {*expected}) == {
            row.get("outcome", "agree") for row in same
        }
