"""The house: who may import whom, what a room may hold, what stays unloaded, who may speak."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from each import each

PACKAGE = Path(__file__).parents[1] / "gradcheck_cli"
NAME = PACKAGE.name

# The floors of the house, the lowest first. A room imports rooms on lower floors, for types alone
# too. The package's own file is the ground: its version; `check()` is imported when it is asked for.
FLOORS = (
    ("__init__", "dtypes", "functions", "lean", "memory"),
    ("records", "language", "processes"),
    ("calculus", "reports"),
    ("worlds",),
    ("recording",),
    ("subjects", "symbolic"),
    ("questions",),
    ("witnesses", "settings"),
    ("judge", "claims", "diagnosis"),
    ("checks",),
    ("code", "sweeps", "hunting"),
    ("api", "suites"),
    ("manual", "runs", "lifting"),
    ("pytest_plugin", "starter"),
    ("cli",),
    ("__main__", "notebook"),
)
# The floors inside the command line: commands rest on options and streams, the entry on both.
CLI_FLOORS = (
    ("misplaced",),
    ("streams", "progress", "arguments", "paths"),
    ("context", "exports", "endings", "watching", "help_pages", "completion"),
    ("going",),
    ("shells",),
    ("options", "entry"),
    ("check", "fn", "run", "stored", "sweep", "hunt", "pages", "init", "lift"),
    ("__init__",),
)
# Imports that go up, each with its reason.
EXCUSES = {
    ("__init__", "api"): "`gradcheck_cli.check` is imported when it is first asked for",
}
# What `reports` may know beside records: how a mistake of the user's is told, how a file is read.
OF_REPORTS = {"records", "language.errors", "language.files", "__init__"}
HEAVY = ("torch", "sympy", "flint", "numpy")
STATEMENTS, COMPLEXITY, LINES, COLUMNS, TABLE_COLUMNS = 40, 12, 300, 100, 160
VAGUE = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
# Names that several modules give to the same thing of their own.
PROTOCOLS = {
    "OPERATORS": "what a file records of ATen's operators",
    "CALLS": "what a file records of NumPy's functions",
    "ROWS": "the rows that a file of the function table holds",
    "render": "what a report format is",
    "RANK": "where a report format stands in the list",
    "SUFFIXES": "the endings of a report format's files",
    "FORMULAS": "whether a report format has formulas",
}


@cache
def modules():
    """Every module by its dotted name without the package's; a package by its own."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        dotted = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        names[dotted.removesuffix(".__init__")] = path
    return names


@cache
def tree_of(module):
    """The syntax tree of a module."""
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def imports(tree):
    """Every module of the package that a syntax tree imports, at the top, in functions and for
    types.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not used in the package"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [
                name if name.removeprefix(f"{NAME}.") in modules() else node.module
                for name in whole
            ]
        else:
            continue
        for name in names:
            if name == NAME or name.startswith(f"{NAME}."):
                yield name.removeprefix(NAME).removeprefix(".") or "__init__"


def room_of(module):
    """The room that a module stands in."""
    return module.partition(".")[0] or "__init__"


def floor_of(room, floors=FLOORS):
    """The number of a room's floor."""
    return next((k for k, rooms in enumerate(floors) if room in rooms), None)


def climbs(module, tree):
    """What a module imports that is not on a lower floor than its own room."""
    own = room_of(module)
    for name in imports(tree):
        room = room_of(name)
        if room != own and not floor_of(room) < floor_of(own) and (own, room) not in EXCUSES:
            yield name


def circles(arrows):
    """The modules that lie on a circle of imports."""
    left = {module: set(names) - {module} for module, names in arrows.items()}
    while True:
        ends = {module for module, names in left.items() if not names & left.keys()}
        if not ends:
            return sorted(left)
        left = {module: names for module, names in left.items() if module not in ends}


@each("module", modules())
def test_a_room_imports_lower_floors(module):
    """At the top, inside functions and for types alone."""
    assert list(climbs(module or "__init__", tree_of(module))) == []


@pytest.mark.parametrize(
    ("module", "text", "found"),
    [
        ("language.parse", "from gradcheck_cli.calculus.reverse import adjoints", ["calculus.reverse"]),
        ("calculus.reverse", "def f():\n    import gradcheck_cli.judge.bench", ["judge.bench"]),
        ("worlds.balls", "if TYPE_CHECKING:\n    from gradcheck_cli.api import check", ["api"]),
        ("subjects.program", "from gradcheck_cli.symbolic import wire", ["symbolic.wire"]),
        ("judge.bench", "from gradcheck_cli.witnesses import Abstention", []),
        ("judge.bench", "from gradcheck_cli.judge import measure", []),
    ],
)  # fmt: skip
def test_a_climb_is_seen(module, text, found):
    """The walk can fail; a neighbour on the same floor is no lower floor."""
    assert list(climbs(module, ast.parse(text))) == found


def test_every_room_has_a_floor_and_every_excuse_is_needed():
    """No stale entry in any table."""
    rooms = {room_of(module) for module in modules()}
    assert rooms == {room for floor in FLOORS for room in floor}
    used = {(room_of(m), room_of(name)) for m in modules() for name in imports(tree_of(m))}
    assert set(EXCUSES) <= used


def test_no_circle_of_modules():
    """Types included, within a room as well."""
    arrows = {module or "__init__": set(imports(tree_of(module))) for module in modules()}
    arrows["__init__"] -= {"api"}
    assert circles(arrows) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["a", "b", "c", "d"]


def test_the_command_line_has_floors_of_its_own():
    """A command imports what it is made of, never another command."""
    files = [module.removeprefix("cli.") for module in modules() if module.startswith("cli.")]
    assert {*files, "__init__"} == {file for floor in CLI_FLOORS for file in floor}
    for file in files:
        own = (name for name in imports(tree_of(f"cli.{file}")) if name.startswith("cli."))
        inner = [name.removeprefix("cli.") for name in own]
        for name in (name for name in inner if name in files):
            assert floor_of(name, CLI_FLOORS) < floor_of(file, CLI_FLOORS), (file, name)


def strangers_to_reports(tree):
    """What a report format imports that is no record."""
    for name in imports(tree):
        if not name.startswith("reports") and not {name, room_of(name)} & OF_REPORTS:
            yield name


def test_reports_import_records_alone():
    """So that a stored report is rendered without anything that computes."""
    for module in (module for module in modules() if room_of(module) == "reports"):
        assert list(strangers_to_reports(tree_of(module))) == [], module
    assert list(strangers_to_reports(ast.parse("from gradcheck_cli.judge import measure")))


def private_imports(tree):
    """Private names that a module takes from another of the package."""
    aliases = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME):
            for alias in node.names:
                if alias.name.startswith("_") and not alias.name.startswith("__"):
                    yield alias.name
                if f"{node.module}.{alias.name}".removeprefix(f"{NAME}.") in modules():
                    aliases.add(alias.asname or alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            if private and node.value.id in aliases:
                yield f"{node.value.id}.{node.attr}"


@each("module", modules())
def test_no_private_name_crosses_a_module(module):
    """What others need has a public name."""
    assert list(private_imports(tree_of(module))) == []


def test_a_private_import_is_seen():
    """Both ways of it."""
    text = "from gradcheck_cli.worlds.balls import _walk\nfrom gradcheck_cli.worlds import balls\nballs._walk()"
    assert list(private_imports(ast.parse(text))) == ["_walk", "balls._walk"]


def public_names(tree):
    """What a module defines at its top under a public name; imported names are not its own."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            targets = [t for target in node.targets for t in ast.walk(target)]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            continue
        yield from (name for name in names if not name.startswith("_") and len(name) > 1)


def owners(named):
    """For each name of several modules those modules."""
    found = defaultdict(list)
    for module, names in named:
        for name in dict.fromkeys(names):
            found[name].append(module)
    return {name: where for name, where in found.items() if len(where) > 1}


def test_a_public_name_means_one_thing():
    """One definition in the whole package; several only of what each module has of its own."""
    several = owners((module, public_names(tree_of(module))) for module in modules())
    assert {name: where for name, where in several.items() if name not in PROTOCOLS} == {}
    assert set(PROTOCOLS) <= set(several), "no stale entry"
    assert owners([("a", ["run", "stop"]), ("b", ["run"])]) == {"run": ["a", "b"]}


def test_no_room_and_no_file_has_a_vague_name():
    """A module is named for the noun that it makes."""
    words = {part for module in modules() for part in module.split(".")}
    assert not words & VAGUE


def too_large(tree):
    """(function, statements, complexity) of every function beyond the limits."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = list(_within(node))
            statements = sum(isinstance(part, ast.stmt) for part in inner)
            if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
                statements -= 1
            branches = sum(_branches(part) for part in inner)
            if statements > STATEMENTS or 1 + branches > COMPLEXITY:
                yield node.name, statements, 1 + branches


def _within(function):
    """Every node of a function, those of functions inside it apart."""
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stack.extend(ast.iter_child_nodes(node))


def _branches(node):
    """How many ways a statement adds, as McCabe counts; conditions within an expression are read
    as one.
    """
    if isinstance(node, ast.If | ast.For | ast.While | ast.AsyncFor | ast.ExceptHandler):
        return 1
    return len(node.cases) - 1 if isinstance(node, ast.Match) else 0


@each("module", modules())
def test_a_function_fits_on_a_screen(module):
    """At most 40 statements, of complexity at most 12."""
    assert list(too_large(tree_of(module))) == []


def test_a_large_function_is_seen():
    """40 statements are allowed and 41 are not; 11 branches are and 12 are not."""
    body = "    x = 1\n"
    doc = '    """word"""\n'
    assert list(too_large(ast.parse("def f():\n" + doc + body * 40))) == []
    assert list(too_large(ast.parse("def f():\n" + body * 41))) == [("f", 41, 1)]
    branch = "    if x:\n        pass\n"
    assert list(too_large(ast.parse("def f(x):\n" + branch * 11))) == []
    assert list(too_large(ast.parse("def f(x):\n" + branch * 12))) == [("f", 24, 13)]


def wide(text):
    """The numbers of lines that are too wide: rows of tables may be wider."""
    most = COLUMNS
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*# fmt: (off|on)", line):
            most = TABLE_COLUMNS if "off" in line else COLUMNS
        pragma = re.sub(r"\s+# (noqa|type: ignore|fmt: skip).*$", "", line)
        if len(pragma) > most:
            yield number


@each("module", modules())
def test_a_file_is_read_in_one_sitting(module):
    """At most 300 lines of at most 100 columns, rows of tables 160."""
    text = modules()[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES
    assert list(wide(text)) == []


def test_a_wide_line_is_seen():
    """Also behind a table; the reason of an ignored rule does not count."""
    row = "x" * 120
    assert list(wide(f"# fmt: off\n{row}\n# fmt: on\n{row}")) == [4]
    assert list(wide(f"# fmt: off\n{'x' * 161}")) == [2]
    assert list(wide(f"x = 1  # noqa: S101 - {row}")) == []


def loaded(code):
    """Which of the heavy libraries a program has loaded when it ends."""
    tail = f"import sys, json; sys.stderr.write(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tail}"], capture_output=True, text=True, check=True
    )
    return json.loads(done.stderr)


# `main` leaves by os._exit, so the command line is run through Typer's app here.
RUN = """import sys
from gradcheck_cli.cli import app
from gradcheck_cli.cli.arguments import in_order
try:
    app(in_order({words!r}), standalone_mode=True)
except SystemExit:
    pass"""


@pytest.mark.parametrize(
    "code",
    [
        RUN.format(words=["--help"]), RUN.format(words=["--version"]), RUN.format(words=["check", "--help"]), RUN.format(words=["functions"]),
        "from gradcheck_cli.language.parse import parse; parse('sigmoid(x**2) + tanh(x @ W)')", "from gradcheck_cli.functions import table; table()",
        "import gradcheck_cli; gradcheck_cli.__version__", "from gradcheck_cli.records import outcome, record, report, status",
    ],
    ids=["help", "version", "check help", "functions", "parse", "table", "package", "records"],
)  # fmt: skip
def test_what_needs_no_library_loads_none(code):
    """torch takes a second to import, SymPy half of one."""
    assert loaded(code) == []


def test_a_library_that_is_loaded_is_seen():
    """The look at sys.modules can fail."""
    assert loaded("import flint") == ["flint"]
    assert "sympy" in loaded("import gradcheck_cli.symbolic.symbols")


STREAMS = (
    "sys.exit", "sys.stdout", "sys.stderr", "sys.stdin", "sys.argv", "os._exit", "os.environ", "os.getenv", "os.putenv", "os.abort",
)  # fmt: skip


def speech(tree):
    """Where a syntax tree prints, exits, or reads the environment or the standard streams."""
    words = ("print", "exit", "quit", "input", "breakpoint")
    names = {name.partition(".")[2] for name in STREAMS}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in words:
            found.append(node.func.id)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in STREAMS:
            found.append(ast.unparse(node))
        elif isinstance(node, ast.ImportFrom) and node.module in ("os", "sys"):
            taken = (alias.name for alias in node.names if alias.name in names)
            found += [f"from {node.module} import {name}" for name in taken]
        elif isinstance(node, ast.Raise) and node.exc and "SystemExit" in ast.unparse(node.exc):
            found.append("SystemExit")
    return found


# A child starts in the environment of its parent, less the entries that mean the working directory.
SERVES = {"processes": {"os.environ"}}


@each("module", [name for name in modules() if room_of(name) != "cli"])
def test_only_the_command_line_prints_exits_or_reads_the_environment(module):
    """Results and messages are values everywhere else."""
    assert set(speech(tree_of(module))) <= SERVES.get(module, set())


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


def executed(tree):
    """Calls that would run a text as a program."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    bare = [func.id for func in calls if isinstance(func, ast.Name)]
    names = bare + [func.attr for func in calls if isinstance(func, ast.Attribute)]
    found = [name for name in bare if name in ("eval", "exec", "compile", "__import__")]
    return found + [
        name for name in names if name in ("sympify", "parse_expr", "lambdify", "literal_eval")
    ]


@each("module", modules())
def test_nothing_is_executed_that_a_user_wrote(module):
    """No eval, exec, compile, sympify, parse_expr or lambdify anywhere in the package."""
    assert executed(tree_of(module)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("eval(text)", ["eval"]), ("sympy.sympify(text)", ["sympify"]), ("re.compile(text)", []), ("exec(text)", ["exec"])],
)  # fmt: skip
def test_execution_is_seen(text, found):
    """The walk can fail."""
    assert executed(ast.parse(text)) == found
