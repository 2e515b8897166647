"""Settings of a case: the command line above the case, its file's defaults, and the configuration."""

from __future__ import annotations

import pickle

import pytest

from gradcheck_cli.judge.evidence import Tolerance
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings.values import read_layer
from gradcheck_cli.suites.read import read_suites
from gradcheck_cli.suites.spec import Exclusion

CASE = "expr: x*y\n    at: {x: 1, y: 2}"


def layer(called="--{}", **texts):
    """What a layer says in these words."""
    unread = {}
    found = read_layer(texts, unread, called)
    if unread:
        raise UserError([mistake for mistakes in unread.values() for mistake in mistakes])
    return found


def case(own="", defaults="{}", over=None, under=None):
    """The one case of a suite, its own keys on lines of their own."""
    text = f"version: 1\ndefaults: {defaults}\ncases:\n  - {CASE}\n" + "".join(
        f"    {line}\n" for line in own.splitlines()
    )
    (suite,) = read_suites([("a", text)], over or {}, under or {})
    return suite.cases[0]


def said(**options):
    """What is said of a case or of a layer that is refused."""
    with pytest.raises(UserError) as caught:
        case(**options)
    return str(caught.value)


# What each key is built in as, and how the four layers say it: (configuration, defaults, case,
# command line).
LAYERS = {
    "dtype": (
        ("float64",),
        ("float32", "float32"),
        ("float16", "float16"),
        ("bfloat16", "bfloat16"),
        ("float64,float16", "float64,float16"),
    ),
    "device": (
        ("cpu",),
        ("cuda", "cuda"),
        ("cuda:1", "cuda:1"),
        ("cuda:2", "cuda:2"),
        ("cuda:3", "cuda:3"),
    ),
    "wrt": (("x", "y"), ("x", "x"), ("y", "y"), ("[y, x]", "y,x"), ("x", "x")),
    "step": (None, ("0.5", "0.5"), ("0.25", "0.25"), ("2**-3", "2**-3"), ("2**-4", "2**-4")),
    "modes": (
        (),
        ("forward", "forward"),
        ("vmap", "vmap"),
        ("[vmap, forward]", "vmap,forward"),
        ("create_graph", "create_graph"),
    ),
    "timeout": (None, ("1", "1"), ("2", "2"), ("3", "3"), ("0.5", "0.5")),
    "strict": (False, ("true", True), ("false", False), ("true", True), ("false", False)),
}


def seen(found, key):
    """What came of a key."""
    position = {"dtype": 0, "device": 1}.get(key)
    return getattr(found, key) if position is None else tuple(run[position] for run in found.runs)


def meant(key, value):
    """What a layer's word means."""
    if key in ("dtype", "device", "wrt"):
        return tuple(value.strip("[]").replace(" ", "").split(","))
    if key == "modes":
        return ("reverse", *value.split(","))
    return (
        value
        if isinstance(value, bool)
        else {"2**-3": 0.125, "2**-4": 0.0625}.get(value) or float(value)
    )


@pytest.mark.parametrize("key", LAYERS)
def test_the_uppermost_layer_that_says_something_counts(key):
    """Each layer is put on top of those below it, from the built-in value on."""
    built_in, under, defaults, own, over = LAYERS[key]
    layers = {}
    assert seen(case(), key) == built_in
    for name, (word, value) in (
        ("under", under),
        ("defaults", defaults),
        ("own", own),
        ("over", over),
    ):
        layers[name] = (
            layer(**{key: value})
            if name in ("under", "over")
            else f"{{{key}: {word}}}"
            if name == "defaults"
            else f"{key}: {word}"
        )
        assert seen(case(**layers), key) == meant(key, value), name


def test_a_tolerance_is_replaced_as_a_whole():
    """`rtol` of an upper layer does not mix with `atol` of a lower one."""
    both = "tol: {rtol: 1e-3, atol: 1e-6}"
    assert (case().tolerance, case("tol: 1e-3").tolerance) == (None, Tolerance(1e-3, 0.0))
    assert case(both).tolerance == Tolerance(1e-3, 1e-6)
    assert case("tol: {atol: 1e-9}", defaults=f"{{{both}}}").tolerance == Tolerance(0.0, 1e-9)
    assert case(both, over=layer(rtol="2**-10")).tolerance == Tolerance(2.0**-10, 0.0)
    assert case(under=layer(atol="1", rtol="0.5")).tolerance == Tolerance(0.5, 1.0)


def test_the_words_of_a_number_are_kept():
    """For the line that reproduces a check."""
    assert case("tol: {atol: 1e-9, rtol: 2**-20}\nstep: 0x1p-10").given == {
        "rtol": ("--rtol", "2**-20"),
        "atol": ("--atol", "1e-9"),
        "step": ("--step", "0x1p-10"),
    }
    assert case("tol: 1e-9", over=layer(rtol="3e-3", step="0.10")).given == {
        "rtol": ("--rtol", "3e-3"),
        "step": ("--step", "0.10"),
    }


def test_what_the_configuration_says_is_told_even_where_it_is_built_in():
    """Where it says otherwise than the case, the line that reproduces a check must not leave it to
    the file.
    """
    under = layer(dtype="float32", strict=True)
    assert case("dtype: float64\nstrict: false", under=under).given == {
        "dtype": (),
        "strict": ("--no-strict",),
    }
    assert case("dtype: float64\nstrict: false").given == {}
    assert case("strict: true").given == {"strict": ("--strict",)}


def test_keys_of_defaults_fill_the_gaps_of_each_case():
    """`at`, `expect`, `tags` and the cotangent as well; a case's own replaces them as a whole."""
    text = """\
version: 1
defaults: {at: {x: 1, y: 2}, expect: agree, tags: [a, b], cotangent: 3, wrt: x}
cases:
  - expr: x*y
  - {expr: x + z, at: {x: 5, z: 6}, expect: kink, tags: c, cotangent: 4, wrt: z}
"""
    (suite,) = read_suites([("a", text)], {}, {})
    told = [
        (sorted(c.points[0]), c.expected.outcomes, c.tags, c.cotangent.value, c.wrt)
        for c in suite.cases
    ]
    assert told == [
        (["x", "y"], ("agree",), ("a", "b"), 3, ("x",)),
        (["x", "z"], ("kink",), ("c",), 4, ("z",)),
    ]


def test_reasons_are_kept():
    """Of a case that is skipped or known to fail; one that is skipped is checked for mistakes all
    the same.
    """
    assert (case("skip: later").skip, case("xfail: torch is wrong").xfail) == (
        "later",
        "torch is wrong",
    )
    assert said(own="skip: later\nwrt: q").startswith("error[unknown-input]: `wrt` names `q`")


def test_a_case_goes_to_other_processes():
    """Plain data, the same on arrival."""
    found = case(
        "tol: 1e-3\nmatrix: {dtype: [float32, float16], exclude: [{dtype: float16, device: cuda}]}\nexpect: {partials: {x: {interval: [0, 9]}}}"
    )
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own


# --- the matrix
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "runs"),
    [
        ("dtype: [float32, float64, float32]\ndevice: [cpu, cuda]", [("float32", "cpu"), ("float32", "cuda"), ("float64", "cpu"), ("float64", "cuda")]),
        ("matrix: {dtype: [float32, float64], device: [cpu, cuda]}", [("float32", "cpu"), ("float32", "cuda"), ("float64", "cpu"), ("float64", "cuda")]),
        ("matrix: {dtype: [float16, float64], device: [cpu, cuda:1], exclude: [{dtype: float16, device: cpu}]}",
         [("float16", "cuda:1"), ("float64", "cpu"), ("float64", "cuda:1")]),
        ("matrix: {dtype: [float16, float64], device: [cpu, cuda:1], exclude: [{device: cuda}]}", [("float16", "cpu"), ("float64", "cpu")]),
        ("matrix: {dtype: [float16, float64], device: cuda, exclude: [{dtype: float16, device: 'cuda:0'}]}", [("float64", "cuda")]),
        ("matrix: {dtype: [float16, float64], device: 'cuda:1', exclude: [{dtype: [float16], device: all}]}", [("float64", "cuda:1")]),
        ("matrix: {device: [cpu, cuda]}", [("float64", "cpu"), ("float64", "cuda")]),
        ("matrix: {dtype: [float16, float64], device: all, exclude: [{dtype: float16, device: cpu}]}", [("float16", "all"), ("float64", "all")]),
    ],
)  # fmt: skip
def test_a_matrix_multiplies_less_what_it_excludes(own, runs):
    """An exclusion matches on the keys it has; `cuda` means every CUDA device."""
    assert list(case(own).runs) == runs


def test_exclusions_wait_for_all_to_be_known():
    """`all` stays a name here; whoever puts the devices in its place finds what is excluded."""
    found = case(
        "matrix: {dtype: [float16, float64], device: all, exclude: [{dtype: float16, device: cuda}]}"
    )
    assert found.excluded == (Exclusion(("float16",), ("cuda",)),)
    covered = {
        (dtype, device)
        for dtype in ("float16", "float64")
        for device in ("cpu", "cuda:0", "cuda:3")
        if found.excluded[0].covers(dtype, device)
    }
    assert covered == {("float16", "cuda:0"), ("float16", "cuda:3")}


def test_a_matrix_is_a_dtype_a_device_and_an_exclusion():
    """A case that has one of them keeps the others of the defaults, and the command line's stand
    above all.
    """
    defaults = "{matrix: {dtype: [float16, float32], device: [cpu, cuda], exclude: [{dtype: float16, device: cuda}]}}"
    assert case("device: cuda", defaults).runs == (("float32", "cuda"),)
    assert case("dtype: [float16, float64]", defaults).runs == (
        ("float16", "cpu"),
        ("float64", "cpu"),
        ("float64", "cuda"),
    )
    assert case("", defaults, layer(device="cuda")).runs == (("float32", "cuda"),)
    assert case(
        "", "{matrix: {exclude: [{dtype: float16}]}}", under=layer(dtype="float16,float32")
    ).runs == (("float32", "cpu"),)


def test_a_case_that_the_command_line_leaves_no_run_is_skipped():
    """With the reason, and with the runs that were asked for; the numbers of its points need not
    fit a dtype that is not run.
    """
    found = case(
        "matrix: {exclude: [{dtype: float16}]}\ncotangent: 1e6", over=layer(dtype="float16")
    )
    assert (found.runs, found.skip) == (
        (("float16", "cpu"),),
        "its matrix leaves out float16 on cpu",
    )
    assert (
        case("matrix: {exclude: [{dtype: float16}]}\nskip: later", over=layer(dtype="float16")).skip
        == "later"
    )


# --- mistakes in the layers themselves
# --------------------------------------------------------------------------------


def test_a_bad_word_of_a_layer_is_told_with_its_name():
    """All of them at once, those of the command line as it calls them."""
    words = {"dtype": "quarter,float32", "device": "tpu", "rtol": "-1", "atol": "x", "step": "0", "timeout": "soon"}  # fmt: skip
    with pytest.raises(UserError) as caught:
        layer(**words)
    assert (
        str(caught.value)
        == """\
error[unknown-dtype]: no dtype named `quarter`
  = help: known: float64, float32, bfloat16, float16
error[unknown-device]: no device named `tpu`
  = help: known: cpu, cuda, cuda:N, all
error[bad-number]: --rtol takes a number that is not negative, and got `-1`
error[bad-number]: --atol takes a number that is not negative, and got `x`
error[bad-number]: --step takes a number that is positive, and got `0`
error[bad-setting]: --timeout: `soon` is no number of seconds
  = help: --timeout takes a number above 0 and up to 31,536,000, such as 30 or 0.5"""
    )
    with pytest.raises(UserError) as caught:
        layer("`{}` of the configuration", rtol="-1")
    assert (
        str(caught.value)
        == "error[bad-number]: `rtol` of the configuration takes a number that is not negative, and got `-1`"
    )
    for text in ("inf", ".nan", "-Infinity"):
        with pytest.raises(UserError) as caught:
            layer("{}", step=text)
        assert str(caught.value) == (
            f"error[bad-number]: step takes a finite number that is positive, and got `{text}`"
        )


@pytest.mark.parametrize(
    ("place", "called"), [("over", "--wrt"), ("under", "`wrt` of the configuration")]
)
def test_an_input_that_a_layer_names_must_be_one(place, called):
    """Told at the program, since the name stands nowhere in the file."""
    assert (
        said(**{place: layer(wrt="x, q")})
        == f"""\
error[unknown-input]: {called} names `q`, which is not an input of the program
 --> a:4:11
  | - expr: x*y
  |         ^^^
  = help: it has `x`, `y`"""
    )


def test_expectations_of_what_the_command_line_does_not_ask_for_are_left_out():
    """`--wrt x` is no mistake in a file that knows more."""
    found = case("expect: {partials: {x: 2, y: 1}}", over=layer(wrt="x"))
    assert [partial.name for partial in found.expected.partials] == ["x"]


def test_a_number_beyond_the_dtype_of_the_command_line_is_told():
    """Before anything is computed."""
    assert said(own="cotangent: 1e6", over=layer(dtype="float16")).startswith(
        "error[out-of-range]: `cotangent` = 1e6 is beyond the largest float16, 65504\n --> a:"
    )
