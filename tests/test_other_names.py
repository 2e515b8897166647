"""Names that are no functions here, names of other libraries, and shapes that do not fit: what is
said, and that it is true.
"""

from __future__ import annotations

import itertools
import re

import pytest

from gradcheck_cli.functions import lookup, names, table
from gradcheck_cli.functions.other_names import ACCEPTED, INSTEAD
from gradcheck_cli.language.errors import PointError, ProgramError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.misfits import extent, misfit
from gradcheck_cli.worlds.scalars import ShapeError, expand


def test_what_is_to_be_written_instead_is_the_language():
    """Each way out is a program, and no name of it is one that has a way out."""
    for name, way_out in INSTEAD.items():
        assert name not in names(), name
        for text in re.findall(r"`([^`]+)`", way_out):
            if not text.startswith("--"):
                read_program(text)


def test_a_name_that_is_none_is_answered():
    """By what to write, whatever its case; a slip by the nearest name."""
    for text, told in {
        "sumsq(x)": "sum(x**2)",
        "Bernoulli(x)": "random",
        "sigmod(x)": "`sigmoid`",
    }.items():
        with pytest.raises(ProgramError) as caught:
            read_program(text)
        assert told in str(caught.value)


@pytest.mark.parametrize("prefix", ACCEPTED)
def test_a_name_of_another_library_is_a_row_with_settings_that_it_has(prefix):
    """And `prefix.name(...)` reads as the row with those defaults."""
    for name, elsewhere in ACCEPTED[prefix].items():
        row = lookup(elsewhere.function)
        assert set(elsewhere.defaults) <= {p.name for p in row.parsed.settings}
        inputs = ", ".join("xyz"[: max(1, len(row.parsed.args))])
        if row.parsed.args[0].kind == "condition":
            inputs = f"x > 0, {inputs[3:]}"
        tail = ", shape=(2,)" if name == "reshape" else ", dim=0" if name == "expand_dims" else ""
        program = parse(f"{prefix}.{name}({inputs}{tail})")
        call = program.nodes[program.result]
        assert call.function == row.name or row.folds
        assert dict(call.settings) == row.bound(dict(elsewhere.defaults) | dict(call.settings))


def test_defaults_are_those_of_the_library():
    """By the documentation of each; a name that is not known to be the same is refused."""
    pairs = {
        "jax.nn.gelu(x)": "gelu(x, approximate='tanh')",
        "tf.nn.leaky_relu(x)": "leaky_relu(x, negative_slope=0.2)",
        "tf.reduce_variance(x)": "var(x, correction=0)",
        "jnp.var(x)": "var(x, correction=0)",
        "tf.nn.gelu(x)": "gelu(x)",
    }
    for foreign, own in pairs.items():
        assert list(parse(foreign).nodes) == list(parse(own).nodes)
    for text in ("tf.nn.crelu(x)", "keras.activations.hard_sigmoid(x)", "jax.lax.cumsum(x)"):
        with pytest.raises(ProgramError, match="none that is known to be one of these"):
            parse(text)


def test_what_rows_are_made_of_is_no_function():
    """Nobody has it offered, and nobody can call it."""
    helpers = [row for row in table().values() if row.helper]
    assert len(helpers) >= 5
    for row in helpers:
        with pytest.raises(ProgramError, match="part of other functions"):
            args = [f"{p.name} > 0" if p.kind == "condition" else p.name for p in row.parsed.args]
            read_program(f"{row.name}({', '.join(args)})")
    # Where a row writes it, it is one.
    assert read_program("linalg_norm(x, ord=3)") is not None


def test_a_constant_is_no_input():
    """Nor is it one that a name is left for."""
    from asking import case

    with pytest.raises(PointError) as caught:
        case("e*x", "x=1,e=2")
    assert "`e` is a constant, so an input needs another name, such as `e1`" in str(caught.value)


SHAPES = [(), (3,), (4,), (2, 3), (3, 2), (2, 2), (2, 3, 4)]
NUMPY = re.compile(r"operand|gufunc|\baxis\b|\baxes\b|\barrays?\b|ndim|\barg \d|core dim|remapped")
CALLS = [
    "x @ y", "x + y", "where(x > 0, y, 1)", "stack([x, y])", "cat([x, y])", "cat([x, y], dim=1)", "sum(x, dim=2) + sum(y)", "reshape(x, 7) + sum(y)",
    "permute(x, (1, 0)) + sum(y)", "permute(x, (0, 0)) + sum(y)", "broadcast_to(x, (2, 2)) + sum(y)", "det(x) + sum(y)", "trace(x) + sum(y)",
    "outer(x, y)", "mm(x, y)", "mse_loss(x, y)", "diagonal(x, dim1=0, dim2=0) + sum(y)", "x[5] + sum(y)", "x[0, 1] + sum(y)", "squeeze(x, 1) * sum(y)",
]  # fmt: skip


@pytest.mark.parametrize("text", CALLS)
def test_a_misfit_is_told_in_words(text):
    """What each argument is, in the way people write sizes; nothing of what NumPy says."""
    program, told = parse(text), 0
    for shapes in itertools.product(SHAPES, repeat=2):
        inputs = dict(zip("xy", shapes, strict=True))
        try:
            expand(program, inputs)
        except ShapeError as error:
            message, help_ = misfit(program, error, inputs)
            told += 1
            assert not NUMPY.search(message), message
            assert message.startswith("shapes do not fit: ")
            for way in re.findall(r"`([^`]+)`", help_):
                expand(parse(way), inputs)
    assert told or text.startswith(("sum", "squeeze"))


def test_sizes():
    """As in a lecture."""
    assert [extent(shape) for shape in ((), (4,), (2, 3))] == ["a number", "4", "2x3"]
    error = ShapeError("matmul: a mismatch in its core dimension 0", 2, [(3, 2), (3,)])
    message, help_ = misfit(parse("W @ x"), error, {"W": (3, 2), "x": (3,)})
    assert message.startswith("shapes do not fit: W is 3x2, x is 3: `@` needs")
    assert help_ == "`W.T @ x` fits"
