"""The magics in a real kernel: what they show, what they give, and how a mistake is told."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from clocks import HUNG
from test_report_html import harmless

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed (the extra `test`)")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (the extra `test`)")
pytest.importorskip("ipykernel", reason="ipykernel is not installed (the extra `test`)")

from gradcheck_cli import UserError, notebook  # noqa: E402 - IPython may be missing
from gradcheck_cli.settings.table import settings_of  # noqa: E402 - as above

ROOT = Path(__file__).parents[1]
# By name, in the order in which they run. The first is before the extension is there.
CELLS = {
    "before": "import sys, gradcheck_cli\ngradcheck_cli.check('x', {'x': 1})\nsorted(name for name in sys.modules if 'gradcheck_cli.notebook' in name)",
    "load": "%load_ext gradcheck_cli.notebook",
    "line": "%gradcheck sigmoid(x**2) + tanh(x**3) --at x=3",
    "quoted": "%gradcheck 'x**2 - 1' --at 'x=[1, 2]' -v",
    "kept": "report = %gradcheck relu(x)*y --at x=[0, 1] --at y=2 --wrt x\n(report.gradient('x'), report.truth('x'), report.exit_code)",
    "cell": "%%gradcheck --at x=[1, 2] --jacobian\ny = x - mean(x)\ny * 2",
    "every option": "strict = %gradcheck relu(x) + 0*y --at x=0,y=1 --wrt x --dtype float32 --device cpu --cotangent 2 --rtol 1e-3 --atol 0 --step 2**-10 --modes forward --strict\n(strict.exit_code, strict.records[0]['dtype'], strict.records[0]['cotangent'], strict.records[0]['reproduce'])",
    "second order": "second = %gradcheck x**3 --at x=2 --order 2\nsecond.gradient('x')",
    "quiet": "%gradcheck tanh(x) --at x=0:20:3 -q",
    "export": "%gradcheck x**2 --at x=3 --export report.json",
    "wrong": "%gradcheck sqrt(x**4) --at x=0",
    "braces": "x = 5\n%gradcheck x**2 # {x} $x --at x=3",
    "help": "%gradcheck --help",
    "no function": "%gradcheck sigmod(x) --at x=3",
    "no point": "%gradcheck x**2",
    "no program": "%gradcheck --at x=3",
    "two programs": "%gradcheck --at x=3 x**2 x**3",
    "no option": "%gradcheck x**2 --at x=3 --colour always",
    "no value": "%gradcheck x**2 --at",
    "useless": "%gradcheck x**2 --at x=3 --format json",
    "useless too": "%gradcheck x**2 --show-settings",
    "unclosed": "%gradcheck x**2 --at 'x=3",
    "program above a cell": "%%gradcheck x**2 --at x=3\nx**3",
    "options above, program below": "%%gradcheck --at x=3 x**2\nx**3",
    "nowhere to": "%gradcheck x**2 --at x=3 --export nowhere/report.json",
    "mistakes": "%gradcheck sigmod(x) --at y=q --dtype float65",
    "after": "report.exit_code",
}  # fmt: skip


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Each cell's outputs, after one kernel has run them all. A configuration file and a variable
    say what must not count.
    """
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "gradcheck.toml").write_text('dtype = "bfloat16"\nquiet = true\n')
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in CELLS.values()]
    )
    own = {
        "PYTHONPATH": str(ROOT),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "IPYTHONDIR": str(folder / "ipython"),
        "GRADCHECK_STRICT": "1",
    }
    client = nbclient.NotebookClient(
        book,
        timeout=HUNG,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(name, value)
        client.execute()
    outputs = dict(zip(CELLS, (cell.outputs for cell in book.cells), strict=True))
    return SimpleNamespace(folder=folder, outputs=outputs)


def shown(cells, name):
    """The one thing that a cell shows."""
    (output,) = cells.outputs[name]
    assert output.output_type == "execute_result", output
    return output.data


def value(cells, name):
    """The value of a cell's last line."""
    return eval(shown(cells, name)["text/plain"], {"nan": float("nan")})  # noqa: S307 - our own cell


def test_nothing_of_it_is_loaded_unless_it_is_asked_for(cells):
    """Not by a check in the same kernel; loading it shows nothing."""
    assert value(cells, "before") == []
    assert cells.outputs["load"] == []


def test_a_line_shows_its_report(cells):
    """As a page, and as the table where no page can be shown. The program needs no quotes."""
    data = shown(cells, "line")
    page = harmless(data["text/html"])
    assert "4501 ulp" in page.text
    assert "math" in page.tags
    assert data["text/plain"].startswith("sigmoid(x**2) + tanh(x**3)\nat x = 3; float64 on cpu\n")
    assert "agree" in data["text/plain"]


def test_quotes_are_as_in_a_shell(cells):
    """`-v` shows everything."""
    text = shown(cells, "quoted")["text/plain"]
    assert text.startswith("x**2 - 1\nat x = [1, 2]")
    assert "reference" in text


def test_a_line_gives_its_report(cells):
    """To whatever it is assigned to; blanks in brackets end no word."""
    assert value(cells, "kept") == ([0.0, 2.0], [None, 2.0], 0)


def test_a_cell_is_a_program(cells):
    """Its first line has the options."""
    data = shown(cells, "cell")
    assert data["text/plain"].startswith("y = x - mean(x)\ny * 2\n")
    assert "∂f[1]/∂x[0]" in data["text/plain"]


def test_every_option_that_results_depend_on_reaches_its_place(cells):
    """And neither the file nor the variable that lie beside."""
    code, dtype, cotangent, again = value(cells, "every option")
    assert (code, dtype, cotangent) == (1, "float32", 2.0)
    for word in ("--dtype float32", "--cotangent 2", "--rtol 1e-3", "--step '2**-10'", "--atol 0", "--modes forward", "--strict"):  # fmt: skip
        assert word in again, word
    asked = {row.name for row in settings_of("check") if row.matters}
    assert {word[2:] for word in CELLS["every option"].split() if word.startswith("--")} == (
        # Points are drawn where `--at` names a distribution, which this cell does not.
        asked - {"jacobian", "order", "points", "seed", "claim", "trace"}
    )
    assert value(cells, "second order") == 12.0


def test_a_quiet_report_shows_what_does_not_agree(cells):
    """Of three points one."""
    text = shown(cells, "quiet")["text/plain"]
    assert "imprecise" in text
    assert text.endswith("3 cases: 2 agree, 1 imprecise")


def test_a_report_is_exported(cells):
    """Beside the notebook, in the format that the ending tells."""
    assert "agree" in shown(cells, "export")["text/plain"]
    stored = json.loads((cells.folder / "report.json").read_text())
    assert [case["outcome"] for case in stored["cases"]] == ["agree"]


def test_a_wrong_gradient_is_no_error(cells):
    """It is what was to be found out."""
    assert "wrong" in harmless(shown(cells, "wrong")["text/html"]).texts


def test_nothing_is_evaluated_as_python(cells):
    """IPython puts the values of names in braces into the lines of other magics."""
    assert shown(cells, "braces")["text/plain"].startswith("x**2 # {x} $x\nat x = 3;")


def test_help_lists_the_options(cells):
    """As the command line does."""
    (output,) = cells.outputs["help"]
    for row in settings_of("check"):
        assert f"--{row.name}" in output.text


MISTAKES = {
    "no function": ["unknown-function"], "no point": ["missing-value"], "no program": ["empty"], "two programs": ["bad-option"],
    "no option": ["bad-option"], "no value": ["bad-option"], "useless": ["bad-option"], "useless too": ["bad-option"], "unclosed": ["bad-option"],
    "program above a cell": ["bad-option"], "options above, program below": ["bad-option"], "nowhere to": ["unwritable"],
    "mistakes": ["unknown-function", "unknown-dtype"],
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_without_a_traceback(cells, name):
    """The message of the command line alone, every mistake in one go; the cell has failed."""
    (output,) = cells.outputs[name]
    assert output.output_type == "error"
    text = "\n".join(output.traceback)
    assert text == output.evalue
    assert text.startswith("error[")
    assert "\x1b" not in text
    assert "Traceback" not in text
    for code in MISTAKES[name]:
        assert f"error[{code}]: " in text


def test_a_kernel_lives_on(cells):
    """After every mistake."""
    assert value(cells, "after") == 0


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("x**2 --at x=3", "x**2"), ("x - 1 --at x=3", "x - 1"), ("-x**2 --at x=3", "-x**2"), ("--x --at x=3", "--x"), ("--at x=3 x**2", "x**2"),
        ("'x + 1' --at x=3", "x + 1"), ('"x"+1 --at x=3', "x+1"), ("f(x, reduction='sum') --at x=3", "f(x, reduction='sum')"),
        ("\\frac{1}{x} --at x=3", "\\frac{1}{x}"), ("x --at=x=3", "x"), ("x -v --at x=3", "x"), ("x - v --at x=3,v=1", "x - v"), ("", ""),
    ],
)  # fmt: skip
def test_a_line_is_a_program_and_options(line, program, monkeypatch):
    """The program as it is written, whatever shells do to such signs; one in quotes as a shell
    has it.
    """

    def prepare(text, settings):
        raise LookupError(text)

    monkeypatch.setattr(notebook, "prepare", prepare)
    with pytest.raises(LookupError) as asked:
        notebook.gradcheck(line)
    assert asked.value.args == (program,)


def test_a_defect_keeps_its_traceback(monkeypatch):
    """What is not the user's mistake is not told as one."""

    def broken(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(notebook, "prepare", broken)
    with pytest.raises(ZeroDivisionError):
        notebook.gradcheck("x --at x=3")
    monkeypatch.setattr(notebook, "prepare", lambda *args: SimpleNamespace(watched=broken))
    with pytest.raises(ZeroDivisionError):
        notebook.gradcheck("x --at x=3")


def test_what_goes_wrong_in_a_run_is_raised(monkeypatch):
    """A user's mistake that shows late, and a defect."""
    for error, raised in ((UserError([]), notebook.MagicError), (KeyError("x"), KeyError)):
        job = SimpleNamespace(watched=lambda *args, e=error: SimpleNamespace(error=e))
        monkeypatch.setattr(notebook, "prepare", lambda *args, job=job: job)
        with pytest.raises(raised):
            notebook.gradcheck("x --at x=3")


def test_a_file_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    """Where that shows when it is tried."""
    monkeypatch.setattr(notebook, "write", lambda *args: "the disk is full")
    with pytest.raises(notebook.MagicError, match=r"error\[unwritable\].*the disk is full"):
        notebook.gradcheck(f"x --at x=3 --export {tmp_path / 'report.json'}")
