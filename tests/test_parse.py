"""Text to Program: what is read as what, and the whole text of every message (they stand in
`program_messages`).
"""

from __future__ import annotations

import pytest
from each import each
from program_messages import MESSAGES

from gradcheck_cli.functions import names, table
from gradcheck_cli.language.emit import MAX_MISTAKES
from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.libraries import PREFIXES
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number

# Texts that come to the same program.
SAME = {
    # calls
    "x.sum()": "sum(x)",
    "(x**2).mean()": "mean(x**2)",
    "x.softmax(-1)": "softmax(x)",
    "x.clamp(min=0)": "clamp(x, 0)",
    "x.T": "transpose(x)",
    "x.mT @ x": "transpose(x, -2, -1) @ x",
    "torch.sin(input=x)": "sin(x)",
    "hypot(other=y, x=x)": "hypot(x, y)",
    "clamp(x, max=1)": "clamp(x, -inf, 1)",
    "sum(x, axis=0, keepdims=True)": "sum(x, dim=0, keepdim=True)",
    "x.sum(0, True)": "sum(x, dim=0, keepdim=True)",
    "x.permute(1, 0)": "permute(x, dims=(1, 0))",
    "x.reshape([2, -1])": "reshape(x, 2, -1)",
    "leaky_relu(x, 0.2)": "leaky_relu(x, negative_slope=0.2)",
    "norm(x, float('inf'))": "norm(x, p=inf)",
    "norm(x, float('-inf'))": "norm(x, p=-inf)",
    "norm(x, math.inf)": "norm(x, p=inf)",
    "sum(x, dim=+1 - 2)": "sum(x, dim=-1)",
    "elu(x, -(1.50))": "elu(x, alpha=-1.5)",
    "elu(x, alpha=(\n  0.1000000000000000055511151231257827\n))": "elu(x, 0.1000000000000000055511151231257827)",
    "torch.cat([x, y], 1)": "cat(x, y, dim=1)",
    "torch.stack((x, y), dim=0)": "[x, y]",
    # what other libraries mean by a name
    "np.std(x)": "std(x, correction=0)",
    "numpy.var(x, axis=0)": "var(x, dim=0, correction=0)",
    "np.std(x, ddof=1)": "std(x)",
    "torch.std(x)": "std(x, correction=1)",
    "np.max(x, 0)": "max(x, dim=0)",
    "np.max(x, -1)": "max(x, dim=-1)",
    "torch.max(x, 0, True)": "max(x, dim=0, keepdim=True)",
    "x.min(1)": "min(x, dim=1)",
    "torch.max(x, y)": "maximum(x, y)",
    "x.max(y)": "maximum(x, y)",
    "max(x, 0)": "maximum(x, 0)",
    "max(x, -1)": "maximum(x, -1)",
    "min(x, y, 2)": "minimum(minimum(x, y), 2)",
    "sympy.Max(x, y, 1)": "maximum(maximum(x, y), 1)",
    "Max(x, exp(x) - 1, (x + 1)**2/2 - 1/2)": "maximum(maximum(x, exp(x) - 1), (x + 1)**2/2 - 1/2)",
    "Min(x, y)": "minimum(x, y)",
    # numbers
    "1_000 + 0x10 + 0b11 + 0o17": "1000 + 16 + 3 + 15",
    "x + .5 + 5.": "x + 0.5 + 5.0",
    "- -1": "1",
    "-(1)": "-1",
    "+x": "x",
    "torch.pi * np.e + math.inf": "pi * e + inf",
    "E * oo": "e * inf",
    # conditions
    "1 < x < 2": "where((1 < x) and (x < 2), 1, 0)",
    "x < y <= z != 3": "where(x < y and y <= z and z != 3, 1, 0)",
    "(x > 0)*x": "where(x > 0, 1, 0)*x",
    "a if x > 0 else b": "where(x > 0, a, b)",
    "(x > 0) & (y > 0) | ~(z > 0)": "where(x > 0 and y > 0 or not z > 0, 1, 0)",
    "mask = x > 0; torch.where(mask, x, 0*x)": "where(x > 0, x, 0*x)",
    "x.gt(0).where(x, y)": "where(x > 0, x, y)",
    # statements, lines
    "y = x**2; sin(y)": "sin(x**2)",
    "y = x\nz = y*2": "x*2",
    "x = x**2; x = x + 1; x*x": "(x**2 + 1)*(x**2 + 1)",
    "\n    y = x**2\n\n    # and\n    sin(y)  # this\n": "sin(x**2)",
    "y = x\r\ny*2\r\n": "x*2",
    "y = x\ry*2": "x*2",
    "(x\n + y)": "x + y",
    "x \\\n + y": "x + y",
    "\ufeffx + y": "x + y",
    "\tx\t+ y": "x + y",
    "x\f+ y": "x + y",
    "torch = x; torch.sin()": "sin(x)",
    "sin = x; sin(sin)": "sin(x)",
    # Python reads names in NFKC
    "ﬁ + \u00b5": "fi + \u03bc",
}

# Texts that look alike and are read differently.
DIFFERENT = [
    ("np.max(x, 0)", "max(x, 0)"),
    ("np.std(x)", "torch.std(x)"),
    ("x**-2", "x**2"),
    ("-x**2", "(-x)**2"),
    ("a - b - c", "a - (b - c)"),
    ("a**b**c", "(a**b)**c"),
    ("x + 1", "x + 1.0"),
    ("x[0]", "x[0:1]"),
    ("x[0]", "x[0, ...]"),
    ("(x < y) < z", "x < y < z"),
]

# Every way to write an index, with what is kept of it.
INDICES = {
    "x[0]": (0,),
    "x[-1]": (-1,),
    "x[1:]": (("slice", 1, None, None),),
    "x[:-1, ::2]": (("slice", None, -1, None), ("slice", None, None, 2)),
    "x[..., 0]": ("...", 0),
    "x[:, None]": (("slice", None, None, None), None),
    "x[()]": (),
    "x[1:2:3, ..., None]": (("slice", 1, 2, 3), "...", None),
}


def shape(text):
    """What a program computes, without where it is written."""
    program = parse(text)
    return program.nodes, program.outputs


def mistakes(text, **options):
    """The mistakes in a text."""
    with pytest.raises(ProgramError) as caught:
        parse(text, **options)
    return caught.value.mistakes


@pytest.mark.parametrize("text", MESSAGES, ids=lambda text: repr(text[:30]))
def test_a_message_says_what_where_and_what_instead(text):
    """The whole text: code, message, the line with carets, help; all mistakes in one go."""
    with pytest.raises(ProgramError) as caught:
        parse(text)
    assert str(caught.value) == MESSAGES[text]


@each("text", SAME)
def test_two_texts_of_one_program(text):
    """Both are read to the same nodes."""
    assert shape(text) == shape(SAME[text])


@pytest.mark.parametrize(("text", "other"), DIFFERENT)
def test_two_texts_of_two_programs(text, other):
    """What tells them apart is not lost, nor do all texts come to one program."""
    assert shape(text) != shape(other)


@pytest.mark.parametrize("text", INDICES)
def test_an_index_is_kept_as_written(text):
    """Integers, slices, new axes and dots."""
    call = parse(text).nodes[-1]
    assert call == Call("getitem", (0,), (("key", INDICES[text]),))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_is_seen_through(prefix):
    """A line copied from a notebook reads as the bare name; after an assignment the prefix is the
    user's own name.
    """
    assert shape(f"{prefix}.tanh(x)") == shape("tanh(x)")
    if "." not in prefix:
        assert shape(f"{prefix} = y; {prefix}.tanh()") == shape("tanh(y)")


@pytest.mark.parametrize(
    "text",
    [
        "os.tanh(x)", "xnp.sin(x)", "xnp.sum(x)", "xnp.sum(x, axis=0)", "xnp.mean(x, 0)", "xnp.maximum(x, y)", "xnp.hypot(x, y)", "xnp.std(x)",
        "xnp.where(x > 0, x, 0)", "xnp.clip(x, 0, 1)", "xnp.stack([x, y])", "xnp.reshape(x, (2, 3))", "tfx.nn.relu(x)", "xla.numpy.sin(x)", "a.b.c.sin(x)",
        "torch.fft.sin(x)", "scipy.sin(x)", "xnp.pi * x", "tfx.math.e * x", "np.random.sin(x)", "xnp.softplus(x)", "xnp.power(x, 2)", "self.relu(x)",
    ],
)  # fmt: skip
def test_an_unknown_prefix_is_told(text):
    """Where the call is none of a method: the prefix is what is not known, and not the number of
    arguments.
    """
    assert [m.code for m in mistakes(text)] == ["unknown-prefix"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("xnp.sin()", "sin(xnp)"), ("xnp.sum()", "sum(xnp)"), ("xnp.sum(0)", "sum(xnp, 0)"), ("a.maximum(b)", "maximum(a, b)"), ("a.hypot(b)", "hypot(a, b)"),
        ("os = x; os.tanh()", "tanh(x)"), ("x.T.sum()", "sum(x.T)"), ("a.clamp(b, 1)", "clamp(a, b, 1)"), ("a.softplus(2)", "softplus(a, beta=2)"),
    ],
)  # fmt: skip
def test_a_method_of_an_input_is_no_prefix(text, same):
    """Whatever the input is called."""
    assert shape(text) == shape(same)


@pytest.mark.parametrize(
    ("text", "code"),
    [("os = x; os.tanh(x)", "arity"), ("x.sin(y, z)", "arity"), ("os = x; os.a.tanh()", "unknown-attribute"), ("x.sun()", "unknown-function")],
)  # fmt: skip
def test_what_is_no_call_under_a_prefix_either_stays_the_mistake_it_is(text, code):
    """A name that is assigned is no prefix; arguments that fit neither reading are wrong in number."""
    assert [m.code for m in mistakes(text)] == [code]


@pytest.mark.parametrize("name", ["sinc", "frac"])
@pytest.mark.parametrize("prefix", ["sympy", "sp"])
def test_a_name_that_means_something_else_elsewhere_is_refused(prefix, name):
    """Under SymPy's prefix alone: torch and numpy mean what we mean."""
    assert [m.code for m in mistakes(f"{prefix}.{name}(x)")] == ["foreign-meaning"]
    assert shape(f"torch.{name}(x)") == shape(f"{name}(x)")


@pytest.mark.parametrize(
    "text",
    [
        "math.remainder(x, y)",
        "scipy.special.softmax(x)",
        "scipy.special.log_softmax(x)",
        "scipy.special.kl_div(x, y)",
    ],
)
def test_other_libraries_other_meanings(text):
    """Refused under their prefix, with what to write instead; read without it."""
    [mistake] = mistakes(text)
    assert mistake.code == "foreign-meaning"
    parse(mistake.message.rpartition("write ")[2])
    parse(text.rpartition(".")[2])


@each("name", names())
def test_every_name_and_alias_is_read_as_its_row(name):
    """With as many arguments as the row takes."""
    row = table()[names()[name]]
    if row.name == "getitem":
        return  # written x[0]; see MESSAGES
    kinds = [p.kind for p in row.parsed.args]
    arguments = [f"a{i} > 0" if kind == "condition" else f"a{i}" for i, kind in enumerate(kinds)]
    if row.places and not row.parsed.variadic:  # what has another place is called by its name
        pairs = zip(row.parsed.names, row.places, strict=False)
        named = [own if own != place else "" for own, place in pairs]
        named += row.parsed.names[len(named) :]
        arguments = [f"{n}={a}" if n else a for n, a in zip(named, arguments, strict=True)]
    arguments += [f"{p.name}=1" for p in row.parsed.settings if p.required]
    text = f"{name}({', '.join(arguments)})" if arguments else name
    program = parse(f"where({text}, 1, 0)" if row.condition else text)
    assert row.name in [node.function for node in program.nodes if isinstance(node, Call)]


@pytest.mark.parametrize(
    ("text", "word", "column"),
    [
        ("é + foo(x)", "foo", 4),
        ("αβγ*1 + foo(x)", "foo", 8),
        ("漢字 + foo(x)", "foo", 7),  # two columns each
        ("e\u0301 + foo(x)", "foo", 4),  # an accent of its own takes none
        ("𝑥 + foo(x)", "foo", 4),
        ("y = 'é'\nfoo(y)", "foo", 0),
        ("é = 1\nñ = é; foo(ñ)", "foo", 7),
        ("x\t+\tfoo(x)", "foo", 4),
        ("y = 漢\r\n\r\ny + \\\r\n foo(y)", "foo", 1),
    ],
)
def test_a_caret_stands_under_its_word(text, word, column):
    """Spans count characters, whatever stands before them; carets count the columns of a terminal."""
    found = [m for m in mistakes(text) if m.code == "unknown-function"]
    assert [m.text[slice(*m.span)] for m in found] == [word]
    caret = str(found[0]).splitlines()[2]
    assert caret == f"  | {' ' * column}{'^' * len(word)}"


def test_a_long_line_is_cut_around_the_place():
    """60 characters either side, and no more than 120 carets."""
    text = "x + " * 100 + "foo(y)" + " + x" * 100
    [mistake] = mistakes(text)
    _, line, caret, _ = str(mistake).splitlines()
    assert line == "  | …" + ("x + " * 15) + "foo" + ("(y)" + " + x" * 100)[:60] + "…"
    assert caret == "  | " + " " * 61 + "^^^"
    [mistake] = mistakes("lambda: " + "x" * 1000)
    assert str(mistake).splitlines()[2] == "  | " + "^" * 120


def test_a_long_name_is_cut_in_the_message():
    """A name of 60,000 characters fills no screen."""
    [mistake] = mistakes("f" * 60_000 + "(x)")
    assert mistake.message == f"no function named `{'f' * 59}…`"


def test_what_a_terminal_would_act_upon_is_not_printed():
    """Control and direction characters come out as the replacement character, in the message as in
    the line.
    """
    for text in ("\x1b[31m", "x\u202e + 1", "x + '\x07'", "x\u200b"):
        said = "\n".join(str(m) for m in mistakes(text))
        assert all(c.isprintable() or c == "\n" for c in said), said


def test_more_mistakes_than_anyone_reads_are_cut_short():
    """The first 20, and where the next one is."""
    found = mistakes("+".join(f"f{i}(x)" for i in range(1000)))
    assert [m.code for m in found] == ["unknown-function"] * MAX_MISTAKES + ["too-many"]
    assert found[-1].message == f"there are more than {MAX_MISTAKES} mistakes; here is the next"
    assert found[-1].text[slice(*found[-1].span)] == f"f{MAX_MISTAKES}"
    assert len(mistakes("+".join(f"f{i}(x)" for i in range(MAX_MISTAKES)))) == MAX_MISTAKES


@pytest.mark.parametrize("text", ["y = 2", "1; 2", "y = x; y"])
def test_a_single_expression_has_no_assignments(text):
    """What a point's value is read with."""
    [mistake] = mistakes(text, single=True)
    assert (mistake.code, mistake.message) == (
        "unsupported-syntax",
        "one expression is needed here, without assignments",
    )
    assert shape("x + 1") == (parse("x + 1", single=True).nodes, (2,))


def test_names_and_words_of_nodes():
    """The user's own names and words, for those who explain."""
    program = parse("h = x @ W  # hidden\ny = tanh(h)**2; y.sum()")
    assert list(program.names.values()) == ["h", "y"]
    assert [program.source(i) for i in range(len(program.nodes))] == [
        "x",
        "W",
        "x @ W",
        "tanh(h)",
        "2",
        "tanh(h)**2",
        "y.sum()",
    ]
    assert program.variables == ("x", "W")


def test_shared_parts_are_one_node():
    """Written twice or named once."""
    assert len(parse("sin(x)*sin(x) + sin(x)").nodes) == 4
    assert parse("sin(x)*sin(x)").nodes == parse("y = sin(x); y*y").nodes


def test_unused_assignments_leave_no_inputs():
    """Nothing is asked of `--at` for what the result does not need."""
    assert parse("y = exp(z); x**2").variables == ("x",)


def test_integers_are_exact_and_decimals_are_not():
    """Only decimals are rounded to the dtype."""
    assert [
        node for node in parse("x*3 + 0.5 + 2e0 + 10**30").nodes if isinstance(node, Number)
    ] == [
        Number(3, decimal=False),
        Number(0.5, decimal=True),
        Number(2, decimal=True),
        Number(10, decimal=False),
        Number(30, decimal=False),
    ]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("[x > 0]", "where(x > 0, 1, 0)"),
        ("2*x*[0 < x <= y]", "2*x*where(0 < x <= y, 1, 0)"),
        ("[not x > 0 or y == 1]/y", "where(not x > 0 or y == 1, 1, 0)/y"),
        ("[[x > 0], [x < 1]]", "stack([where(x > 0, 1, 0), where(x < 1, 1, 0)])"),
        ("[x > 0, x < 1]", "stack([where(x > 0, 1, 0), where(x < 1, 1, 0)])"),
        ("stack([x > 0])", "stack([where(x > 0, 1, 0)])"),
    ],
)
def test_a_condition_in_brackets_is_a_step(text, same):
    """Iverson's bracket; a list of several, or of a call, is a list."""
    assert parse(text).nodes == parse(same).nodes
