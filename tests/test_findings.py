"""The scripts of docs/findings are those that `--emit` writes now, and torch is still off as they say."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from update_docs import ROOT, blocks, examples

PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
FOLDER = ROOT / "docs" / "findings"
COMMANDS = [example.command for body in blocks(PAGE, "console") for example in examples(body)]


def script_of(command):
    """The file that a command writes."""
    return command.split()[-1]


def test_every_script_has_its_command():
    """On the page."""
    assert sorted(map(script_of, COMMANDS)) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.torch_fact
@pytest.mark.parametrize("command", COMMANDS, ids=script_of)
def test_a_script_is_what_is_written_and_finds_it(command, tool, tmp_path):
    """mpmath comes to the derivative that is proved, and torch does not."""
    name = script_of(command)
    assert tool.run(shlex.split(command)[1:], folder=tmp_path).returncode == 1
    assert (tmp_path / name).read_text("utf-8") == (FOLDER / name).read_text("utf-8")
    done = subprocess.run(
        [sys.executable, FOLDER / name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "wrong: off by" in done.stdout
