"""The files that other tools read - pre-commit's hooks, the GitHub action, jobs and workflows - and
docs/ci.md, which tells of them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache

import jq
import pytest
import typer
import yaml
from update_docs import ROOT

from gradcheck_cli import cli
from gradcheck_cli.starter import FIRST_SUITE, GITHUB, GITLAB, starter, write_starter
from gradcheck_cli.suites.files import PATTERNS

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
ACTION = (ROOT / "action.yml").read_text(encoding="utf-8")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def marked(mark, kind="yaml"):
    """The blocks of the page behind a comment."""
    found = re.findall(
        rf"^<!-- {re.escape(mark)} -->\n```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )
    assert found, mark
    return found


WORKFLOWS = {
    GITHUB: starter()[GITHUB],
    **{f"page:{k}": text for k, text in enumerate(marked("workflow"))},
}
GITLAB_JOBS = {GITLAB: starter(gitlab=True)[GITLAB], "page": marked("gitlab")[0]}


def refused(command):
    """What the command line has against the words of a command; nothing of one that it takes."""
    words = shlex.split(_EXPRESSION.sub("1", command))
    known = typer.main.get_command(cli.app).commands
    if words[0] != "gradcheck" or words[1] not in known:
        return f"no such command: {command}"
    try:
        found = known[words[1]]
        found.make_parser(found.context_class(found, info_name=words[1])).parse_args(words[2:])
    except Exception as error:  # noqa: BLE001 - Typer brings its own copy of the class of usage errors
        return str(error)
    return ""


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_is_one_that_pre_commit_takes(hook):
    """Keys as https://pre-commit.com/#new-hooks lists them, and a command that there is."""
    assert {"id", "name", "entry", "language"} <= set(hook)
    assert set(hook) <= {
        "id",
        "name",
        "description",
        "entry",
        "language",
        "files",
        "pass_filenames",
        "require_serial",
    }
    assert refused(f"{hook['entry']} a.gradcheck.yaml b.gradcheck.yml") == ""
    assert hook["language"] == "python"


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_takes_suites_and_no_other_file(hook):
    """pre-commit searches the pattern in the file's path."""
    suites = [f"some/{pattern.replace('*', 'first')}" for pattern in PATTERNS]
    assert all(re.search(hook["files"], name) for name in suites)
    assert not any(
        re.search(hook["files"], name)
        for name in (
            "a.yaml",
            "gradcheck.yml",
            "a.gradcheck.yaml.orig",
            "a.gradcheck.yamlx",
            "agradcheck.yaml",
        )
    )


def test_the_hooks_on_the_page_are_those_that_there_are():
    """One repository with ours, and one local hook that states it anew."""
    ours, local = (yaml.safe_load(text)["repos"][0] for text in marked("pre-commit"))
    assert [hook["id"] for hook in ours["hooks"]] == [hook["id"] for hook in HOOKS]
    lint = next(hook for hook in HOOKS if hook["id"] == "gradcheck-lint")
    assert local["hooks"] == [
        {key: lint[key] for key in ("id", "name", "entry", "files")} | {"language": "system"}
    ]
    assert next(hook for hook in HOOKS if hook["id"] == "gradcheck-run")["require_serial"] is True


# --- the action


def faults(text):
    """What is wrong with a composite action."""
    action = yaml.safe_load(text)
    steps = action["runs"]["steps"]
    inputs = set(action["inputs"])
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    found = [f"unused: {name}" for name in sorted(inputs - used)] + [
        f"unknown: {name}" for name in sorted(used - inputs)
    ]
    found += [
        f"undescribed: {name}"
        for name, item in action["inputs"].items()
        if not item.get("description") or "default" not in item
    ]
    for step in steps:
        if "run" in step:
            found += [f"no shell: {step.get('name')}"] * ("shell" not in step)
            found += [
                f"text of others in a script: {word}" for word in _EXPRESSION.findall(step["run"])
            ]
            found += [
                f"unset: {name}"
                for name in re.findall(r"\$\{?([A-Z]+)", step["run"])
                if name not in step["env"]
            ]
        elif not re.fullmatch(r"[\w./-]+@v\d+", step.get("uses", "")):
            found.append(f"no version: {step.get('uses')}")
    return found if action["runs"]["using"] == "composite" else [*found, "not composite"]


def test_the_action_is_sound():
    """Every input is used, described and never part of a script's text."""
    assert faults(ACTION) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"${suites[@]}" --format', '${{ inputs.suites }} --format', "text of others in a script: ${{ inputs.suites }}"),
        ("inputs.torch", "inputs.touch", "unused: torch"),
        ("inputs.torch", "inputs.touch", "unknown: touch"),
        ("- name: Check\n      shell: bash\n", "- name: Check\n", "no shell: Check"),
        ("        JUNIT: ${{ inputs.junit }}\n", "", "unset: JUNIT"),
        ("    description: Version of Python.\n", "", "undescribed: python-version"),
        ("setup-python@v5", "setup-python", "no version: actions/setup-python"),
        ("using: composite", "using: node20", "not composite"),
    ],
)  # fmt: skip
def test_an_unsound_action_is_noticed(old, new, fault):
    """The check above is fed actions with a fault each."""
    assert old in ACTION
    assert fault in faults(ACTION.replace(old, new))


def script(name, folder, **variables):
    """The calls of `python` and `gradcheck` that a step's script makes, as lists of words."""
    (step,) = [step for step in yaml.safe_load(ACTION)["runs"]["steps"] if step.get("name") == name]
    for tool in ("python", "gradcheck"):
        fake = folder / tool
        fake.write_text(
            f'#!{sys.executable}\nimport json, sys\nprint(json.dumps(["{tool}", *sys.argv[1:]]))\n',
            encoding="utf-8",
        )
        fake.chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **variables}
    # As GitHub starts it.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_action_installs_torch_and_then_itself_or_what_is_asked_for(tmp_path):
    """With the defaults of its inputs, and with none of them."""
    defaults = {name: item["default"] for name, item in yaml.safe_load(ACTION)["inputs"].items()}
    install = ["python", "-m", "pip", "install"]
    assert script(
        "Install",
        tmp_path,
        ACTION="/the/action",
        TORCH=defaults["torch"],
        GRADCHECK=defaults["gradcheck"],
    ) == [
        [*install, "torch", "--index-url", "https://download.pytorch.org/whl/cpu"],
        [*install, "/the/action"],
    ]
    assert script(
        "Install", tmp_path, ACTION="/the/action", TORCH="", GRADCHECK="gradcheck-cli==0.1.0"
    ) == [[*install, "gradcheck-cli==0.1.0"]]


@pytest.mark.parametrize(
    ("suites", "arguments", "junit", "words"),
    [
        (".", "", "gradcheck.xml", [".", "--format", "github", "--export", "junit:gradcheck.xml"]),
        ("a b\nc", "--dtype float32\n-k x", "", ["a", "b", "c", "--format", "github", "--dtype", "float32", "-k", "x"]),
        ("*", "$(touch pwned) ; touch pwned `touch pwned`", "a b", ["*", "--format", "github", "$(touch", "pwned)", ";", "touch", "pwned", "`touch", "pwned`", "--export", "junit:a b"]),
    ],
)  # fmt: skip
def test_the_action_hands_its_inputs_over_as_words(tmp_path, suites, arguments, junit, words):
    """Whatever stands in them is never run."""
    assert script("Check", tmp_path, SUITES=suites, ARGUMENTS=arguments, JUNIT=junit) == [
        ["gradcheck", "run", *words]
    ]
    assert not (tmp_path / "pwned").exists()


def test_the_page_tells_every_input_of_the_action():
    """In its order, with its default."""
    rows = re.findall(
        r"^\| `([\w-]+)` \| (.*) \| (.*) \|$",
        PAGE.split("| input |")[1].split("\n\n")[0],
        re.MULTILINE,
    )
    inputs = yaml.safe_load(ACTION)["inputs"]
    assert [name for name, *_ in rows] == list(inputs)
    assert all(
        default
        in (
            f"`{inputs[name]['default']}`",
            "none",
            "the version of the action itself",
            "torch for CPUs",
        )
        for name, _, default in rows
    )


# --- jobs and workflows


def commands(text):
    """Every command of the tool in a YAML file."""
    return re.findall(
        r"^\s*(?:- )?(?:run: |- )?(gradcheck (?:run|merge|lint) .*)$", text, re.MULTILINE
    )


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_sound(name):
    """Jobs with steps that do something each; commands that there are; rights that are said."""
    workflow = yaml.safe_load(WORKFLOWS[name])
    assert set(workflow) == {
        "name",
        True,
        "permissions",
        "jobs",
    }  # YAML 1.1 takes `on` for a truth value
    for job in workflow["jobs"].values():
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])
        assert not any("${{" in step.get("run", "") for step in job["steps"])
        uses = [
            step for step in job["steps"] if step.get("uses", "").startswith("OWNER/gradcheck@")
        ]
        assert all(set(step["with"]) <= set(yaml.safe_load(ACTION)["inputs"]) for step in uses)
        words = [f"gradcheck run . {step['with']['arguments']}" for step in uses]
        assert [
            fault for command in (*words, *commands(WORKFLOWS[name])) if (fault := refused(command))
        ] == []
        assert words or commands(WORKFLOWS[name])


@pytest.mark.parametrize("name", GITLAB_JOBS)
def test_a_gitlab_job_reports_what_it_writes(name):
    """Both reports are exported under the names that GitLab is given."""
    job = yaml.safe_load(GITLAB_JOBS[name])["gradcheck"]
    (command,) = commands(GITLAB_JOBS[name])
    assert refused(command) == ""
    assert {
        f"junit:{job['artifacts']['reports']['junit']}",
        f"gitlab:{job['artifacts']['reports']['codequality']}",
    } <= set(command.split())
    assert job["artifacts"]["when"] == "always"


def test_a_step_of_the_page_is_yaml_and_its_command_is_one():
    """The one that keeps the cache."""
    (text,) = marked("steps")
    assert [step.get("uses", step.get("run")) for step in yaml.safe_load(text)] == [
        "actions/cache/restore@v4",
        "gradcheck run suites --resume --format github",
        "actions/cache/save@v4",
    ]
    assert [refused(command) for command in commands(text)] == [""]


@pytest.mark.parametrize(
    "command",
    [
        "gradcheck walk suites",
        "gradcheck run suites --formats github",
        "gradcheck run suites --shard",
    ],
)
def test_a_command_that_the_tool_does_not_know_is_noticed(command):
    """The look at commands can fail."""
    assert refused(command) != ""


# --- the page


def test_the_items_on_the_page_are_those_of_the_first_suite(tmp_path):
    """As pytest prints them."""
    write_starter(tmp_path)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:hypothesispytest"),
            *("--collect-only", "-q", "suites"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        "".join(f"{line}\n" for line in done.stdout.splitlines() if "::" in line)
        == marked("collected", "text")[0]
    )
    assert f"{FIRST_SUITE}::" in done.stdout


def test_the_exit_codes_on_the_page_are_those_of_the_tool():
    """Those of README.md, in order."""
    readme = re.findall(
        r"^\| (\d+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == readme


RECIPES = re.findall(
    r"^```sh\n(gradcheck run [^\n]* \| jq [^\n]*)\n```\n```text\n(.*?)^```$",
    PAGE,
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(scope="module")
def reported(tool, tmp_path_factory):
    """What a run over the page's own suite prints in some format."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "ci.gradcheck.yaml").write_text(
        marked("suite: ci.gradcheck.yaml")[0], encoding="utf-8"
    )
    return cache(lambda *words: tool.ran(folder, *words)[1])


def answered(line, reported):
    """What a recipe prints: the options of jq that the page uses are -r and -c."""
    words = shlex.split(line)
    bar = words.index("|")
    *options, program = words[bar + 2 :]
    assert set(options) <= {"-r", "-c"}
    found = list(jq.compile(program).input_text(reported(*words[1:bar])))
    compact = {"separators": (",", ":")} if "-c" in options else {"indent": 2}

    def text(item):
        is_raw = "-r" in options and isinstance(item, str)
        return item if is_raw else json.dumps(item, ensure_ascii=False, **compact)

    return "".join(f"{text(item)}\n" for item in found)


@pytest.mark.parametrize(("line", "output"), RECIPES)
def test_a_recipe_prints_what_the_page_says(line, output, reported):
    """With libjq itself."""
    assert answered(line, reported) == output


def test_every_recipe_is_run():
    """None is written in a way that the tests above overlook."""
    assert len(RECIPES) == PAGE.count("| jq ") > 4
