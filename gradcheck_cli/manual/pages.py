"""The manual, offline: pages of `docs/`, and their sections, found by their headings."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from gradcheck_cli.functions import names as functions
from gradcheck_cli.language.errors import did_you_mean, elide, mistake
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.settings.table import SETTINGS

# In reading order; a topic is a page, a cause, a word that heads an entry of the glossary, or a
# heading of the second or third level in one of the first four pages that is a single word or code.
PAGES = ("outcomes", "numerics", "language", "errors")
GLOSSARY = "glossary"
FURTHER = (
    "sweeps",
    "claims",
    "hunting",
    "layers",
    "lifting",
    "homework",
    "reporting",
    "suites",
    "ci",
    "configuration",
    "adding-a-function",
)
# Topics that are named to one who asks for a word in them.
_MOST = 3
_HEADING = re.compile(r"^(#{2,3}) `?([a-z][a-z0-9-]*)`?$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def folder() -> Path:
    """Where the pages are: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parents[1] / "docs"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "docs"


def _text(page: str) -> str:
    return (folder() / f"{page}.md").read_text(encoding="utf-8")


@cache
def _topics() -> dict[str, str]:
    """The text of each; of a cause its meaning."""
    causes = {str(c): f"## {c}\n\nA cause that reports name. {c.meaning}\n" for c in Cause}
    pages = {page: _text(page).strip() + "\n" for page in (*PAGES, GLOSSARY, *FURTHER)}
    return {**_entries(), **causes, **pages, **_sections()}


@cache
def _entries() -> dict[str, str]:
    """The glossary: each entry by every word in its heading."""
    _, *parts = re.split("^## ", _text(GLOSSARY), flags=re.MULTILINE)
    heads = {part.partition("\n")[0]: f"## {part.strip()}\n" for part in parts}
    return {word: text for head, text in heads.items() for word in head.split(", ")}


@cache
def _sections() -> dict[str, str]:
    sections: dict[str, str] = {}
    for page in PAGES:
        text = _text(page)
        # A comment in an example is no heading.
        outline = _CODE.sub(lambda code: " " * len(code[0]), text)
        for heading in _HEADING.finditer(outline):
            level = len(heading[1])
            end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(outline, heading.end())
            part = text[heading.start() : end.start() if end else len(text)]
            sections.setdefault(heading[2], part.strip() + "\n")
    return sections


def topics() -> list[str]:
    """Every topic, in reading order; words of the glossary, causes and whole pages last."""
    return list(dict.fromkeys((*_sections(), *_topics())))


def section(topic: str) -> str:
    """The text on one topic, however its words are joined; on one of a thing, where many are asked
    for.

    Raises:
        UserError: there is none.
    """
    word = topic.strip().lower().strip("`[]").removeprefix("error[")
    known = {_joined(name): text for name, text in _topics().items()}
    text = known.get(_joined(word)) or known.get(_joined(word).removesuffix("s"))
    if text is None:
        raise mistake("unknown-topic", f"no page on `{elide(topic)}`", help=_way_out(word))
    return text


def _joined(words: str) -> str:
    return re.sub(r"[\s_]+", "-", words)


def _way_out(word: str) -> str:
    """Where something is to be found that is no topic."""
    option = word.lstrip("-")
    if word in functions():
        return f"`{word}` is a function: `gradcheck functions {word}` shows it"
    if option in SETTINGS:
        return f"`{option}` is a setting: see `gradcheck explain configuration`"
    near, all_of_them = did_you_mean(word, topics()), "`gradcheck explain` lists all topics"
    if near or not word:
        return near or all_of_them
    places = [f"`{topic}`" for topic in _speaking_of(word)]
    return f"it is spoken of in {', '.join(places)}; {all_of_them}" if places else all_of_them


def _speaking_of(word: str) -> list[str]:
    """The topics in which a word stands, those first that have it in a heading, then those that
    have it most often.
    """
    wanted = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    heading = re.compile(rf"^#.*{wanted.pattern}", re.IGNORECASE | re.MULTILINE)
    # An entry of the glossary is named once.
    apart = {text: topic for topic, text in reversed(_topics().items())}
    texts = {topic: text for text, topic in apart.items() if topic not in (*PAGES, GLOSSARY)}
    found = {topic: len(wanted.findall(text)) for topic, text in texts.items()}
    ranked = sorted(found, key=lambda topic: (not heading.search(texts[topic]), -found[topic]))
    return [topic for topic in ranked if found[topic]][:_MOST]
