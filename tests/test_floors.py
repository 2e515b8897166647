"""The house: who may import whom, what stays unloaded, who may speak, and how large a room is."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from clocks import HUNG

PACKAGE = Path(__file__).parents[1] / "gradcheck_cli"
NAME = PACKAGE.name

# The floors of the house. A module stands on the floor of the longest prefix that is listed here
# and imports its own floor or lower. The language's data (errors, programs) and the dtypes lie
# below the function table, its grammar beside it: a row's meaning is a text, and a text is read
# with the table. `suite` is where opinions become results; what serves the command line alone
# stands beside it, the reports above. The API is one more front door, beside the command line's;
# `environment` asks it whether SymPy's process answers.
FLOORS = {
    "": 0,  # __init__: the version; check() is imported when it is asked for
    "language": 1, "language.errors": 0, "language.program": 0, "functions": 1, "dtypes": 1,
    "calculus": 2,
    "worlds": 3,
    "toml": 0,
    "point": 4, "case": 4, "gradient": 4, "quantities": 4,
    "witnesses": 5,
    "judge": 6,
    "suite": 7, "manual": 7,
    "reports": 8,
    "starter": 8,
    "pytest_plugin": 9, "pytest_cases": 9,
    "api": 9, "environment": 9, "command": 9, "session": 9, "settings": 9, "configuration": 9, "provenance": 9, "arguments": 9, "options": 9, "cli": 9, "__main__": 9,
}  # fmt: skip
# Imports inside a function that reach one floor up, each with its reason. They run when the table
# is complete, never while it is built.
UPWARD = {
    ("__init__", "api"): "`gradcheck_cli.check` is imported when it is first asked for",
    ("functions.page", "calculus"): "`gradcheck functions NAME` shows derivatives",
    ("functions.page", "worlds.symbols"): "`gradcheck functions NAME` shows derivatives",
}
HEAVY = ("torch", "sympy", "flint")
SPEAKERS = {"cli"}
LINES, FUNCTION = 300, 40


@cache
def modules():
    """Every module of the package by its dotted name without the package's."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def floor(module):
    """The floor of a module: that of the longest listed prefix."""
    parts = ("" if module == "__init__" else module).split(".")
    known = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    found = next((FLOORS[name] for name in known if name in FLOORS), None)
    assert found is not None, f"{module} stands on no floor: give it one in FLOORS"
    return found


def imports(tree):
    """(name, whether inside a function) of every module of the package that a syntax tree imports,
    for checking types only apart.
    """
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    nested = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not used in the package"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [
                name if name.removeprefix(f"{NAME}.") in modules() else node.module
                for name in names
            ]
        else:
            continue
        for name in found:
            if name == NAME or name.startswith(f"{NAME}."):
                yield name.removeprefix(NAME).removeprefix(".") or "__init__", id(node) in nested


def climbs(module, tree):
    """What a module imports from a floor above its own, and the listed reasons do not excuse."""
    return [
        name
        for name, nested in imports(tree)
        if floor(name) > floor(module) and not (nested and (module, name) in UPWARD)
    ]


def speech(tree):
    """Where a syntax tree prints, exits, or reads the environment or the standard streams."""
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("print", "exit", "quit", "input", "breakpoint")
        ):
            found.append(node.func.id)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in (
            "sys.exit",
            "sys.stdout",
            "sys.stderr",
            "sys.stdin",
            "sys.argv",
            "os._exit",
            "os.environ",
            "os.getenv",
            "os.putenv",
            "os.abort",
        ):
            found.append(ast.unparse(node))
        elif isinstance(node, ast.ImportFrom) and node.module in ("os", "sys"):
            found += [
                f"from {node.module} import {alias.name}"
                for alias in node.names
                if alias.name
                in ("environ", "getenv", "_exit", "exit", "stdout", "stderr", "stdin", "argv")
            ]
        elif (
            isinstance(node, ast.Raise)
            and node.exc is not None
            and "SystemExit" in ast.unparse(node.exc)
        ):
            found.append("SystemExit")
    return found


def too_long(tree):
    """(name, lines) of every function longer than allowed, its docstring and decorators left out."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            said = (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            )
            lines = (
                node.end_lineno
                - node.lineno
                + 1
                - (first.end_lineno - first.lineno + 1 if said else 0)
            )
            if lines > FUNCTION:
                found.append((node.name, lines))
    return found


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_its_own_floor_or_lower(module):
    """At the top and inside functions."""
    assert (
        climbs(module or "__init__", ast.parse(modules()[module].read_text(encoding="utf-8"))) == []
    )


@pytest.mark.parametrize(
    ("module", "text", "found"),
    [
        ("language.parse", "from gradcheck_cli.calculus.reverse import adjoints", ["calculus"]), ("calculus", "def f():\n    import gradcheck_cli.judge.verdict", ["judge.verdict"]),
        ("worlds.balls", "from gradcheck_cli.witnesses import reference", ["witnesses.reference"]), ("judge.kinks", "from gradcheck_cli import cli", ["cli"]),
        ("judge.kinks", "from gradcheck_cli.witnesses import Abstention", []), ("functions.page", "from gradcheck_cli.calculus.reverse import emit", ["calculus"]),
        ("functions.page", "def f():\n    from gradcheck_cli.calculus.reverse import emit", []), ("worlds.balls", "if TYPE_CHECKING:\n    from gradcheck_cli.api import check", []),
    ],
)  # fmt: skip
def test_a_climb_is_seen(module, text, found):
    """The walk can fail."""
    assert climbs(module, ast.parse(text)) == found


def test_every_module_has_a_floor_and_every_excuse_is_needed():
    """No stale entry in either table."""
    names = {name or "__init__" for name in modules()}
    assert all(floor(name) is not None for name in names)
    assert all(
        any(name == listed or name.startswith(f"{listed}.") for name in names)
        for listed in FLOORS
        if listed
    )
    climbed = {
        (module or "__init__", name)
        for module, path in modules().items()
        for name, _ in imports(ast.parse(path.read_text(encoding="utf-8")))
        if floor(name) > floor(module or "__init__")
    }
    assert set(UPWARD) <= climbed


def loaded(code):
    """Which of the heavy libraries a program has loaded when it ends."""
    tail = f"import sys, json; sys.stderr.write(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tail}"],
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=True,
    )
    return json.loads(done.stderr)


# `main` leaves by os._exit, so the command line is run through Typer's app here.
RUN = "import sys\nfrom gradcheck_cli.cli import app\nfrom gradcheck_cli.cli.arguments import in_order\ntry:\n    app(in_order({words!r}), standalone_mode=True)\nexcept SystemExit:\n    pass"


@pytest.mark.parametrize(
    "code",
    [
        RUN.format(words=["--help"]), RUN.format(words=["--version"]), RUN.format(words=["check", "--help"]), RUN.format(words=["functions"]),
        "from gradcheck_cli.language.parse import parse; parse('sigmoid(x**2) + tanh(x @ W)')", "from gradcheck_cli.functions import table; table()",
        "import gradcheck_cli; gradcheck_cli.__version__",
    ],
    ids=["help", "version", "check help", "functions", "parse", "table", "package"],
)  # fmt: skip
def test_what_needs_no_library_loads_none(code):
    """torch takes a second to import, SymPy half of one."""
    assert loaded(code) == []


def test_a_library_that_is_loaded_is_seen():
    """The look at sys.modules can fail."""
    assert loaded("import flint") == ["flint"]
    assert "sympy" in loaded("import gradcheck_cli.symbolic.symbols")


@pytest.mark.parametrize(
    "module", [name for name in modules() if name.partition(".")[0] not in SPEAKERS]
)
def test_only_the_command_line_prints_exits_or_reads_the_environment(module):
    """SymPy's process is a program of its own: it serves its two pipes."""
    allowed = {"witnesses.analyst": ["sys.stdin"]}
    assert speech(ast.parse(modules()[module].read_text(encoding="utf-8"))) == allowed.get(
        module, []
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f():\n    print(1)", ["print"]), ("import sys\nsys.exit(3)", ["sys.exit"]), ("import os\nos._exit(3)", ["os._exit"]), ("x = os.environ['HOME']", ["os.environ"]),
        ("sys.stdout.write('')", ["sys.stdout"]), ("from os import environ", ["from os import environ"]), ("raise SystemExit(1)", ["SystemExit"]), ("os.getenv('A')", ["os.getenv"]), ("printed = 'print'", []),
    ],
)  # fmt: skip
def test_speech_is_heard(text, found):
    """The walk can fail."""
    assert speech(ast.parse(text)) == found


@pytest.mark.parametrize("module", modules())
def test_no_file_is_longer_than_one_sitting(module):
    """300 lines."""
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.parametrize("module", modules())
def test_no_function_is_longer_than_a_screen(module):
    """40 lines, the docstring apart."""
    assert too_long(ast.parse(modules()[module].read_text(encoding="utf-8"))) == []


def test_a_long_function_is_seen():
    """40 lines are allowed and 41 are not, with a docstring of any length."""
    body = "    x = 1\n"
    said = '    """' + "word\n" * 30 + '    """\n'
    assert too_long(ast.parse("def f():\n" + said + body * 39)) == []
    assert too_long(ast.parse("def f():\n" + body * 39)) == []
    assert too_long(ast.parse("def f():\n" + said + body * 40)) == [("f", 41)]
    assert too_long(ast.parse("class A:\n    def f(self):\n" + "        x = 1\n" * 40)) == [
        ("f", 41)
    ]


@pytest.mark.parametrize("module", modules())
def test_nothing_is_executed_that_a_user_wrote(module):
    """No eval, exec, compile, sympify, parse_expr or lambdify anywhere in the package."""
    assert executed(ast.parse(modules()[module].read_text(encoding="utf-8"))) == []


def executed(tree):
    """Calls that would run a text as a program."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [
        func.id
        if isinstance(func, ast.Name)
        else func.attr
        if isinstance(func, ast.Attribute)
        else ""
        for func in calls
    ]
    bare = [
        func.id
        for func in calls
        if isinstance(func, ast.Name) and func.id in ("eval", "exec", "compile", "__import__")
    ]
    return bare + [
        name for name in names if name in ("sympify", "parse_expr", "lambdify", "literal_eval")
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("eval(text)", ["eval"]),
        ("sympy.sympify(text)", ["sympify"]),
        ("re.compile(text)", []),
        ("exec(text)", ["exec"]),
    ],
)
def test_execution_is_seen(text, found):
    """The walk can fail."""
    assert executed(ast.parse(text)) == found
