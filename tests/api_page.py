"""What `docs/api.md` says of every public name: its types, and what its docstring says."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property

import gradcheck_cli

WIDTH = 88
_SECTION = re.compile(r"^(Args|Attributes|Raises):\n((?:[ ]{4}.*\n?|\n)+)", re.MULTILINE)
_ENTRY = re.compile(r"^    (\S.*?): (.*(?:\n {8}.*)*)", re.MULTILINE)
_TITLES = {"Args": "Arguments", "Attributes": "Attributes", "Raises": "Raises"}


class Undocumented(Exception):
    """A public name has no docstring."""


def reference(module=gradcheck_cli):
    """The generated part of the page: a section for each public name.

    Raises:
        Undocumented: one of them, or a public member of a class, has no docstring.
    """
    things = [(name, getattr(module, name)) for name in module.__all__ if name != "__version__"]
    # Functions first, then what they give, then what they raise.
    things.sort(key=lambda pair: (rank(pair[1]), pair[0]))
    return "\n" + "\n".join(section(name, thing) for name, thing in things) + "\n"


def rank(thing):
    """0 for functions, 1 for classes, 2 for errors."""
    if not inspect.isclass(thing):
        return 0
    return 2 if issubclass(thing, Exception) else 1


def section(name, thing):
    """The section of one name."""
    head = f"## {name}\n\n"
    if not inspect.isclass(thing):
        return head + signed(name, thing) + markdown(documented(name, thing))
    bases = [base.__name__ for base in thing.__bases__ if base is not object]
    title = fence(f"class {name}({', '.join(bases)})" if bases else f"class {name}")
    parts = [head + title + markdown(documented(name, thing), described(thing))]
    if issubclass(thing, Enum):
        parts.append("Values:\n\n" + "".join(f"- `{one}`: {one.meaning}\n" for one in thing))
    parts += [member(name, *pair) for pair in sorted(vars(thing).items()) if is_public(*pair)]
    return "\n".join(parts)


def is_public(name, thing):
    """Whether a member of a class is a method or a property under a public name."""
    kinds = (property, cached_property)
    return not name.startswith("_") and (inspect.isfunction(thing) or isinstance(thing, kinds))


def member(owner, name, thing):
    """What is said of a method or a property."""
    full = f"{owner}.{name}"
    if inspect.isfunction(thing):
        return f"### {full}\n\n" + signed(full, thing) + markdown(documented(full, thing))
    getter = thing.fget if isinstance(thing, property) else thing.func
    line = fence(f"{full}: {annotation(inspect.signature(getter).return_annotation)}")
    return f"### {full}\n\n" + line + markdown(documented(full, thing))


def documented(name, thing):
    """A docstring of its own: one that is inherited, or that a dataclass makes up, says nothing."""
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    if not text or text.startswith(f"{thing_name(thing)}("):
        raise Undocumented(name)
    return inspect.cleandoc(text) + "\n"


def thing_name(thing):
    """What it is called where it is defined; empty for a property."""
    return getattr(thing, "__name__", "")


def described(thing):
    """The types of a class's own fields."""
    if not is_dataclass(thing):
        return {}
    own = inspect.get_annotations(thing)
    return {one.name: annotation(one.type) for one in fields(thing) if one.name in own}


def markdown(text, types=None):
    """A docstring as Markdown; fields that it does not describe are listed with their types."""
    entries = {
        title: {words: " ".join(about.split()) for words, about in _ENTRY.findall(body)}
        for title, body in _SECTION.findall(text)
    }
    parts = [_SECTION.sub("", text).strip() + "\n"]
    if types:
        known = entries.pop("Attributes", {})
        lines = (f"- {typed(name, types)}{after(known.get(name))}\n" for name in types)
        parts.append("Attributes:\n\n" + "".join(lines))
    for title, listed in entries.items():
        lines = (f"- {code(words)}{after(about)}\n" for words, about in listed.items())
        parts.append(f"{_TITLES[title]}:\n\n" + "".join(lines))
    return "\n".join(parts)


def typed(name, types):
    return f"`{name}: {types[name]}`"


def after(about):
    return f": {about}" if about else ""


def code(words):
    """`rtol`, `atol` for `rtol, atol`."""
    return ", ".join(f"`{word}`" for word in words.split(", "))


def signed(name, function):
    """A call with the types of all parameters, on one line or one a line."""
    signature = inspect.signature(function)
    words, starred = [], False
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and not starred:
            words, starred = [*words, "*"], True
        words.append(parameter(one))
    back = annotation(signature.return_annotation)
    line = f"{name}({', '.join(words)}) -> {back}"
    if len(line) > WIDTH:
        inner = "".join(f"    {word},\n" for word in words)
        line = f"{name}(\n{inner}) -> {back}"
    return fence(line)


def parameter(one):
    """`name: type = default`."""
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    default = "" if one.default is one.empty else f" = {one.default!r}"
    return f"{stars}{one.name}: {annotation(one.annotation)}{default}"


def annotation(found):
    """A type as it is written."""
    return found if isinstance(found, str) else inspect.formatannotation(found)


def fence(text):
    """A block that no test runs, as one in `python` would be."""
    return f"```py\n{text}\n```\n\n"
