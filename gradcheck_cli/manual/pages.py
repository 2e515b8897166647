"""The manual, offline: sections of the pages in `docs/`, found by their headings."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from gradcheck_cli.language.errors import did_you_mean, mistake

# In reading order; a topic is a heading of the second or third level that is a single word or code.
PAGES = ("outcomes", "numerics", "language", "errors")
_HEADING = re.compile(r"^(#{2,3}) `?([a-z][a-z0-9-]*)`?$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def folder() -> Path:
    """Where the pages are: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parents[1] / "docs"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "docs"


@cache
def _sections() -> dict[str, str]:
    sections: dict[str, str] = {}
    for page in PAGES:
        text = (folder() / f"{page}.md").read_text(encoding="utf-8")
        # A comment in an example is no heading.
        outline = _CODE.sub(lambda code: " " * len(code[0]), text)
        for heading in _HEADING.finditer(outline):
            level = len(heading[1])
            end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(outline, heading.end())
            part = text[heading.start() : end.start() if end else len(text)]
            sections.setdefault(heading[2], part.strip() + "\n")
    return sections


def topics() -> list[str]:
    """Every topic, in reading order."""
    return list(_sections())


def section(topic: str) -> str:
    """The text on one topic.

    Raises:
        UserError: there is none.
    """
    known = _sections()
    word = topic.strip().lower().strip("`[]").removeprefix("error[")
    if word not in known:
        raise mistake(
            "unknown-topic",
            f"no page on `{topic}`",
            help=did_you_mean(word, known) or "`gradcheck explain` lists all topics",
        )
    return known[word]
