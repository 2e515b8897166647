"""The Python of a pasted cell: prompts, what was printed, magics and indentation are taken away."""

from __future__ import annotations

import re
import textwrap

_PROMPT = re.compile(r"[ \t]*(?:>>>|In ?\[[\d ]*\]:)(?: |$)")
_GOES_ON = re.compile(r"[ \t]*(?:\.\.\.|\.\.\.:)(?: |$)")
_MAGIC = re.compile(r"[ \t]*(?:%%?[A-Za-z]|![A-Za-z./]|\?{1,2}[A-Za-z])|[\w.]+\?{1,2}[ \t]*$")


def bare(text: str) -> str:
    """The lines of a cell that are Python, each where it stood; the others are left empty."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").expandtabs()
    lines = text.rstrip().split("\n")
    if any(_PROMPT.match(line) for line in lines):
        lines = _without_prompts(lines)
    return textwrap.dedent("\n".join(lines))


def without_magics(text: str) -> tuple[str, tuple[int, ...]]:
    """The same without lines that IPython alone understands, and the numbers of these lines."""
    lines = text.split("\n")
    magic = [number for number, line in enumerate(lines, 1) if _MAGIC.match(line)]
    for number in magic:
        lines[number - 1] = ""
    return "\n".join(lines), tuple(magic)


def _without_prompts(lines: list[str]) -> list[str]:
    """What was typed; what was answered is left out."""
    typed: list[str] = []
    goes_on = False
    for line in lines:
        prompt = _PROMPT.match(line) or (_GOES_ON.match(line) if goes_on else None)
        goes_on = prompt is not None
        typed.append(line[prompt.end() :] if prompt else "")
    return typed
