"""What pyproject.toml asks for is what the package imports, what constraints.txt pins and what
`.ci/lowest` installs and tries.
"""

from __future__ import annotations

import ast
import runpy
import shlex
import sys
import tomllib
from contextlib import nullcontext
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gradcheck_cli.cli.arguments import COMMANDS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gradcheck_cli"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
LOWEST = runpy.run_path(str(ROOT / ".ci" / "lowest"))
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
# A module that is loaded where an extra, or pytest, is there.
OPTIONAL = {
    "runs/cluster.py": "distributed",
    "runs/changes.py": "watchfiles",
    "pytest_plugin/": "pytest",
    "notebook.py": "ipython",
    "checks/frame.py": "pandas",
}


def names(requirements):
    """The names of distributions, written in one way."""
    return {canonicalize_name(Requirement(requirement).name) for requirement in requirements}


RUNTIME = names(PROJECT["project"]["dependencies"])
TESTED = names([*EXTRAS["cluster"], *EXTRAS["watch"], *EXTRAS["test"]])


def imported(tree):
    """The top-level modules that a module imports, wherever it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def foreign(sources):
    """(path, distribution) of what is neither Python's own nor ours."""
    providers = packages_distributions()
    return {
        (path, canonicalize_name(providers.get(module, [module])[0]))
        for path, text in sources.items()
        for module in imported(ast.parse(text))
        if module not in sys.stdlib_module_names and module != PACKAGE.name
    }


def undeclared(sources, declared):
    """What is imported without being asked for; an extra only where it may be missing."""
    return {
        (path, name)
        for path, name in foreign(sources)
        if name not in declared
        and not any(path.startswith(place) and name == extra for place, extra in OPTIONAL.items())
    }


SOURCES = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
    for path in PACKAGE.rglob("*.py")
}


def test_every_import_is_declared_and_every_dependency_imported():
    """One that is installed because another asks for it may be gone with that one's next version."""
    assert undeclared(SOURCES, RUNTIME) == set()
    assert {name for _, name in foreign(SOURCES)} == RUNTIME | set(OPTIONAL.values())
    assert set(OPTIONAL.values()) <= TESTED


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def f():\n    import click.testing", "click"),
        ("if TYPE_CHECKING:\n    from yaml.nodes import Node", "pyyaml"),
        ("import distributed", "distributed"),
    ],
)
def test_an_import_that_is_not_declared_is_seen(source, name):
    """Inside a function, for types alone, and of an extra outside its place."""
    assert undeclared({"api.py": source}, RUNTIME - {"pyyaml"}) == {("api.py", name)}


def unbounded(requirements):
    """Those without exactly one version that they start from."""
    return [
        requirement
        for requirement in requirements
        if [bound.operator for bound in Requirement(requirement).specifier].count(">=") != 1
    ]


def test_each_dependency_has_a_lower_bound():
    """Of what builds, runs and tests; a range without one is not seen as one."""
    assert unbounded(LOWEST["stated"](PROJECT)) == []
    lies = ["numpy", "numpy<3", "numpy!=2.0", "numpy>1.26"]
    assert unbounded(["numpy>=1.26,<3", *lies]) == lies


def outside(pins, requirements):
    """The pins that a range does not admit, and the names that no pin is for."""
    pinned = {
        canonicalize_name(name): version
        for name, _, version in (pin.partition("==") for pin in pins)
    }
    return {
        requirement
        for requirement in requirements
        for parsed in [Requirement(requirement)]
        if not parsed.specifier.contains(pinned.get(canonicalize_name(parsed.name), "0"))
    }


def test_constraints_pin_within_the_ranges():
    """Each of them is pinned, and a pin below a range or none at all is seen."""
    pins = [line for line in PINS if "==" in line]
    stated = [
        *PROJECT["project"]["dependencies"],
        *EXTRAS["cluster"],
        *EXTRAS["watch"],
        *EXTRAS["test"],
    ]
    assert outside(pins, stated) == set()
    assert outside(["torch==2.0"], ["torch>=2.13.0", "Rich>=13"]) == {"torch>=2.13.0", "Rich>=13"}


def test_the_lowest_versions_are_the_bounds():
    """Every one of them is installed, and one that moves is followed."""
    stated = LOWEST["stated"](PROJECT)
    parsed = [Requirement(requirement) for requirement in stated]
    assert LOWEST["pins"](stated) == [
        f"{requirement.name}=={bound.version}"
        for requirement in parsed
        for bound in requirement.specifier
        if bound.operator == ">="
    ]
    assert names(stated) >= RUNTIME | TESTED
    assert LOWEST["pins"](["a.b-c[d]>=1.2,<3", "e >= 4"]) == ["a.b-c==1.2", "e==4"]


def test_the_lowest_versions_are_tried_by_tests_of_each_and_by_every_command():
    """A dependency or a command that is added later is not forgotten there."""
    assert set(LOWEST["TESTS"]) == RUNTIME | TESTED
    files = [ROOT / "tests" / file for files in LOWEST["TESTS"].values() for file in files]
    assert [file for file in files if not file.is_file()] == []
    assert set(LOWEST["EXAMPLES"]) == set(COMMANDS)


@pytest.mark.parametrize(
    ("errors", "code", "refused"),
    [
        ("Usage: ...\n\nError: No such option: --x", 2, True),
        ("Error: No such option: --x", 3, False),
        ("Traceback (most recent call last):\nError: No such option: --x", 2, False),
        ("TypeError: No such option: --x", 2, False),
        ("Error: something else", 2, False),
    ],
)
def test_a_mistake_of_usage_is_one_line_and_exit_code_2(errors, code, refused, tmp_path):
    """What `.ci/lowest` asks of each command is not asked in vain."""
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(errors)} >&2\nexit {code}\n")
    tool.chmod(0o755)
    within = {"capture_output": True}
    with nullcontext() if refused else pytest.raises(SystemExit):
        LOWEST["refuse"](str(tool), "check", "--x", "No such option", within)
