"""The facts about torch: what the installed version does, and what a run says of a version that has
no file.
"""

from __future__ import annotations

import pytest
from torch_facts import (
    FACTS,
    FOLDER,
    FactsReport,
    facts_of,
    known_facts,
    merged,
    stated_versions,
    texts_of,
)

from gradcheck_cli import check
from gradcheck_cli.reports.json import document

pytest_plugins = ["pytester"]

RUN = """\
    import pytest

    @pytest.mark.torch_fact
    def test_a_fact_that_holds():
        pass

    @pytest.mark.torch_fact
    def test_a_fact_that_changed():
        assert 0.5 == 1.0, "the slope of fmax"

    @pytest.mark.torch_fact
    def test_a_crash():
        raise RuntimeError("no opinion")

    def test_a_law():
        assert False, "a law is broken"
"""


@pytest.mark.torch_fact
@pytest.mark.parametrize(("program", "at", "slope"), FACTS.kinks)
def test_torchs_choice_at_a_kink_is_as_stated(program, at, slope):
    """Different for one function in two spellings and in two versions, and each a valid
    subgradient.
    """
    name, _, value = at.partition("=")
    (case,) = document(check(program, {name: value}))["cases"]
    slopes = {partial["autograd"]["value"] for partial in case["partials"]}
    assert slopes == {slope}, f"torch takes {slopes}, not {slope}"
    assert case["outcome"] == "kink"


def test_a_version_states_what_it_does_in_its_own_way_and_nothing_else():
    """Every version states the same facts, and none that are the same in all: those are shared."""
    own = [texts_of(FOLDER / facts.file) for facts in known_facts()]
    places = [set(leaves(data)) for data in own]
    assert all(found == places[0] for found in places)
    for place in places[0]:
        assert len({leaves(data)[place] for data in own}) > 1, place


def leaves(data, path=()):
    """The facts of a file, with the keys that lead to each."""
    if not isinstance(data, dict):
        return {path: str(data)}
    return {
        place: leaf
        for key, value in data.items()
        for place, leaf in leaves(value, (*path, key)).items()
    }


@pytest.mark.parametrize(
    ("version", "file", "known"),
    [
        ("2.13.0+cpu", "2.13", True), ("2.14.1+cu130", "2.14", True), ("2.13.7", "2.13", True), ("2.15.0a0+git1", "2.14", False), ("3.0.0", "2.14", False),
        ("2.6.0", "2.13", False), ("2.9.1", "2.13", False),
    ],
)  # fmt: skip
def test_the_nearest_version_is_asked(version, file, known):
    """A patch release changes no convention; 2.9 is before 2.13."""
    facts = facts_of(version, ["2.13", "2.14"])
    assert (facts.file, facts.known) == (f"torch-{file}.yaml", known)


def test_a_versions_word_comes_last_and_at_any_depth():
    """What it does not state stays."""
    shared = {"kinks": {"a": "0", "b": {"c": "1"}}, "d": "2"}
    assert merged(shared, {"kinks": {"b": {"c": "3"}, "e": "4"}}) == {
        "kinks": {"a": "0", "b": {"c": "3"}, "e": "4"},
        "d": "2",
    }


def test_every_known_version_tells_one_thing_of_each_kink():
    """With two versions, two columns on the page: the programs are the same."""
    programs = [[kink[:2] for kink in facts.kinks] for facts in known_facts()]
    assert len(programs) == len(stated_versions()) > 1
    assert all(found == programs[0] for found in programs)


def test_on_an_unknown_version_the_facts_tell_what_changed(pytester):
    """And fail nothing; a crash and a law fail as always."""
    pytester.makepyfile(RUN)
    run = pytester.runpytest_inprocess(plugins=[FactsReport(facts_of("99.1.0"))])
    run.assert_outcomes(passed=1, xfailed=1, failed=2)
    nearest = f"torch-{stated_versions()[-1]}.yaml"
    run.stdout.fnmatch_lines(
        [
            "*torch 99.1.0 has no file in tests/facts*",
            f"1 facts are not as {nearest} has them",
            "*::test_a_fact_that_changed",
            "    the slope of fmax",
        ]
    )


def test_on_a_known_version_a_fact_that_does_not_hold_fails(pytester):
    """The report above changes nothing else."""
    pytester.makepyfile(RUN)
    run = pytester.runpytest_inprocess(plugins=[FactsReport(facts_of(stated_versions()[0]))])
    run.assert_outcomes(passed=1, failed=3)
    assert "has no file" not in run.stdout.str()
