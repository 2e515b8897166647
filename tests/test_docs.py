"""README.md and docs/: what can run runs here, and what they say of the code is held against the
code.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import runpy
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import pytest
import typer
from each import each
from torch_facts import facts_of, stated_versions
from update_docs import (
    GROUPS,
    PAGES,
    ROOT,
    Shell,
    blocks,
    examples,
    functions_list,
    updated,
)

from gradcheck_cli import api, cli
from gradcheck_cli.cli import streams
from gradcheck_cli.cli.arguments import COMMANDS
from gradcheck_cli.functions import table
from gradcheck_cli.manual import pages
from gradcheck_cli.records.outcome import INTERRUPTED, NOTHING_SELECTED, OUTCOMES, Cause
from gradcheck_cli.reports.json import document

PACKAGE = ROOT / "gradcheck_cli"
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
CONSOLES = [(page, body) for page, text in TEXTS.items() for body in blocks(text, "console")]


@pytest.fixture(scope="module")
def shell(tool):
    """One process for all commands."""
    with Shell(tool) as found:
        yield found


@pytest.mark.parametrize(
    ("page", "body"),
    [
        # no error hangs on what torch answers
        pytest.param(*block, marks=[] if "errors.md" in block[0] else pytest.mark.torch_fact)
        for block in CONSOLES
    ],
    ids=[f"{page}:{body.splitlines()[0][2:]}" for page, body in CONSOLES],
)
def test_a_console_block_shows_what_the_commands_print(page, body, shell):
    """`python tests/update_docs.py` refreshes a page whose output has changed for a good reason."""
    for example in examples(body):
        assert shell.answer(example) == example.output


def test_a_changed_digit_in_an_output_is_noticed_and_put_right(shell):
    """The comparison above is not a formality: one digit off, and the page is not up to date."""
    body = next(body for _, body in CONSOLES if "4501 ulp" in body)
    page = f"```console\n{body}```\n"
    assert updated(page.replace("4501 ulp", "4502 ulp"), shell) == page


def scripts():
    """Every Python block that stands for itself, with its page; rows of the table are no scripts."""
    return [
        (page, body)
        for page, text in TEXTS.items()
        for body in blocks(text, "python")
        if not body.startswith("Function(")
    ]


def printed(body, folder):
    """What a Python block prints, and what its `#>` lines say it prints."""
    file = folder / "example.py"
    file.write_text(body, encoding="utf-8")
    out = StringIO()
    with redirect_stdout(out):
        runpy.run_path(str(file))
    return out.getvalue(), "".join(
        f"{line}\n" for line in re.findall(r"^#> (.*)$", body, re.MULTILINE)
    )


@pytest.mark.torch_fact
@pytest.mark.parametrize(("page", "body"), scripts())
def test_a_python_block_prints_what_it_says(page, body, tmp_path):
    """And raises nothing."""
    found, expected = printed(body, tmp_path)
    assert found == expected


def test_a_python_block_that_lies_is_noticed(tmp_path):
    """`#>` lines are compared, not skipped."""
    found, expected = printed("print(1 + 1)\n#> 3\n", tmp_path)
    assert found != expected


@pytest.mark.parametrize(
    ("mark", "does"),
    [
        ("run", '.venv/bin/gradcheck "sigmoid(x**2)+tanh(x**3)" --at x=3'),
        ("test", ".venv/bin/python -m pytest"),
    ],
)
def test_a_setup_command_is_one_line_with_pinned_versions(mark, does):
    """What a script reads behind `<!-- setup: ... -->`: a fence, and one line in it."""
    block = README.split(f"<!-- setup: {mark} -->\n```sh\n")[1].split("```")[0]
    assert block.count("\n") == 1
    assert does in block
    assert "-c constraints.txt" in block
    assert re.search(
        r"^torch==\d", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_the_jq_filter_asks_for_keys_that_are_there():
    """`.cases[] | .reproduce, .partials[].reason`: each name is a key, wherever it is asked for."""
    (line,) = re.findall(r"jq -r '(.*)'", README)
    case = document(api.check("tanh(x)", {"x": 1}))["cases"][0]
    known = {"cases", *case, *case["partials"][0]}
    asked = re.findall(r"\.([a-z_]+)", line)
    assert asked
    assert set(asked) <= known


def test_the_exit_codes_are_those_of_the_tool():
    """Every code in README's table is one that the command line uses, and the other way round."""
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert codes == {0, 1, streams.USAGE, streams.FAILED, 4, NOTHING_SELECTED, INTERRUPTED}


def test_every_command_and_option_is_in_the_readme():
    """And none that does not exist."""
    group = typer.main.get_command(cli.app)
    assert set(group.commands) == set(COMMANDS)
    for name in set(COMMANDS) - {"check"}:
        assert f"`gradcheck {name} " in README or f"`gradcheck {name}`" in README, name
    options = {
        option
        for parameter in group.commands["check"].params
        for option in parameter.opts
        if option.startswith("--")
    } - {"--help"}
    told = set(
        re.findall(
            r"`(--[a-z-]+)", README.split("| option of `check` | meaning |")[1].split("\n\n")[0]
        )
    )
    assert told == options


# --- beside torch.autograd.gradcheck
# ----------------------------------------------------------------------------------


def functions_of_torch():
    """The programs of README's comparison, as a user of torch writes them."""
    import torch

    return {
        "sigmoid(x)": torch.sigmoid,
        "sinc(x)": torch.sinc,
        "celu(x, alpha=0.3)": lambda x: torch.nn.functional.celu(x, alpha=0.3),
        "softplus(x)": torch.nn.functional.softplus,
        "max(x, 0)": lambda x: torch.maximum(x, torch.zeros_like(x)),
        "relu(x)": torch.relu,
        "sqrt(x)": torch.sqrt,
        "log1p(exp(x))": lambda x: torch.log1p(torch.exp(x)),
        "relu(x) - relu(-x)": lambda x: torch.relu(x) - torch.relu(-x),
    }


def compared():
    """(program, point, what torch's check says, our outcome) for each row of README's comparison."""
    rows = README.split("<!-- compared -->\n")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]
    return [
        (program, at.removeprefix("x="), theirs, ours) for program, at, theirs, ours, _ in cells
    ]


@pytest.mark.torch_fact
@pytest.mark.parametrize(("program", "at", "theirs", "ours"), compared())
def test_the_comparison_with_torchs_own_check_holds(program, at, theirs, ours):
    """Both tools are asked, each with its defaults, in float64."""
    import torch

    x = torch.tensor(float(at), dtype=torch.float64, requires_grad=True)
    assert theirs == (
        "passes"
        if torch.autograd.gradcheck(functions_of_torch()[program], (x,), raise_exception=False)
        else "fails"
    )
    assert api.check(program, {"x": at}).results[0].outcome == ours


@pytest.mark.torch_fact
def test_what_the_comparison_says_is_true():
    """The figures of its last column: sinc' is 36 % off, sigmoid' answers 0 for 4.25e-18, sqrt' is
    right to the bit.
    """
    import torch

    def partial(text, at):
        return document(api.check(text, {"x": at}))["cases"][0]["partials"][0]

    assert round(partial("sinc(x)", "1e-8")["autograd"]["relative_error"], 2) == 0.36
    sigmoid = partial("sigmoid(x)", 40)
    assert (sigmoid["autograd"]["value"], f"{sigmoid['reference']['value']:.3g}") == (
        0.0,
        "4.25e-18",
    )
    assert partial("sqrt(x)", 5e-324)["autograd"]["ulps"] < 0.5
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(torch.autograd.gradcheck).parameters.items()
    }
    assert (defaults["eps"], defaults["rtol"], defaults["atol"]) == (1e-6, 1e-3, 1e-5)


@cache
def codes_in_sources():
    """Every error code that a source file of the package gives to whatever takes a `code` first."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(PACKAGE.rglob("*.py"))]
    own = [set(_takes_code(tree)) for tree in trees]
    shared = {name for names in own for name in names if not name.startswith("_")}
    assert {"Mistake", "mistake"} <= shared
    return {
        code
        for tree, names in zip(trees, own, strict=True)
        for code in _codes(tree, shared | names)
    }


def _takes_code(tree):
    """Names of functions and classes whose first argument or field is `code: str`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef)
            and node.name != "__init__"
            and _first(node.args.args) == "code: str"
        ):
            yield node.name
        if isinstance(node, ast.ClassDef):
            makers = [
                inner
                for inner in node.body
                if isinstance(inner, ast.FunctionDef) and inner.name == "__init__"
            ]
            fields = [ast.unparse(inner) for inner in node.body if isinstance(inner, ast.AnnAssign)]
            if (_first(makers[0].args.args) if makers else "".join(fields[:1])) == "code: str":
                yield node.name


def _first(arguments):
    """The first argument that is not `self`, with its annotation."""
    return next((ast.unparse(argument) for argument in arguments if argument.arg != "self"), "")


def _codes(tree, makers):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            getattr(node.func, "id", "") in makers or getattr(node.func, "attr", "") in makers
        ):
            first = next(iter(node.args), None) or next(
                keyword.value for keyword in node.keywords if keyword.arg == "code"
            )
            for value in [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]:
                passed_on = (
                    isinstance(value, ast.Name | ast.Attribute)
                    and ast.unparse(value).split(".")[-1] == "code"
                )
                assert passed_on or isinstance(value, ast.Constant), (
                    f"a code that cannot be read: {ast.unparse(node)}"
                )
                if isinstance(value, ast.Constant):
                    yield value.value


def sections(page):
    """The headings of the second level of a page."""
    return re.findall(r"^## (.*)$", TEXTS[page], re.MULTILINE)


def test_every_error_code_has_a_section_and_every_section_a_code():
    """In alphabetical order, for readers."""
    assert sections("docs/errors.md") == sorted(codes_in_sources())


def test_the_reader_of_codes_finds_a_new_one():
    """The walk over the sources is fed a file with a code of its own."""
    tree = ast.parse(
        "class Slip(Exception):\n    def __init__(self, code: str, text): ...\nraise Slip('never-heard-of', 'x')\nSlip(error.code, 'y')"
    )
    assert list(_codes(tree, set(_takes_code(tree)))) == ["never-heard-of"]


@each("code", sections("docs/errors.md"))
def test_an_example_of_an_error_raises_that_error(code):
    """Each command in a section ends in the section's own code."""
    outputs = [
        example.output
        for body in blocks(pages.section(code), "console")
        for example in examples(body)
        if not example.command.startswith("cat ")
    ]
    assert all(f"error[{code}]: " in output for output in outputs)


def test_every_outcome_has_a_section_with_an_example_of_it():
    """In the order of the page, each with at least one command that comes to this outcome."""
    assert set(sections("docs/outcomes.md")) == set(OUTCOMES)
    for outcome in OUTCOMES:
        outputs = [
            example.output
            for body in blocks(pages.section(outcome), "console")
            for example in examples(body)
        ]
        assert any(f": {outcome}: " in output for output in outputs), outcome


def test_explain_knows_every_topic(shell):
    """Outcomes, error codes and notions, each on one page alone; whole pages, causes, and what the
    glossary has beside them.
    """
    topics = shell.run("gradcheck explain").splitlines()
    assert {*OUTCOMES, *codes_in_sources(), "tolerance", "kinks", "numeric"} <= set(topics)
    headings = [
        topic
        for page in pages.PAGES
        for topic in re.findall(
            r"^#{2,3} `?([a-z][a-z0-9-]*)`?$", TEXTS[f"docs/{page}.md"], re.MULTILINE
        )
    ]
    whole = [*pages.PAGES, pages.GLOSSARY, *pages.FURTHER]
    causes = [str(cause) for cause in Cause if cause not in headings]
    heads = re.findall(r"^## (.*)$", TEXTS[f"docs/{pages.GLOSSARY}.md"], re.MULTILINE)
    entries = {word: head for head in heads for word in head.split(", ")}
    beside = [word for word in entries if word not in (*headings, *causes)]
    assert sorted([*headings, *whole, *causes, *beside]) == sorted(topics)
    for topic in topics:
        title = f"## {entries[topic] if topic in beside else topic}"
        if topic in whole:
            title = TEXTS[f"docs/{topic}.md"].partition("\n")[0]
        # What the command prints in a pipe, as `test_manual` says.
        assert pages.section(topic).startswith(f"{title}\n\n")


# --- what pages say of the code
# ---------------------------------------------------------------------------------------


def test_the_list_of_functions_is_the_table():
    """Every row, by group; `python tests/update_docs.py` writes it."""
    assert [row.name for module in GROUPS.values() for row in module.ROWS] == list(table())
    assert functions_list() in TEXTS["docs/language.md"]


def test_the_limits_are_those_of_the_code():
    """Each row of the table names a constant and its value."""
    rows = re.findall(r"^\| `([\w.]+)` \| ([\d,.]+) \|", pages.section("limits"), re.MULTILINE)
    assert len(rows) > 10
    for path, value in rows:
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(f"gradcheck_cli.{module}"), name) == float(
            value.replace(",", "")
        ), path


def test_the_roundings_are_those_of_the_code():
    """Every function named in the table counts as its row says, and every kind of count is there."""
    kinds = {}
    for c, m, functions in re.findall(
        r"^\| (\d), (\d) \| (.*) \|$", pages.section("rounding"), re.MULTILINE
    ):
        kinds[int(c), int(m)] = functions
        for name in re.findall(r"`(\w+)`", functions):
            assert table()[name].rounds == (int(c), int(m)), name
    assert set(kinds) == {row.rounds for row in table().values()}


def test_torchs_choices_at_kinks_are_those_of_the_facts():
    """A column for each known version of torch; `test_torch_facts` asks the installed one."""
    (head,) = re.findall(r"^\| program \| at \| (.*) \|$", pages.section("kinks"), re.MULTILINE)
    rows = re.findall(r"^\| `(.*)` \| (x=.*?) \| (.*) \|$", pages.section("kinks"), re.MULTILINE)
    assert len(rows) > 5
    for program, at, answers in rows:
        for column, answer in zip(head.split(" | "), answers.split(" | "), strict=True):
            facts = facts_of(column.removeprefix("torch "))
            assert (program, at, float(answer)) in facts.kinks
            assert facts.known
    assert [column.removeprefix("torch ") for column in head.split(" | ")] == stated_versions()


def test_the_rows_of_the_walk_through_are_rows_of_the_table():
    """Word for word, so that nobody copies an outdated form."""
    shown = [
        ast.dump(ast.parse(body.strip().rstrip(",")).body[0].value)
        for body in blocks(TEXTS["docs/adding-a-function.md"], "python")
    ]
    source = "".join(
        file.read_text(encoding="utf-8")
        for file in sorted((PACKAGE / "functions").glob("*.py"))
        if file.stem != "__init__"
    )
    real = {
        ast.dump(node)
        for node in ast.walk(ast.parse(source.replace("from __future__ import annotations", "")))
        if isinstance(node, ast.Call)
    }
    assert len(shown) >= 4
    assert set(shown) <= real


def test_links_between_pages_lead_somewhere():
    """Files exist, and so do the headings behind `#`."""
    for page, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if "://" not in target:
                path, _, heading = target.partition("#")
                file = (ROOT / page).parent / path
                assert file.is_file(), target
                # An address of a heading is in small letters.
                headings = file.read_text(encoding="utf-8").lower()
                assert not heading or f"## {heading}\n" in headings, target
