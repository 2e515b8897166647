"""The command line as a user meets it: exit codes, streams, messages, formats."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from io import StringIO
from math import cos

import pytest
import torch
from clocks import HUNG
from suites import environment

from gradcheck_cli import __version__
from gradcheck_cli.cli.arguments import COMMANDS
from gradcheck_cli.functions import table
from gradcheck_cli.reports import FORMATS

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
# What a caller's environment could change; each run starts without.

# Every command that the tests below look at. (words, environment, stdin)
RUNS = {
    "agree": (["x**2", "--at", "x=3"], {"GITHUB_ACTIONS": "true", "TERM": "xterm-256color"}, None),
    "wrong": (["sqrt(x**4)", "--at", "x=0"], {}, None),
    "undefined": (["1/x", "--at", "x=0"], {}, None),
    "quiet": (["relu(x)", "--at", "x=-1:1:3", "-q"], {}, None),
    "strict": (["relu(x)", "--at", "x=0", "--strict", "-v"], {"COLUMNS": "40", "FORCE_COLOR": "1"}, None),
    "wide": (["relu(x)", "--at", "x=0", "-v"], {"COLUMNS": "400"}, None),
    "never": (["x**2", "--at", "x=3", "--color", "never"], {"FORCE_COLOR": "1"}, None),
    "stdin": (["-", "--at", "x=2", "-f", "jsonl"], {}, "y = -x**2\nsin(y)\n"),
    "dash": (["-x**2", "--at", "x=-2", "-f", "csv", "--dtype", "float32,float16"], {}, None),
    "markdown": (["x**2", "--at", "x=3", "-f", "markdown", "--rtol", "1e-9"], {}, None),
    "usage-option": (["x**2", "--at", "x=3", "--frobnicate"], {}, None),
    "usage-value": (["sigmod(x)", "--at", "x=1,y=2"], {}, None),
    "usage-file": (["@no-such-file", "--at", "x=1"], {}, None),
    "usage-color": (["x**2", "--at", "x=1", "--color", "sometimes"], {}, None),
    "usage-format": (["x**2", "--at", "x=1", "-f", "jason"], {}, None),
    "usage-export": (["x**2", "--at", "x=1", "--export", "report.xyz"], {}, None),
    "usage-device": (["x**2", "--at", "x=1", "--device", "tpu"], {}, None),
    "usage-absent": (["x**2", "--at", "x=1", "--device", "cuda:7"], {}, None),
    "version": (["--version"], {}, None),
    "help": (["--help"], {"GITHUB_ACTIONS": "true", "FORCE_COLOR": "1", "COLUMNS": "200"}, None),
    "check-help": (["check", "-h"], {}, None),
    "no-words": ([], {}, None),
    "doctor": (["doctor"], {}, None),
    "functions": (["functions"], {}, None),
    "gelu": (["functions", "gelu"], {}, None),
    "sigmod": (["functions", "sigmod"], {}, None),
    "schema": (["schema", "report"], {}, None),
    "schema-unknown": (["schema", "house"], {}, None),
    "explain": (["explain", "kink"], {}, None),
    "completion": (["--show-completion", "bash"], {}, None),
    "complete": ([], {"_GRADCHECK_COMPLETE": "complete_bash", "COMP_WORDS": "gradcheck check --dty", "COMP_CWORD": "2"}, None),
}  # fmt: skip
CODES = {
    "agree": 0,
    "wrong": 1,
    "undefined": 4,
    "quiet": 0,
    "strict": 1,
    "wide": 0,
    "never": 0,
    "stdin": 0,
    "dash": 0,
    "markdown": 0,
}


@pytest.fixture(scope="module")
def done(tool):
    """Every command of the table, finished."""
    return {
        name: tool.run(words, stdin=stdin or "", environment=environment)
        for name, (words, environment, stdin) in RUNS.items()
    }


@pytest.mark.parametrize("name", ["wrong", "strict", "stdin", "usage-value", "complete"])
def test_a_process_says_what_the_tool_says_inside_this_one(done, name):
    """Exit code and streams, for one of each kind."""
    words, variables, stdin = RUNS[name]
    found = subprocess.run(
        [sys.executable, "-m", "gradcheck_cli", *words],
        env=environment() | variables,
        input=stdin or "",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=HUNG,
        check=False,
    )
    inside = done[name]
    assert (found.returncode, found.stdout, found.stderr) == (
        inside.returncode,
        inside.stdout,
        inside.stderr,
    )


@pytest.mark.parametrize("name", CODES)
def test_exit_codes_and_streams_of_results(done, name):
    """0 as expected, 1 wrong, 4 not verified; results on stdout, nothing on stderr."""
    found = done[name]
    assert found.returncode == CODES[name]
    assert found.stdout
    assert found.stderr == ""


@pytest.mark.parametrize(
    "name", [name for name in RUNS if name.startswith("usage-")] + ["sigmod", "schema-unknown"]
)
def test_a_users_mistake_ends_with_two(done, name):
    """A message on stderr, nothing on stdout, no traceback."""
    found = done[name]
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("usage-option", "Error: No such option: --frobnicate"),
        (
            "usage-value",
            "error[unknown-function]: no function named `sigmod`\n  | sigmod(x)\n  | ^^^^^^\n"
            "  = help: did you mean `sigmoid`",
        ),
        (
            "usage-file",
            "error[unreadable]: `@no-such-file` cannot be read: No such file or directory\n",
        ),
        (
            "usage-color",
            "error[unknown-color]: no colour choice named `sometimes`\n"
            "  = help: known: auto, always, never\n",
        ),
        (
            "usage-format",
            "error[unknown-format]: no report format named `jason`\n  = help: did you mean `json`",
        ),
        (
            "usage-export",
            "error[unknown-format]: no report format is known by the ending of `report.xyz`\n"
            f"  = help: write FORMAT:FILE with one of {', '.join(FORMATS)}\n",
        ),
        (
            "usage-device",
            "error[unknown-device]: no device named `tpu`\n"
            "  = help: known: cpu, cuda, cuda:N, all\n",
        ),
        (
            "usage-absent",
            "error[absent-device]: device `cuda:7` is not present\n  = help: present: cpu",
        ),
        (
            "sigmod",
            "error[unknown-function]: no function named `sigmod`\n"
            "  = help: did you mean `sigmoid`?\n",
        ),
        (
            "schema-unknown",
            "error[unknown-schema]: no schema named `house`\n  = help: known: report, suite, sweep\n",
        ),
    ],
)
def test_a_mistake_is_told_with_a_way_out(done, name, told):
    """What was found, where, and what would be accepted."""
    assert told in done[name].stderr


def test_all_mistakes_are_told_in_one_go(tool):
    """In the program, the point and the options."""
    found = tool.run(
        ["x**2", "--at", "x=1", "--at", "y=2", "--dtype", "float65", "--rtol", "-1", "--wrt", "z"]
    )
    assert found.returncode == 2
    codes = re.findall(r"^error\[([\w-]+)\]", found.stderr, re.MULTILINE)
    assert sorted(codes) == ["bad-number", "extra-value", "unknown-dtype", "unknown-input"]


def test_a_glance_is_enough_for_a_good_result(done):
    """The table: program, point, formula, one row; no colour in a pipe, GITHUB_ACTIONS or not."""
    lines = done["agree"].stdout.splitlines()
    assert lines[0] == "x**2"
    assert lines[1] == "at x = 3; float64 on cpu"
    assert "∂f/∂x = 2*x" in lines
    assert re.search(r"^∂f/∂x .* 6\.0 .* 0 ulp .* agree$", done["agree"].stdout, re.MULTILINE)
    assert "\x1b" not in done["agree"].stdout
    assert "reproduce" not in done["agree"].stdout


def test_a_paragraph_is_there_for_a_bad_one(done):
    """Who is wrong and why, and the command that reproduces it."""
    assert "∂f/∂x: wrong: torch answers nan where the derivative is 0" in done["wrong"].stdout
    assert "reproduce: gradcheck 'sqrt(x**4)' --at x=0" in done["wrong"].stdout


def test_quiet_leaves_out_what_agrees(done):
    """A line says what came of three points, and of the one that is not plainly good."""
    (line,) = done["quiet"].stdout.splitlines()
    assert line.startswith("relu(x); float64 on cpu: 3 cases: 2 agree, 1 kink; ∂f/∂x at x = 0: ")
    assert "left derivative 0, right derivative 1" in line


def test_a_narrow_screen_gets_blocks_and_no_number_is_cut(done):
    """40 columns, coloured: every line fits, and all that the wide table says is there."""
    narrow, wide = done["strict"].stdout, done["wide"].stdout
    assert "\x1b[" in narrow
    assert "\x1b" not in wide
    plain = ESCAPE.sub("", narrow)
    assert all(len(line) <= 40 for line in plain.splitlines())
    for piece in ("left 0.0, right 1.0", "0.5", "kink", "a valid subgradient", "[x > 0]"):
        assert piece in wide
        assert " ".join(piece.split()) in " ".join(plain.split())


def test_colour_is_decided_by_the_option_first(done):
    """--color never beats FORCE_COLOR, and the text is the same."""
    assert "\x1b" not in done["never"].stdout
    assert done["never"].stdout == done["agree"].stdout


def test_a_program_from_stdin(done):
    """`-` reads all of it, several lines too."""
    (line,) = done["stdin"].stdout.splitlines()
    case = json.loads(line)
    assert case["expression"] == "y = -x**2\nsin(y)"
    assert case["partials"][0]["autograd"]["value"] == pytest.approx(-4 * cos(-4), rel=1e-12)


def test_an_expression_that_begins_with_a_minus_is_no_option(done):
    """Nor is a negative point; a comma list of dtypes checks each."""
    rows = list(csv.DictReader(StringIO(done["dash"].stdout)))
    assert [row["dtype"] for row in rows] == ["float32", "float16"]
    assert [float(row["autograd"]) for row in rows] == [4.0, 4.0]
    assert rows[0]["expression"].endswith("-x**2")


def test_markdown_and_a_tolerance_of_ones_own(done):
    """GitHub's table."""
    assert done["markdown"].stdout.startswith("## ")
    assert "| --- |" in done["markdown"].stdout


def test_reports_are_exported_in_every_format_beside_stdout(tool, tmp_path):
    """From the suffix or by name; one that cannot be written is told, the others are, and the exit
    code is 2.
    """
    program = tmp_path / "program.txt"
    program.write_text("sin(x)\n", encoding="utf-8")
    targets = [f"{name}:{tmp_path / f'report.{name}'}" for name in FORMATS]
    words = [
        f"@{program}",
        "--at",
        "x=1",
        "-f",
        "json",
        *(word for target in targets for word in ("--export", target)),
    ]
    found = tool.run([*words, "--export", "json:/dev/full", "--export", str(tmp_path / "last.md")])
    assert found.returncode == 2
    assert (
        found.stderr == "error[unwritable]: the report cannot be written to `/dev/full`: "
        "No space left on device\n"
    )
    report = json.loads(found.stdout)
    assert report["summary"] == {"agree": 1}
    assert report["command"][0] == "gradcheck"
    assert (
        json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["cases"]
        == report["cases"]
    )
    assert [
        json.loads(line)
        for line in (tmp_path / "report.jsonl").read_text(encoding="utf-8").splitlines()
    ] == report["cases"]
    assert (tmp_path / "last.md").read_text(encoding="utf-8") == (
        tmp_path / "report.markdown"
    ).read_text(encoding="utf-8")
    assert (tmp_path / "report.table").read_text(encoding="utf-8").startswith("sin(x)\n")
    assert (
        len(list(csv.DictReader(StringIO((tmp_path / "report.csv").read_text(encoding="utf-8")))))
        == 1
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "none/a.json",
            "error[unwritable]: the report cannot be written to `none/a.json`: "
            "no such folder, or no file name\n",
        ),
        (
            "md:a.md",
            "error[unknown-format]: no report format named `md`\n"
            f"  = help: known: {', '.join(FORMATS)}\n",
        ),
        (
            "a.txt2",
            "error[unknown-format]: no report format is known by the ending of `a.txt2`\n"
            f"  = help: write FORMAT:FILE with one of {', '.join(FORMATS)}\n",
        ),
    ],
)
def test_an_export_that_cannot_be_is_told_before_any_work(tool, target, said, tmp_path):
    """A wrong gradient is not hidden behind the exit code of a bad path: nothing is computed."""
    assert tool.ran(tmp_path, "x**2", "--at", "x=1", "--export", target) == (2, "", said)


def test_version_and_help(done):
    """Plain text, whole lines, no colour whatever the environment asks for."""
    assert done["version"].stdout == f"gradcheck {__version__}\n"
    for name in ("help", "check-help"):
        assert done[name].returncode == 0
        assert done[name].stderr == ""
        assert "\x1b" not in done[name].stdout
        assert "╭" not in done[name].stdout
    assert all(command in done["help"].stdout for command in COMMANDS)
    for option in (
        "--at",
        "--wrt",
        "--dtype",
        "--device",
        "--cotangent",
        "--rtol",
        "--atol",
        "--step",
        "--strict",
        "--format",
        "--export",
        "--quiet",
        "--verbose",
        "--color",
    ):
        assert option in done["check-help"].stdout


def test_no_words_at_all_show_the_help(done):
    assert done["no-words"].returncode == 2
    assert "Usage: gradcheck" in done["no-words"].stdout + done["no-words"].stderr


def test_doctor_tells_versions_and_devices(done):
    """And that SymPy's process works."""
    told = dict(line.split(maxsplit=1) for line in done["doctor"].stdout.splitlines())
    assert done["doctor"].returncode == 0
    assert told["gradcheck"] == __version__
    assert torch.__version__.startswith(told["torch"])  # wheels name their build there or not
    assert told["sympy_process"] == "answers"
    assert told["devices"].startswith("cpu")
    assert told["python"] == sys.version.split()[0]


def test_functions_lists_every_row(done):
    """One line a function; what others are made of is none."""
    found = done["functions"]
    assert found.returncode == 0
    names = [row.name for row in table().values() if not row.helper]
    assert [re.split(r"[( ]", line)[0] for line in found.stdout.splitlines()] == names


def test_functions_of_one_name_shows_its_page(done):
    """Meaning, torch's name and the derivative."""
    assert "meaning      x / 2 * (1 + erf(x / sqrt(2)))\n" in done["gelu"].stdout
    assert "torch        torch.nn.functional.gelu\n" in done["gelu"].stdout
    assert "derivative   d/dx: " in done["gelu"].stdout


def test_the_schema_describes_the_report(tool, done):
    """JSON Schema on stdout, and what the tool wrote fits it."""
    from jsonschema import Draft202012Validator

    schema = json.loads(done["schema"].stdout)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(
        json.loads(tool.run(["1/x", "--at", "x=0", "-f", "json"]).stdout)
    )


def test_explain_shows_a_page(done):
    """Offline."""
    assert done["explain"].returncode == 0
    assert "kink" in done["explain"].stdout.splitlines()[0]


def test_completion(done):
    """The script for a shell, and an option completed."""
    assert done["completion"].returncode == 0
    assert "complete -o default -F _gradcheck_completion gradcheck" in done["completion"].stdout
    assert "--dtype" in done["complete"].stdout.split()


def test_a_code_that_is_wrong_is_seen(tool):
    """The exit code comes from the verdicts: the same program away from the pole."""
    assert tool.run(["1/x", "--at", "x=1"]).returncode == 0
