"""`gradcheck init`: what it writes, what it leaves alone, and that what it writes works."""

from __future__ import annotations

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from gradcheck_cli import __version__
from gradcheck_cli.settings.values import Layer
from gradcheck_cli.starter import FIRST_SUITE, GITHUB, GITLAB, SCHEMA, starter
from gradcheck_cli.suites.read import read_suites
from gradcheck_cli.suites.schema import suite_schema

WROTE = """\
wrote suites/first.gradcheck.yaml
wrote suites/gradcheck-suite.schema.json
wrote .github/workflows/gradcheck.yml
next: gradcheck run suites
"""
KEPT = """\
kept  suites/first.gradcheck.yaml, which is there already
kept  suites/gradcheck-suite.schema.json, which is there already
kept  .github/workflows/gradcheck.yml, which is there already
next: gradcheck run suites
"""


def contents(folder):
    """Every file below a folder with its text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_starter_is_written_checked_and_kept(tool, tmp_path):
    """The suite passes as it is, `lint` finds nothing in it, a second `init` changes nothing."""
    assert tool.ran(tmp_path, "init") == (0, WROTE, "")
    assert contents(tmp_path) == starter()
    assert tool.ran(tmp_path, "lint", "suites") == (0, "1 suite, 5 cases: no mistakes found\n", "")
    code, out, err = tool.ran(tmp_path, "run", "suites")
    assert (code, out, err) == (0, "13 cases: 12 agree, 1 kink\n", "")
    (tmp_path / FIRST_SUITE).write_text("my own\n", encoding="utf-8")
    assert tool.ran(tmp_path, "init") == (0, KEPT, "")
    assert (tmp_path / FIRST_SUITE).read_text(encoding="utf-8") == "my own\n"


def test_a_job_for_gitlab_stands_in_the_place_of_the_workflow(tool, tmp_path):
    """In a folder that is made, and whose name a shell would take apart."""
    code, out, err = tool.ran(tmp_path, "init", "my project/a", "--gitlab")
    assert (code, err) == (0, "")
    assert out == (
        f"wrote my project/a/{FIRST_SUITE}\nwrote my project/a/{SCHEMA}\nwrote my project/a/{GITLAB}\n"
        "next, in .gitlab-ci.yml: include: [{local: .gitlab/gradcheck.yml}]\n"
        "next: gradcheck run 'my project/a/suites'\n"
    )
    assert set(contents(tmp_path / "my project/a")) == {FIRST_SUITE, SCHEMA, GITLAB}
    assert "next, in" not in tool.ran(tmp_path, "init", "my project/a", "--gitlab")[1]


def test_what_is_there_is_kept_and_what_is_missing_is_written(tool, tmp_path):
    """File by file."""
    (tmp_path / "suites").mkdir()
    (tmp_path / SCHEMA).write_text("{}", encoding="utf-8")
    code, out, _ = tool.ran(tmp_path, "init")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["wrote", "kept", "wrote", "next:"]
    assert (tmp_path / SCHEMA).read_text(encoding="utf-8") == "{}"


def test_a_link_to_nowhere_is_not_followed(tool, tmp_path):
    """Nothing is written outside the folder."""
    (tmp_path / "suites").mkdir()
    (tmp_path / FIRST_SUITE).symlink_to(tmp_path / "elsewhere")
    message = f"error[unwritable]: `{FIRST_SUITE}` cannot be written: File exists\n"
    assert tool.ran(tmp_path, "init") == (2, "", message)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("taken", "says"),
    [
        ("suites", f"error[unwritable]: `{FIRST_SUITE}` cannot be written: File exists\n"),
        (
            "suites/first.gradcheck.yaml/inner",
            f"error[unwritable]: `{FIRST_SUITE}` cannot be written: File exists\n",
        ),
        (".github", f"error[unwritable]: `{GITHUB}` cannot be written: Not a directory\n"),
    ],
)
def test_what_cannot_be_written_is_told(tool, tmp_path, taken, says):
    """A file where a folder should be, or a folder where a file should be."""
    (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / taken).write_text("", encoding="utf-8")
    assert tool.ran(tmp_path, "init") == (2, "", says)


def test_a_folder_that_nobody_may_write_to_is_told(tool):
    """On a file system that takes no files, so that it holds for root as well."""
    assert tool.ran("/", "init", "/proc/gradcheck") == (
        2,
        "",
        f"error[unwritable]: `/proc/gradcheck/{FIRST_SUITE}` cannot be written: "
        "No such file or directory\n",
    )


def test_the_first_suite_shows_what_there_is():
    """A kink that is expected, a matrix of dtypes, values that are known, several points, and the
    schema for an editor.
    """
    text = starter()[FIRST_SUITE]
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA.rpartition('/')[2]}\n")
    (suite,) = read_suites([(FIRST_SUITE, text)], Layer(), Layer())
    assert 4 <= len(suite.cases) <= 6
    assert any(
        case.expected is not None and case.expected.outcomes == ("kink",) for case in suite.cases
    )
    assert any(len({dtype for dtype, _ in case.runs}) > 1 for case in suite.cases)
    assert any(len(case.points) > 1 for case in suite.cases)
    assert any(case.tags for case in suite.cases)


def test_the_schema_beside_it_is_that_of_the_tool_and_accepts_it():
    """And refuses a key with a slip in it."""
    schema = json.loads(starter()[SCHEMA])
    assert schema == suite_schema()
    suite = yaml.safe_load(starter()[FIRST_SUITE])
    validator = Draft202012Validator(schema)
    assert list(validator.iter_errors(suite)) == []
    suite["cases"][0]["expression"] = suite["cases"][0].pop("expr")
    assert list(validator.iter_errors(suite)) != []


@pytest.mark.parametrize("name", [GITHUB, GITLAB])
def test_the_jobs_install_the_version_that_wrote_them(name):
    """No placeholder is left."""
    text = starter(gitlab=name == GITLAB)[name]
    assert f'pip install "gradcheck-cli=={__version__}"' in text
    assert "GRADCHECK_VERSION" not in text
