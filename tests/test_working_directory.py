"""The working directory: whatever lies there, no command and no process that it starts imports it.

Traps lie in the folder that each command is started in: modules of Python, of libraries and of the
tool, which leave a mark when they are imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from clocks import HUNG
from suites import environment, written
from traps import EVERYTHING, executed, plant

import gradcheck_cli

GRADCHECK = str(Path(sys.executable).with_name("gradcheck"))
HOME = str(Path(gradcheck_cli.__file__).parents[1])
# Where Python itself puts the working directory in front, a parent imports what it needs from there,
# and we cannot help that. This is what it does not need.
OF_CHILDREN = {"check": ("sympy.py",), "run": ("sympy.py", "torch.py")}
SUITE = "{id: a, expr: sin(x), at: {x: 1}, device: all}"


def ran(folder, *command, **variables):
    """What a command prints, started in a folder; it must not fail."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A stored report."""
    path = tmp_path_factory.mktemp("stored") / "report.json"
    written(path.parent, "{id: a, expr: sin(x), at: {x: 1}}")
    ran(path.parent, GRADCHECK, "run", ".", "--export", str(path))
    return str(path)


@pytest.fixture
def trapped(tmp_path):
    """A folder full of traps, and a suite."""
    written(tmp_path, SUITE)
    plant(tmp_path, *EVERYTHING)
    return tmp_path


COMMANDS = {
    "check": ["x**2", "--at", "x=3"],
    "sweep": ["sweep", "x**2", "--over", "x=0:1:100"],
    "hunt": ["hunt", "x**2", "--over", "x=1:2", "--budget", "50"],
    "fn": ["fn", "torch.nn:GELU", "--arg", "input=[1.5]"],
    "lift": ["lift", "--help"],
    "run": ["run", "."],
    "lint": ["lint", "."],
    "report": ["report", "{report}"],
    "merge": ["merge", "{report}"],
    "diff": ["diff", "{report}", "{report}"],
    "init": ["init", "new"],
    "functions": ["functions", "sin"],
    "explain": ["explain", "kinks"],
    "schema": ["schema", "report"],
    "doctor": ["doctor"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_no_command_imports_what_lies_in_the_working_directory(trapped, report, words):
    """Nor does any process that it starts."""
    ran(trapped, GRADCHECK, *(word.format(report=report) for word in words))
    assert executed(trapped) == []


def test_every_command_is_tried():
    """Those that the command line has."""
    from gradcheck_cli.cli import app

    assert {command.name for command in app.registered_commands} == set(COMMANDS)


def test_code_of_a_user_that_stands_elsewhere_imports_nothing_from_there(trapped, tmp_path_factory):
    """The API, in a script."""
    script = tmp_path_factory.mktemp("elsewhere") / "script.py"
    script.write_text(
        "import gradcheck_cli\nprint(gradcheck_cli.check('x**2', {'x': 3}).exit_code)"
    )
    assert ran(trapped, sys.executable, str(script)) == "0\n"
    assert executed(trapped) == []


def test_the_pytest_plugin_imports_nothing_from_there(trapped):
    """It asks torch for the devices and checks, each in a process."""
    assert "1 passed" in ran(trapped, sys.executable, "-P", "-m", "pytest", "-v")
    assert executed(trapped) == []


@pytest.mark.parametrize(
    ("command", "kind", "variables"),
    [
        ([sys.executable, "-m", "gradcheck_cli", "x**2", "--at", "x=3"], "check", {}),
        ([sys.executable, "-m", "gradcheck_cli", "run", "."], "run", {}),
        ([sys.executable, "-m", "pytest", "-v"], "run", {}),
        ([GRADCHECK, "run", "."], "run", {"PYTHONPATH": "."}),
        ([GRADCHECK, "run", "."], "run", {"PYTHONPATH": f"{os.pathsep}{HOME}"}),
    ],
    ids=["-m check", "-m run", "-m pytest", "PYTHONPATH=.", "PYTHONPATH=:"],
)
def test_no_child_imports_what_its_parent_was_made_to(tmp_path, command, kind, variables):
    """Python puts the working directory on the path of what is started by `-m`, and an entry of
    PYTHONPATH that is empty or relative means it.
    """
    written(tmp_path, "{expr: sin(x), at: {x: 1}}")
    plant(tmp_path, "gmpy2.py", *OF_CHILDREN[kind])
    ran(tmp_path, *command, **variables)
    assert executed(tmp_path) == []


def test_a_trap_that_is_stepped_on_is_seen(trapped):
    """A child that is started as one usually does executes them, a package of our name too."""
    subprocess.run(
        [sys.executable, "-c", "from gradcheck_cli.symbolic import server\nimport sympy, torch"],
        cwd=trapped,
        env=environment(),
        timeout=HUNG,
        check=False,
    )
    assert executed(trapped) == [
        "gradcheck_cli/__init__.py",
        "gradcheck_cli/symbolic/__init__.py",
        "gradcheck_cli/symbolic/server.py",
        "sympy.py",
        "torch.py",
    ]
    (trapped / "executed").unlink()
    code = "import pickle, usercustomize"
    ran(trapped, sys.executable, "-c", code, PYTHONPATH=str(trapped))
    assert {"sitecustomize.py", "usercustomize.py", "pickle.py"} <= set(executed(trapped))


# What a child finds, told by its parent: its path, its package, and where some modules come from.
PROBE = """
import json, sys
from importlib.util import find_spec

def find(names):
    import gradcheck_cli
    yield json.dumps([sys.path, gradcheck_cli.__file__]).encode()
    for name in names:
        spec = find_spec(name.decode())
        yield json.dumps(spec and spec.origin).encode()
"""
ASKS = """
import json, sys
{before}
from gradcheck_cli.processes import Child
child = Child("probe_of_children:find")
path, package = json.loads(child.next_message(900))
for name in sys.argv[1:]: child.send(name.encode())
print(json.dumps([path, package, [json.loads(child.next_message(900)) for _ in sys.argv[1:]]]))
child.kill()
"""


@pytest.fixture
def beside(tmp_path_factory):
    """A folder that holds the probe."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "probe_of_children.py").write_text(PROBE, encoding="utf-8")
    return folder


@pytest.fixture
def asks(tmp_path, beside):
    """(path, package, origins of modules) of the child of a program that is started somehow."""
    (tmp_path / "asks_a_child.py").write_text(ASKS.format(before=""), encoding="utf-8")

    def ask(*flags, names=(), path=(), before="", **variables):
        where = {"PYTHONPATH": os.pathsep.join([HOME, str(beside), *path])}
        start = flags or ("-c", ASKS.format(before=before))
        return json.loads(ran(tmp_path, sys.executable, *start, *names, **{**where, **variables}))

    return ask


def test_a_child_finds_what_its_parent_finds(asks, tmp_path_factory):
    """Entries of PYTHONPATH in their order, and what the parent has added to its path."""
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    for folder in (first, second):
        (folder / "found_here.py").touch()
    _, _, (origin,) = asks(names=["found_here"], path=[str(second), str(first)])
    assert origin == str(second / "found_here.py")
    path, _, (origin,) = asks(names=["found_here"], before=f"sys.path.insert(0, {str(first)!r})")
    assert (path[0], origin) == (str(first), str(first / "found_here.py"))


def test_a_child_has_the_package_of_its_parent(asks, tmp_path, tmp_path_factory):
    """Also where that is in the working directory and nowhere else on the path, as in a checkout
    that is not installed, and where another one stands before it.
    """
    assert asks()[1] == gradcheck_cli.__file__
    (tmp_path / "gradcheck_cli").symlink_to(Path(gradcheck_cli.__file__).parent)
    path, package, _ = asks("-m", "asks_a_child")
    assert package == str(tmp_path / "gradcheck_cli" / "__init__.py")
    assert str(tmp_path) not in path
    other = tmp_path_factory.mktemp("other")
    plant(other, "gradcheck_cli/__init__.py", "gradcheck_cli/processes.py")
    before = f"import gradcheck_cli; sys.path.insert(0, {str(other)!r})"
    assert asks(before=before)[1] == str(tmp_path / "gradcheck_cli" / "__init__.py")
    assert executed(other) == []


@pytest.mark.parametrize("start", ["-c", "-m"])
@pytest.mark.parametrize("named", [False, True], ids=["not named", "named"])
def test_the_working_directory_is_on_the_path_of_a_child_where_it_was_named(
    asks, tmp_path, start, named
):
    """By an absolute entry of PYTHONPATH, and at its place, not where Python puts it by itself; an
    installed package names its folder as well.
    """
    flags = ("-m", "asks_a_child") if start == "-m" else ()
    path, _, _ = asks(*flags, path=[str(tmp_path)] if named else [])
    assert "" not in path
    assert path.count(str(tmp_path)) == named
    assert path.index(HOME) == 0


@pytest.mark.parametrize("entry", ["", ".", "./", "inner/.."])
def test_a_relative_entry_that_means_the_working_directory_is_left_out(asks, tmp_path, entry):
    """Python makes it absolute in the parent, where it looks as if it had been named."""
    (tmp_path / "inner").mkdir()
    path, _, _ = asks(path=[entry])
    assert str(tmp_path) not in map(os.path.realpath, path)


def test_a_relative_entry_that_means_another_folder_means_it_to_a_child(asks, tmp_path):
    """The user said where; but nothing in it is executed at a child's start."""
    (tmp_path / "inner").mkdir()
    plant(tmp_path / "inner", "usercustomize.py")
    (tmp_path / "inner" / "found_here.py").touch()
    (tmp_path / "inner" / "sitecustomize.py").write_text(
        "import sys\nif 'probe_of_children:find' in sys.orig_argv: import usercustomize\n"
    )
    assert asks(path=["inner"], names=["found_here"])[2] == [str(tmp_path / "inner/found_here.py")]
    assert executed(tmp_path / "inner") == []


def test_a_parent_that_is_isolated_has_isolated_children(asks, beside, tmp_path, tmp_path_factory):
    """PYTHONPATH and the rest of the environment mean nothing to either."""
    folder = tmp_path_factory.mktemp("ignored")
    plant(folder, "sitecustomize.py", "usercustomize.py")
    script = tmp_path / "isolated.py"
    script.write_text(ASKS.format(before=f"sys.path[:0] = [{HOME!r}, {str(beside)!r}]"))
    path, package, _ = asks("-I", str(script), PYTHONPATH=str(folder))
    assert (str(folder) in path, package) == (False, gradcheck_cli.__file__)
    assert executed(folder) == []


def test_a_working_directory_that_is_gone_is_no_harm(asks):
    """Nothing can be imported from it either."""
    before = "import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')"
    assert "" not in asks(before=before)[0]
