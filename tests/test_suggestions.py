"""What `did you mean` answers to slips of every kind, and to words that are no slips."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import names
from gradcheck_cli.language.errors import did_you_mean
from gradcheck_cli.manual.pages import topics
from gradcheck_cli.records.outcome import OUTCOMES
from gradcheck_cli.reports import FORMATS

# fmt: off
KNOWN = {
    "function": " ".join(names()), "format": " ".join(FORMATS), "dtype": " ".join(DTYPES), "outcome": " ".join(OUTCOMES), "topic": " ".join(topics()),
    "key": "id expr at wrt dtype device cotangent rtol atol step strict expect xfail skip tags sweep include defaults version cases timeout matrix exclude",
    "setting": """format export quiet verbose color jobs resume exit-zero cluster max-memory timeout dtype device strict seed tag keyword shard
        maxfail last-failed""",
    "command": "check run lint report diff merge init functions explain schema doctor",
}
# `slip:meant`, or `slip:one|other` where either will do.
SLIPS = {
    "function": """sigmod:sigmoid sigmiod:sigmoid simgoid:sigmoid sigmoidd:sigmoid sgimoid:sigmoid sigmoi:sigmoid siggmoid:sigmoid sgmoid:sigmoid tanhh:tanh
        tahn:tanh thanh:tanh relu6x:relu6 reul:relu rel:relu relu_:relu softmx:softmax sofmax:softmax softmaxx:softmax soft_max:softmax softm:softmax
        softpluss:softplus sofplus:softplus logsumexpp:logsumexp logsumex:logsumexp log_sum_exp:logsumexp logsumepx:logsumexp cros_entropy:cross_entropy
        cross_entrpy:cross_entropy crossentropy:cross_entropy cross_entopy:cross_entropy logsoftmax:log_softmax log_sofmax:log_softmax exmp1:expm1
        expml:expm1 exp1m:expm1 lop1p:log1p logp1:log1p log1:log1p sqr:sqrt sqtr:sqrt sqart:sqrt srqt:sqrt squar:square sqare:square squre:square
        gleu:gelu geluu:gelu gel:gelu siilu:silu slu:silu mihs:mish mse_los:mse_loss mseloss:mse_loss msa_loss:mse_loss l1loss:l1_loss
        smoothl1_loss:smooth_l1_loss smooth_l1loss:smooth_l1_loss huberloss:huber_loss hubber_loss:huber_loss layernorm:layer_norm layer_nrom:layer_norm
        layer_norms:layer_norm matmull:matmul matml:matmul mamtul:matmul mat_mul:matmul transpos:transpose tranpose:transpose transopse:transpose
        reshpe:reshape rehsape:reshape reshap:reshape sume:sum summ:sum smu:sum maen:mean mena:mean meen:mean prodd:prod maximun:maximum maximim:maximum
        minimun:minimum absolut:absolute asb:abs abss:abs cosh2:cosh coss:cos|cross csoh:cosh arcsn:arcsin arcsine:arcsin arctan3:arctan2 atna2:atan2 clam:clamp
        clampp:clamp calmp:clamp clipp:clip flor:floor flooor:floor ceilng:ceiling ciel:ceil rond:round trunk:trunc recipriocal:reciprocal
        reciprical:reciprocal recprocal:reciprocal digama:digamma digammma:digamma lgama:lgamma loggama:loggamma polygama:polygamma bessel_j2:bessel_j1
        besselj0:bessel_j0 erfinvv:erfinv erf_inv:erfinv erffc:erfc erfx:erf hypto:hypot hypott:hypot hypotenuse:hypot wher:where whre:where
        detatch:detach dettach:detach stopgradient:stop_gradient stop_grad:stop_gradient unsqeeze:unsqueeze unsqueze:unsqueeze sqeeze:squeeze
        squeze:squeeze permut:permute concatenat:concatenate concatinate:concatenate broadcastto:broadcast_to brodcast_to:broadcast_to cumsm:cumsum
        cum_sum:cumsum vectornorm:vector_norm kldiv:kl_div leakyrelu:leaky_relu leaky_rellu:leaky_relu leakyReLU:leaky_relu hardtan:hardtanh
        hardsigmod:hardsigmoid heavyside:heaviside heavisde:heaviside logaddexpp:logaddexp log_add_exp:logaddexp cosine_similarty:cosine_similarity
        cosine_sim:cosine_similarity thresold:threshold treshold:threshold tresh:threshold xlogx:xlogy xlog:xlogy logits:logit logt:logit ndtrii:ndtri
        binary_crossentropy:binary_cross_entropy binary_cross_entopy:binary_cross_entropy sinn:sin snh:sinh isn:sin
        consine:cosine_similarity cosin:cos cosine:cos sine:sin tangent:tan logarithm:log exponential:exp variance:var stdev:std summation:sum
        product:prod maximize:max minimise:min determinant:det average_:average absval:abs Sigmoid:sigmoid RELU:relu Relu:relu GELU:gelu Softmax:softmax
        LogSoftmax:log_softmax Tanh:tanh SiLU:silu ELU:elu Sqrt:sqrt""",
    "format": """jsno:json jason:json josn:json markdonw:markdown mardown:markdown cvs:csv tabel:table jnuit:junit guthub:github gitlub:gitlab saarif:sarif
        tabl:table jsonlines:jsonl""",
    "dtype": """float46:float64 flaot32:float32 float:float64|float32 flot64:float64 bfloat:bfloat16 float8:float16|float64|float32 bf16:bfloat16 float_32:float32
        float128:float16|float32""",
    "outcome": "agre:agree agrees:agree worng:wrong kinks:kink knik:kink undefind:undefined impricise:imprecise detatched:detached inconclusiv:inconclusive",
    "key": """exprs:expr exper:expr expression:expr|expect exp:expr expects:expect expected:expect dtyp:dtype dtpye:dtype dtypes:dtype devcie:device
        cotagent:cotangent cotangnet:cotangent tag:tags case:cases verison:version default:defaults timout:timeout xfial:xfail incldue:include
        stirct:strict""",
    "setting": """fromat:format formt:format exprot:export colour:color max_memory:max-memory maxmemory:max-memory timout:timeout job:jobs exitzero:exit-zero
        lastfailed:last-failed max-fail:maxfail keywords:keyword""",
    "command": "rnu:run runn:run lnit:lint repotr:report dif:diff megre:merge function:functions explian:explain shcema:schema docter:doctor chekc:check",
    "topic": """tolerence:tolerance tolerances:tolerance kin:kink|kinks kinsk:kinks overflows:overflow numerics:numeric analytical:analytic cotangents:cotangent
        unknown-funtion:unknown-function unkown-format:unknown-format bad-repor:bad-report roundings:rounding""",
}
# Words that mean something else, or nothing.
OTHERS = {
    "function": """hessian jacobian gradient svd eig beta
        linspace arange bernoulli isfinite foo bar myfunc f g loss attention lstm rnn fft ifft histogram unique
        nonzero argsort searchsorted requires_grad backward item numpy tolist append range print lambda laplacian curl divergence integrate
        derivative simplify symbols Derivative Integral factorial binomial gegenbauer hermite legendre zeta dirichlet elliptic_k fresnel meijerg
        qr lu schur rank eigvals ctc_loss gumbel grid_sample
        pool custom_op my_activation compute_loss apply forward model data input weights bias""",
    "format": "xml html pdf yaml text md",
    "dtype": "int8 complex64 double half",
    "outcome": "fine ok pass nan",
    "key": "name note comment priority",
    "setting": "nothing indent width",
    "command": "help test",
    "topic": "python torch gravity",
}
# fmt: on


def answers(word: str, kind: str) -> list[str]:
    """The names that are offered for a word."""
    return re.findall("`(.+?)`", did_you_mean(word, KNOWN[kind].split()))


def measure() -> tuple[float, float, float]:
    """Of all slips how many find what is meant, how much else they find, and how many other words
    find anything.
    """
    slips = [(kind, *pair.split(":")) for kind, text in SLIPS.items() for pair in text.split()]
    others = [(kind, word) for kind, text in OTHERS.items() for word in text.split()]
    pairs = [(set(answers(slip, kind)), set(meant.split("|"))) for kind, slip, meant in slips]
    return (
        sum(bool(offered & meant) for offered, meant in pairs) / len(slips),
        sum(len(offered - meant) for offered, meant in pairs) / len(slips),
        sum(bool(answers(word, kind)) for kind, word in others) / len(others),
    )


def test_slips_find_what_is_meant_and_other_words_find_nothing() -> None:
    """difflib finds 95 %, with 61 % beside them, and something for 38 % of the other words."""
    found, beside, falsely = measure()
    assert found >= 0.98
    assert beside <= 0.09
    assert falsely <= 0.05


def test_a_worse_answer_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that offers nothing, and one that offers what difflib does."""
    from difflib import get_close_matches

    module = sys.modules[__name__]
    monkeypatch.setattr(module, "did_you_mean", lambda word, known: "")
    assert measure() == (0, 0, 0)
    monkeypatch.setattr(
        module,
        "did_you_mean",
        lambda word, known: "".join(f"`{name}`" for name in get_close_matches(word, known, 2)),
    )
    found, beside, falsely = measure()
    assert found < 0.98
    assert beside > 0.5
    assert falsely > 0.3


@pytest.mark.parametrize(
    ("word", "kind", "text"),
    [
        ("sigmod", "function", "did you mean `sigmoid`?"),
        ("relu6x", "function", "did you mean `relu6`?"),
        ("softmx", "function", "did you mean `softmax`?"),
        ("cros_entropy", "function", "did you mean `cross_entropy`?"),
        ("hessian", "function", ""),
        ("rnu", "command", "did you mean `run`?"),
        ("asb", "function", "did you mean `abs`?"),
        ("float", "dtype", "did you mean `float64` or `float32`?"),
        ("max_memory", "setting", "did you mean `max-memory`?"),
        ("gitlub", "format", "did you mean `github` or `gitlab`?"),
        ("svd", "function", "did you mean `std`?"),
        ("", "function", ""),
        ("_", "function", ""),
        ("\udcff", "function", ""),
        ("sigmo\udcffd", "function", "did you mean `sigmoid`?"),
    ],
)
def test_what_is_offered(word: str, kind: str, text: str) -> None:
    """The nearest, in the order of those that are as near; two at most."""
    assert did_you_mean(word, KNOWN[kind].split()) == text


def test_nothing_is_known() -> None:
    """A program without inputs has none to offer."""
    assert did_you_mean("x", []) == ""


def test_a_long_word_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take hours; what is cut short in the message is no slip."""
    lengths: list[int] = []
    monkeypatch.setattr(
        "jellyfish.damerau_levenshtein_distance",
        lambda *words: lengths.append(max(map(len, words))) or 9,
    )
    assert did_you_mean("s" * 1_000_000, [*names(), "s" * 999_999]) == ""
    assert did_you_mean("softmx", names()) == ""
    assert max(lengths) <= 60


def test_the_library_is_loaded_when_a_slip_is_met() -> None:
    """And not before."""
    code = """
import sys
from gradcheck_cli.language.errors import did_you_mean
print("jellyfish" in sys.modules)
did_you_mean("a", "b")
print("jellyfish" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\nTrue\n"
