"""Commands of LaTeX, and what they stand for."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# fmt: off
_SIGNS = {
    "*": "cdot times ast odot star", "/": "div", "±": "pm", "<=": "le leq leqslant", ">=": "ge geq geqslant", "!=": "ne neq", "<": "lt", ">": "gt",
    "and": "land wedge", "or": "lor vee", "not": "lnot neg", "->": "to mapsto rightarrow", ":=": "coloneqq", "∂": "partial", "=": "equiv",
}
GLYPHS = {word: sign for sign, words in _SIGNS.items() for word in words.split()}
BRACKETS = {"lfloor": "⌊", "lceil": "⌈", "{": "{", "lbrace": "{", "lbrack": "(", "rfloor": "⌋", "rceil": "⌉", "}": "}", "rbrace": "}", "rbrack": ")"}
BARS = {
    "lvert": ("bar", "("), "rvert": ("bar", ")"), "vert": ("bar", "|"), "mid": ("bar", "|"), "lVert": ("doublebar", "("), "rVert": ("doublebar", ")"),
    "Vert": ("doublebar", "‖"), "|": ("doublebar", "‖"),
}
# Signs by names of their own: a transposed matrix, a degree.
LETTERS = {"infty": "inf", "ell": "ell", "hbar": "hbar", "top": "⊤", "intercal": "⊤", "circ": "°"}
SPACES = {" ", "\n"} | _words(
    ", : ; ! > / quad qquad displaystyle textstyle limits nolimits nonumber notag middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr"
)
FONTS = _words(
    "mathbf boldsymbol bm mathit mathsf mathtt mathcal mathrm operatorname operatorname* mathop text textrm textbf textit texttt mbox vec"
)
ACCENTS = _words("hat bar tilde widehat widetilde overline check breve")
FRACTIONS = _words("frac dfrac tfrac cfrac")
RADICALS = _words("sqrt")
FRAMES = _words("equation equation* align align* aligned gather gather* split displaymath math multline multline*")
# What has an index, a limit or limits of its own.
REFUSED = _words("sum prod int iint oint lim limsup liminf nabla binom")
# fmt: on
