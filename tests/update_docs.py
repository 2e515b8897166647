"""The examples of README.md and docs/, run in one process.

As a script it writes the real output into the pages: `python tests/update_docs.py`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import api_page
from tool import Tool

from gradcheck_cli.functions import (
    activations,
    arithmetic,
    blends,
    class_weights,
    convolutions,
    distances,
    elementary,
    factors,
    indices,
    layers,
    linear_algebra,
    losses,
    margins,
    norms,
    order,
    parts,
    products,
    reductions,
    resizing,
    scatters,
    shapes,
    special,
    statistics,
    tensors,
    unchanged,
    windows,
)

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
GROUPS = {
    "Arithmetic, pieces and comparisons": arithmetic,
    "Elementary functions": elementary,
    "Special functions": special,
    "Activations": activations,
    "Reductions": reductions,
    "Data and areas": statistics,
    "Shapes": tensors,
    "Parts": parts,
    "Copies, turns and arrays of arrays": shapes,
    "Indices": indices,
    "Scattered and looked up": scatters,
    "Linear algebra": linear_algebra,
    "Factors and general inverses": factors,
    "Products": products,
    "Order": order,
    "Pools": windows,
    "Convolutions": convolutions,
    "Other sizes": resizing,
    "Mixed and bounded": blends,
    "The same numbers": unchanged,
    "Norms": norms,
    "Distances and attention": distances,
    "Losses": losses,
    "Weights of classes": class_weights,
    "Margins and likelihoods": margins,
    "Layers": layers,
}
_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_LIST = re.compile(r"(?<=<!-- functions: begin -->\n).*?(?=<!-- functions: end -->)", re.DOTALL)
_API = re.compile(r"(?<=<!-- api: begin -->\n).*?(?=<!-- api: end -->)", re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A command of a console block, and what stands below it."""

    command: str
    output: str


def blocks(text, kind):
    """The bodies of the fenced blocks of one kind, in order."""
    return [match["body"] for match in _BLOCK.finditer(text) if match["kind"] == kind]


def examples(body):
    """The commands of a console block with their outputs."""
    found = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
    assert not found[0], f"a console block begins with `$ `, not with {found[0]!r}"
    return [Example(*pair) for pair in zip(found[1::2], found[2::2], strict=True)]


class Shell:
    """Runs the few shell words that the pages use: gradcheck, python, echo, `|` and `; echo $?`."""

    def __init__(self, tool):
        self._tool = tool

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *error):
        self._folder.cleanup()

    def answer(self, example):
        """What the command of an example prints. The output of `cat` is a file that the page itself
        provides.
        """
        if example.command.startswith("cat "):
            file = Path(self._folder.name, example.command.removeprefix("cat "))
            file.write_text(example.output, encoding="utf-8")
            return example.output
        return self.run(example.command)

    def run(self, line):
        """What a line prints, stdout and stderr in one."""
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|;")
        lexer.whitespace_split, lexer.commenters = True, ""
        words = list(lexer)
        code_wanted = words[-3:] == [";", "echo", "$?"]
        stages, text, code = [[]], "", 0
        for word in words[:-3] if code_wanted else words:
            if word == "|":
                stages.append([])
            else:
                stages[-1].append(word)
        for stage in stages:
            text, code = self.stage(stage, text)
        return text + f"{code}\n" * code_wanted

    def stage(self, words, given):
        """(output, exit code) of one command."""
        if words[0] == "echo":
            return " ".join(words[1:]) + "\n", 0
        if words[0] == "python":
            done = subprocess.run(
                [sys.executable, *words[1:]],
                input=given,
                capture_output=True,
                text=True,
                check=False,
                cwd=self._folder.name,
            )
            return done.stdout + done.stderr, done.returncode
        assert words[0] == "gradcheck", f"an example runs gradcheck, python or echo, not {words[0]}"
        done = self._tool.run(
            words[1:],
            stdin=given,
            folder=self._folder.name,
            environment={"COLUMNS": "80"},
            merged=True,
        )
        return done.stdout, done.returncode


def functions_list():
    """The functions of the language by group, as the language page shows them."""
    written = []
    for title, module in GROUPS.items():
        calls = ", ".join(
            f"`{row.name}({row.signature})`" if row.signature else f"`{row.name}`"
            for row in module.ROWS
            if not row.helper
        )
        others = ", ".join(
            f"`{alias}` for `{row.name}`" for row in module.ROWS for alias in row.aliases
        )
        if calls:  # not one of helpers alone
            written.append(
                f"**{title}.** {calls}.\n" + (f"Other names: {others}.\n" if others else "")
            )
    return "\n" + "\n".join(written) + "\n"


def updated(text, shell):
    """A page with the outputs, the list of functions and the Python API as they are now."""

    def block(match):
        if match["kind"] != "console":
            return match[0]
        body = "".join(
            f"$ {example.command}\n{shell.answer(example)}" for example in examples(match["body"])
        )
        return f"```console\n{body}```"

    text = _LIST.sub(lambda _: functions_list(), _BLOCK.sub(block, text))
    return _API.sub(lambda _: api_page.reference(), text)


def main():
    """Rewrite every page that has changed."""
    with closing(Tool()) as tool, Shell(tool) as shell:
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            new = updated(text, shell)
            if new != text:
                page.write_text(new, encoding="utf-8")
                sys.stdout.write(f"updated {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
