"""Law: under a library's prefix a name means what it means in that library, or it is refused.
`library_calls` has the calls.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from gradcheck_cli.functions import constants, names, table
from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.libraries import METHODS, PREFIXES
from gradcheck_cli.language.parse import parse

from .library_calls import MODULES, shapes_of, walk
from .test_same_shapes import of_balls

# A name under a prefix that is refused whatever is given to it.
REFUSED = {
    "math.remainder", "sympy.sinc", "sympy.frac", "sympy.loggamma", "scipy.special.loggamma", "scipy.special.kl_div", "sympy.reshape",
    "sympy.expand", "sympy.cbrt", "sympy.diag", "sympy.unflatten", "np.meshgrid", "np.median", "sympy.diff", "np.vecdot", "np.linalg.vecdot", "sympy.solve", "np.pad", "torch.nn.functional.unfold",
    "sympy.interpolate", "np.nanmedian", "np.vander", "torch.vander", "torch.adaptive_max_pool1d",
}  # fmt: skip


def installed(prefix: str) -> str:
    """The prefix, if its library is here; SciPy is no requirement of this project."""
    pytest.importorskip(
        MODULES.get(prefix, "torch"), reason=f"{prefix}. needs a library that is not installed"
    )
    return prefix


# Names that are compared at least, so that no library is walked past.
COMPARED = {
    "torch": 130, "torch.nn.functional": 34, "torch.special": 36, "torch.linalg": 7, "np": 80, "np.linalg": 6, "math": 30, "sympy": 35,
    "scipy.special": 25, METHODS: 120,
}  # fmt: skip


@pytest.mark.parametrize("prefix", COMPARED)
def test_a_prefix_chooses_the_librarys_meaning(prefix):
    """Equal but for rounding, or refused; and refused whole only where that is stated."""
    found = walk(installed(prefix))
    assert not found.different
    assert len(found.compared) >= COMPARED[prefix]
    refused = {f"{prefix}.{name}" for name in found.answered - found.compared}
    assert refused <= REFUSED, refused


def test_special_is_scipys_and_torchs():
    """Whichever was imported by that name: what the two tell apart is refused or written out."""
    found = walk("special", module="torch.special")
    assert not found.different
    assert len(found.compared) >= COMPARED["torch.special"]


def test_every_prefix_is_walked():
    """Under a name of its own, or as another name of one that is."""
    assert set(MODULES) == set(PREFIXES)
    assert {MODULES[prefix] for prefix in COMPARED if prefix != METHODS} == set(MODULES.values())


@pytest.mark.parametrize("prefix", [prefix for prefix in PREFIXES if prefix not in COMPARED])
def test_another_name_of_a_library_is_read_as_the_first(prefix):
    """The same program, or the same refusal, call by call."""
    first = next(name for name in COMPARED if MODULES.get(name) == MODULES[prefix])
    for name, own in names().items():
        row = table()[own]
        if row.operator == "[]" or name in constants():
            continue
        for call in shapes_of(row):
            assert reading(f"{prefix}.{call.text(name)}") == reading(f"{first}.{call.text(name)}")


def reading(text: str) -> Any:
    """The nodes of a program, or the codes of its mistakes."""
    try:
        return parse(text).nodes
    except ProgramError as error:
        return [mistake.code for mistake in error.mistakes]


# (row, library) of every difference that is stated; what only says that torch itself refuses has no
# value to be held against.
STATED = [
    (row.name, library)
    for row in table().values()
    for library, meant in row.foreign.items()
    if not (library.startswith("torch") and isinstance(meant, Elsewhere) and meant.needs and "functional" not in library)
]  # fmt: skip
# What no number shows: NumPy's order of axes would be refused, SymPy's `div` takes no numbers, and
# torch's `gather` no index with a dim less, and its `addmm` and kin no numbers by their places; no
# target of -1 or 1 is drawn.
UNSEEN = {
    ("transpose", "np.transpose"), ("div", "sympy"), ("gather", "torch"), ("gather", METHODS), ("cosine_embedding_loss", "torch"),
    *((name, "torch") for name in ("addmm", "addmv", "addr", "addbmm", "baddbmm")),
    # Settings by their places, which the calls here give by their names, and names of SymPy's that take no numbers.
    ("aminmax", "torch"), ("quantile", "np"), ("quantile", "torch"), ("nanquantile", "np"), ("nanquantile", "torch"), ("nan_to_num", "np"),
    ("vander", "torch.linalg"), ("diff", "sympy"), ("interpolate", "sympy"),
}  # fmt: skip


@pytest.fixture
def forgetting():
    """Programs are remembered by their texts: forget them around an exchange of rows."""
    parse.cache_clear()
    yield
    parse.cache_clear()


@pytest.mark.usefixtures("forgetting")
@pytest.mark.parametrize(("name", "library"), [pair for pair in STATED if pair not in UNSEEN])
def test_a_difference_that_is_not_stated_is_seen(name, library, monkeypatch):
    """The law can fail: without what its row says of a library, a function means another one
    there.
    """
    row = table()[name]
    prefix = library if library in (*MODULES, METHODS) else library.rpartition(".")[0]
    lie = replace(row, foreign={key: meant for key, meant in row.foreign.items() if key != library})
    monkeypatch.setitem(table(), name, lie)
    assert walk(installed(prefix), [lie]).different


@pytest.mark.usefixtures("forgetting")
def test_a_wrong_default_of_a_library_is_seen(monkeypatch):
    """A row that says of NumPy's `std` that it divides by n - 2."""
    row = table()["std"]
    lie = replace(row, foreign={"np": Elsewhere(defaults={"correction": 2})})
    monkeypatch.setitem(table(), "std", lie)
    assert walk("np", [lie]).different
    assert not walk("np", [table()["var"]]).different


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4)])
@pytest.mark.filterwarnings("ignore")
def test_a_transposed_array_is_torchs_and_numpys(shape):
    """`.T` reverses the dims in both; `.mT` swaps the last two, and wants two at least."""
    array = np.arange(math.prod(shape), dtype=float).reshape(shape)
    ours = of_balls("x.T", {"x": array})
    assert ours.shape == array.T.shape == torch.tensor(array).T.shape
    assert [float(ball) for ball in ours.reshape(-1)] == array.T.reshape(-1).tolist()
    swapped = of_balls("x.mT", {"x": array})
    if len(shape) < 2:
        assert isinstance(swapped, Exception)
    else:
        assert [float(ball) for ball in swapped.reshape(-1)] == torch.tensor(array).mT.reshape(
            -1
        ).tolist()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("np.max(x, y)", "foreign-meaning"), ("np.maximum(x, y, z)", "arity"), ("np.heaviside(x, y)", "arity"), ("math.log(x, 2)", "arity"), ("np.round(x, 2)", "arity"),
        ("torch.round(x, decimals=2)", "unknown-keyword"), ("torch.softmax(x)", "foreign-meaning"), ("F.softmax(x, dim=None)", "foreign-meaning"),
        ("special.softmax(x)", "foreign-meaning"), ("torch.cumsum(x)", "foreign-meaning"), ("F.mse_loss(x, y, 'sum')", "foreign-meaning"), ("sympy.expand(x)", "foreign-meaning"),
        ("special.huber(1, x)", "unknown-function"), ("scipy.linalg.norm(x)", "unknown-prefix"), ("np.add(x, y, z)", "arity"), ("torch.div(x, y, rounding_mode='floor')", "unknown-keyword"),
    ],
)  # fmt: skip
def test_what_a_library_means_otherwise_is_refused(text, code):
    """At its place in the text, before anything is computed."""
    with pytest.raises(ProgramError) as caught:
        parse(text)
    assert [mistake.code for mistake in caught.value.mistakes] == [code]
