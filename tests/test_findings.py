"""The findings: the script that each command of the page writes shows that torch is off."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from update_docs import ROOT, blocks, examples

PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
COMMANDS = [example.command for body in blocks(PAGE, "console") for example in examples(body)]


def script_of(command):
    """The file that a command writes."""
    return command.split()[-1]


def test_every_finding_has_a_command():
    """Under each head of the page."""
    assert len(COMMANDS) == PAGE.count("\n## ") > 0


@pytest.mark.torch_fact
@pytest.mark.parametrize("command", COMMANDS, ids=script_of)
def test_a_script_finds_it(command, tool, tmp_path):
    """mpmath comes to the derivative that is proved, and torch does not."""
    assert tool.run(shlex.split(command)[1:], folder=tmp_path).returncode == 1
    words = [sys.executable, tmp_path / script_of(command)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "wrong: off by" in done.stdout
