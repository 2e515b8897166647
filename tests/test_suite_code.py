"""Functions in suites: imported where the user has said so and nowhere else, each in a process of its
own, whatever it does to that.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from orphans import alive
from suites import made, ran, written

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import FORMATS, renderer
from gradcheck_cli.runs.allowing import require_allowed
from gradcheck_cli.runs.journal import Journal
from gradcheck_cli.runs.of_code import job_of
from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.run import Run
from gradcheck_cli.runs.task import Item, fingerprint, parcels
from gradcheck_cli.suites.read import read_suites

MINE = """\
import ctypes, os, sys, time
from pathlib import Path

import torch

print("noise", flush=True)
os.write(1, b"more noise")
Path("imported").touch()


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        s = torch.sigmoid(x)
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx, g):
        x, s = ctx.saved_tensors
        return g * (s + x * s * (1 - s))


class Wrong(Swish):
    @staticmethod
    def backward(ctx, g):
        x, s = ctx.saved_tensors
        return g * (s + x * s)


def square(x):
    return (x * x).sum()


def crash(x):
    ctypes.string_at(0)


def leave(x):
    os._exit(0)


def stop(x):
    sys.exit(7)


def hang(x):
    ctypes.CDLL(None).sleep(100_000)


def eat(x):
    held = []
    while True:
        held.append(b"x" * (1 << 28))


def deep(x):
    return deep(x)


def speak(x):
    print("words")
    os.write(1, b"\\0" * 7 + b"\\5words")
    return x * (3 + len(sys.stdin.read()))


def outlive(x):
    if not os.fork():
        os.setsid()
        Path("grandchild").write_text(str(os.getpid()))
        time.sleep(100_000)
    while not Path("grandchild").exists() or not Path("grandchild").read_text():
        pass
    os._exit(5)


def stain(x):
    os.environ["STAIN"] = os.getcwd()
    os.chdir("/")
    return x * x


def spotless(x):
    assert "STAIN" not in os.environ and os.getcwd() != "/"
    return x * x
"""
# Of each case what its function does, and what comes of it: status, and the reason of an error.
HARM = {
    "crash": ("error", "the check has ended its process by SIGSEGV"),
    "leave": ("error", "the check has ended its process with exit code 0"),
    "stop": ("error", "the check has ended its process with exit code 7"),
    "hang": ("error", "the check has taken longer than 1 s"),
    "eat": ("error", "the check has taken more than 1,500 MiB of memory"),
    "outlive": ("error", "the check has ended its process with exit code 5"),
    "nothing": ("error", "`mine` has no `nothing`"),
    "speak": ("pass", None),
    "stain": ("pass", None),
    "spotless": ("pass", None),
    "Wrong": ("fail", None),
    "square": ("fail", None),
    "Swish": ("pass", None),
}
# What a case says beside its function.
BESIDE = {
    "hang": ", timeout: 1",
    "square": ", expect: {value: 5, partials: {x: [2, 5], y: 1}}",
    "Swish": ", spec: x*sigmoid(x), dtype: [float64, float32], tags: good, expect: {value: {interval: [-1, 2]}}",
}


def case(name):
    """A case of one function."""
    beside = BESIDE.get(name, "")
    return f'{{id: {name}, function: "mine:{name}", args: {{x: [1, 2]}}, variants: none{beside}}}'


def read(folder, *cases):
    """The cases of a suite of these lines."""
    path = written(folder, *cases)
    (suite,) = read_suites([(path.name, path.read_text(encoding="utf-8"))], {}, {})
    return suite.cases


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    """A run over all that functions do, as its folder, exit code and JSON report."""
    folder = tmp_path_factory.mktemp("harmed")
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    written(folder, *map(case, HARM))
    words = ("--allow-import", "mine", "--max-memory", "1500MiB", "-j2", "-f", "json")
    code, out, err = ran(folder, "run", ".", *words)
    return folder, code, json.loads(out), err


def test_what_a_function_does_to_its_process_is_a_result(harmed):
    """And the next check is made, by a process in which nothing was done before."""
    _, code, report, _ = harmed
    found = [
        (c["id"].split("::")[1].split(":")[0], c["status"], c["reason"]) for c in report["cases"]
    ]
    expected = [(name, *came) for name, came in HARM.items()]
    assert found == [*expected, expected[-1]]  # the last is checked in two dtypes
    assert code == 3


def test_nothing_that_a_function_has_started_lives_on(harmed):
    """Not in a session of its own either."""
    assert not alive(int((harmed[0] / "grandchild").read_text(encoding="utf-8")))


def test_a_record_has_what_the_suite_says_of_it(harmed):
    """As that of a program has: where it stands, its number, what is expected and not met, and the
    command that makes it again.
    """
    by_id = {c["id"].split("::")[1]: c for c in harmed[2]["cases"]}
    square, wrong = by_id["square"], by_id["Wrong"]
    line = 3 + list(HARM).index("square")
    assert square["source"] == {"file": "suite.gradcheck.yaml", "line": line, "column": 5}
    assert square["position"] == list(HARM).index("square")
    assert square["unmet"] == [
        "∂f/∂x[1] is 4, expected is 5: off by 1, and 3.6e-15 is allowed",
        "`y` is expected, and is nothing that is differentiated",
    ]
    words = "--allow-import mine --max-memory 1500MiB"
    assert square["reproduce"] == f"gradcheck run suite.gradcheck.yaml -k ::square {words}"
    assert wrong["reproduce"] == "gradcheck fn mine:Wrong --arg 'x=[1, 2]'"
    assert by_id["Swish:float32"]["function"]["held_against"] == "spec"
    assert by_id["Swish:float32"]["dtype"] == "float32"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_of_functions(harmed, name):
    """What crashed, and what is wrong."""
    report = harmed[2]
    text = renderer(name)(Report(records=report["cases"], environment=report["environment"]))
    assert "Wrong" in text
    assert "SIGSEGV" in text


def test_what_failed_is_known_to_the_next_run(harmed):
    """`--last-failed` and `-k` take checks of functions like any other; nothing of them is resumed."""
    folder = harmed[0]
    words = ("--allow-import", "mine", "-f", "csv", "-k", "Wrong", "--lf", "--resume")
    code, out, err = ran(folder, "run", ".", *words)
    assert (code, out.count("mine:Wrong")) == (1, 2)
    assert "taken over" not in err


def test_nothing_is_imported_that_nobody_has_allowed(tmp_path):
    """Before anything is checked, all of it in one go, each module once; `lint` imports nothing at
    all.
    """
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    written(
        tmp_path,
        "{expr: x**2, at: {x: 3}}",
        case("Swish"),
        case("square"),
        '{id: twin, function: "math.sub:f", twin: "a b/other.py:f"}',
        '{id: skipped, function: "skipped:f", skip: not today}',
    )
    told = """\
error[import-not-allowed]: `suite.gradcheck.yaml::Swish` imports `mine`, and nobody has allowed that
 --> suite.gradcheck.yaml:4:27
  = help: to import is to run: if you trust it, add --allow-import mine
error[import-not-allowed]: `suite.gradcheck.yaml::twin` imports `a b/other.py`, and nobody has allowed that
 --> suite.gradcheck.yaml:6:26
  = help: to import is to run: if you trust it, add --allow-import 'a b/other.py'
"""
    assert ran(tmp_path, "run", ".", "--allow-import", "math") == (2, "", told)
    assert ran(tmp_path, "lint", ".")[0] == 0
    assert not (tmp_path / "imported").exists()


def test_a_configuration_allows_what_a_suite_does_not(tmp_path):
    """Paths in it are seen from its own folder."""
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    (kernels / "mine.py").write_text(MINE, encoding="utf-8")
    text = 'allow-import = ["kernels/"]\n'
    (tmp_path / "gradcheck.toml").write_text(text, encoding="utf-8")
    below = tmp_path / "below"
    below.mkdir()
    written(below, '{function: "../kernels/mine.py:square", args: {x: 3}, variants: none}')
    code, out, err = ran(below, "run", ".")
    assert (code, out, err) == (0, "1 case: 1 agree\n", "")


@pytest.mark.parametrize(
    ("title", "word", "is_allowed"),
    [
        ("a:f", "a", True),
        ("a.b:f", "a", True),
        ("a.b:f", "a.b", True),
        ("a.b.c:f", "a.b", True),
        ("a:f", "a.b", False),
        ("ab:f", "a", False),
        ("a.bc:f", "a.b", False),
        ("a.py:f", "a", False),
        ("a.py:f", "a.py", True),
        ("a.py:f", "./a.py", True),
        ("x/../a.py:f", "a.py", True),
        ("b/a.py:f", "a.py", False),
        ("b/a.py:f", "b/", True),
        ("b/../a.py:f", "b/", False),
        ("b.a:f", "b/", False),
    ],
)
def test_what_a_word_allows(title, word, is_allowed, tmp_path, monkeypatch):
    """A package what is in it, and a path the file or the folder; a file by its path alone, because
    its name says nothing of what is in it.
    """
    monkeypatch.chdir(tmp_path)
    Path("b").mkdir()
    cases = read(tmp_path, f'{{function: "{title}"}}')
    if is_allowed:
        require_allowed(cases, (word,))
    else:
        with pytest.raises(UserError, match="nobody has allowed that"):
            require_allowed(cases, (word,))


@pytest.mark.parametrize("key", ["twin", "backward"])
def test_what_stands_beside_a_function_is_imported_too(key, tmp_path):
    """And needs to be allowed."""
    cases = read(tmp_path, f'{{function: "a:f", {key}: "b:g"}}')
    with pytest.raises(UserError, match="imports `b`"):
        require_allowed(cases, ("a",))
    require_allowed(cases, ("a", "b"))


def test_a_backward_that_comes_with_the_value_is_no_import(tmp_path):
    """It has no name."""
    require_allowed(read(tmp_path, '{function: "a:f", backward: returned}'), ("a",))


def test_a_job_asks_what_the_case_says(tmp_path):
    """Every key has its place; what stands above the suite comes first."""
    text = (
        '{function: "a:f", args: {x: [[1, 0x10], [.inf, "1/2"]], how: "\'mean\'", n: null, keep: true},'
        " wrt: x, dtype: float32, device: cuda, cotangent: [1, 2], seed: 3, order: 2, strict: true,"
        " tol: {rtol: 1e-3, atol: 1}, surrogate: x**2, backward: 'a:g', variants: [large, twice],"
        " repeat: 4, timeout: 9}"
    )
    (task,) = plan(read(tmp_path, text), Selection()).tasks
    job, expected = (
        vars(job_of(task)),
        {
            "object": "a:f",
            "arguments": ("x=[[1, 0x10], [inf, 1/2]]", "how='mean'", "n=none", "keep=true"),
            "wrt": ("x",),
            "dtype": "float32",
            "device": "cuda",
            "cotangent": [1.0, 2.0],
            "seed": 3,
            "variants": ("large", "twice"),
            "order": 2,
            "tolerance": (1e-3, 1.0),
            "strict": True,
            "spec": None,
            "twin": None,
            "backward": "a:g",
            "meant": "x**2",
            "repeat": 4,
            "unmet": None,
        },
    )
    assert {name: job[name] for name in expected} == expected


def test_keys_of_programs_in_defaults_say_nothing_of_functions(tmp_path):
    """And the other way round, so that a file may hold both."""
    path = written(
        tmp_path,
        '{function: "a:f"}',
        "{expr: x**2}",
        head="defaults: {at: {x: 3}, args: {x: 4}, step: 1e-3, variants: none}",
    )
    (suite,) = read_suites([("a", path.read_text(encoding="utf-8"))], {}, {})
    code, program = suite.cases
    assert code.code.arguments == ("x=4",)
    assert len(code.points) == len(program.points) == 1
    assert (program.program.text, program.code) == ("x**2", None)


def test_functions_are_selected_like_programs(tmp_path):
    """By their name, by tags, in shards; each has a batch of its own."""
    cases = read(tmp_path, *(f'{{function: "mine:f{k}", tags: t{k % 2}}}' for k in range(4)))

    def selected(**wanted):
        return [task.case.text for task in plan(cases, Selection(**wanted)).tasks]

    assert selected(keyword="mine:f2") == ["mine:f2"]
    assert selected(tags=("t1",)) == ["mine:f1", "mine:f3"]
    assert selected(shard=(2, 2)) == ["mine:f1", "mine:f3"]
    assert [len(group) for group in parcels(plan(cases, Selection()).tasks)] == [1] * 4


def test_the_result_of_a_function_is_never_taken_over(tmp_path):
    """Its source may have changed; that of a program is."""
    chosen = plan([*read(tmp_path, '{function: "a:f"}'), made("b", "x")], Selection())
    code, program = chosen.tasks
    assert fingerprint(code, "v") == ""
    earlier = tmp_path / "earlier.tsv"
    journal = Journal(earlier, chosen.count)
    for task in chosen.tasks:
        journal.add(fingerprint(task, "v"), Item(task.position, "pass", "{}\n"))
    journal.close(keep=True)
    run = Run(chosen, Journal(None, chosen.count), "v")
    assert run.resume(earlier) == 1
    assert (run.journal.status(code.position), run.journal.status(program.position)) == (
        None,
        "pass",
    )
