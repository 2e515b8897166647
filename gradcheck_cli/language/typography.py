"""Characters of print, and the signs of the language that they stand for."""

from __future__ import annotations

import re
from unicodedata import decomposition, normalize

# fmt: off
BLANKS = " \t\f\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Characters that take no room: joiners, the invisible signs of MathML, a soft hyphen.
JOINERS = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\ufe0e\ufe0f"
SIGNS = {
    **dict.fromkeys("·⋅∙•×✕✖⨯∗⁎⊙", "*"), **dict.fromkeys("÷∕", "/"), **dict.fromkeys("−–—‒―‐‑﹣", "-"), "^": "**",
    **dict.fromkeys("≤⩽≦", "<="), **dict.fromkeys("≥⩾≧", ">="), "≠": "!=", "∧": "and", "∨": "or", "¬": "not", "≔": ":=", "→": "->", "↦": "->",
    "∣": "|", "∥": "‖", "’": "'", "‘": "'", "“": '"', "”": '"',
}
# fmt: on
# The full-width forms of ASCII.
FULL_WIDTH = {0xFEE0 + place: place for place in range(0x21, 0x7F)}
# Typed like a letter, and never meant as one: `π`, and a dot that multiplies.
_NO_LETTERS = re.compile("[π·]")


def holds_signs(text: str) -> bool:
    """Whether Python takes a sign of print for a letter of a name: `2*πr`, `x·y`, `eˣ`."""
    return bool(_NO_LETTERS.search(normalize("NFKC", text))) or any(map(is_superscript, text))


def is_superscript(c: str) -> bool:
    """Whether a character is raised: a digit, a letter or a sign."""
    return c > "\x7f" and decomposition(c).startswith("<super>")


def is_subscript(c: str) -> bool:
    """Whether a character is lowered."""
    return c > "\x7f" and decomposition(c).startswith("<sub>")
