"""What scripts call things beside functions: the modules of `torch.nn`, each with the function that
it applies, and methods that leave a value what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.functions import lookup, names, parts, shapes, tensors

if TYPE_CHECKING:
    from collections.abc import Mapping


class Applied(NamedTuple):
    """What a module applies.

    Attributes:
        function: as `torch.nn.functional` calls it; empty for a module that changes nothing.
        settings: those that the module takes by position, in order.
        defaults: settings with another default in the module, as they are written.
        inputs: how many tensors it is called with.
    """

    function: str
    settings: tuple[str, ...] = ()
    defaults: Mapping[str, str] = {}
    inputs: int = 1


# fmt: off
MODULES: Mapping[str, Applied] = {
    **{name: Applied(name.lower()) for name in (
        "ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Sigmoid", "LogSigmoid", "Hardsigmoid", "Hardswish", "Softsign", "Tanh", "Tanhshrink")},
    **{name: Applied(name.lower(), ("alpha",)) for name in ("ELU", "CELU")},
    **{name: Applied(name.lower(), ("lambd",)) for name in ("Hardshrink", "Softshrink")},
    "LeakyReLU": Applied("leaky_relu", ("negative_slope",)), "GELU": Applied("gelu", ("approximate",)), "Softplus": Applied("softplus", ("beta", "threshold")),
    "Hardtanh": Applied("hardtanh", ("min_val", "max_val")), "Threshold": Applied("threshold", ("threshold", "value")),
    "Softmax": Applied("softmax", ("dim",)), "LogSoftmax": Applied("log_softmax", ("dim",)),
    "Flatten": Applied("flatten", ("start_dim", "end_dim"), {"start_dim": "1"}), "Identity": Applied(""),
    "LayerNorm": Applied("layer_norm", ("normalized_shape", "eps")), "CosineSimilarity": Applied("cosine_similarity", ("dim", "eps"), inputs=2),
    "MSELoss": Applied("mse_loss", inputs=2), "L1Loss": Applied("l1_loss", inputs=2), "SmoothL1Loss": Applied("smooth_l1_loss", inputs=2),
    "HuberLoss": Applied("huber_loss", ("reduction", "delta"), inputs=2), "BCELoss": Applied("binary_cross_entropy", inputs=2),
    "BCEWithLogitsLoss": Applied("binary_cross_entropy_with_logits", inputs=2), "CrossEntropyLoss": Applied("cross_entropy", inputs=2),
    "NLLLoss": Applied("nll_loss", inputs=2), "KLDivLoss": Applied("kl_div", inputs=2),
}
# fmt: on
# Settings of a module or a function that change no value.
IDLE = ("inplace",)
# Methods that answer the same numbers; a dtype that they ask for is noted, not followed.
UNCHANGING = (
    "clone", "contiguous", "cpu", "cuda", "retain_grad", "to", "float", "double", "half",
    "bfloat16", "type", "type_as", "astype", "copy",
)  # fmt: skip
# Those of them that answer numbers of their own.
COPYING = ("clone", "copy")
# Those of them that change the dtype.
CASTING = ("float", "double", "half", "bfloat16")
# Methods that answer the same numbers in another shape, which a point can take.
RESHAPING = ("reshape", "view")
# What cuts the path of a gradient; of an input the numbers that a new one may have.
CUTTING = ("detach",)
# What answers numbers of Python's, past which torch has no path.
LEAVING = ("item", "numpy", "tolist")
# Functions that answer a number, or a shape like that of their argument.
ALIKE = {"ones_like": "1", "zeros_like": "0"}
# Functions of Python's own: what adds up, and what a tensor's length and shape are asked by.
ADDING, MEASURING = "sum", "size"
# Python's own, which takes a number of digits.
ROUNDING = "round"


def is_cut(name: str) -> bool:
    """Whether a function cuts its argument off from a gradient."""
    known = names().get(name)
    return name in CUTTING or (known is not None and lookup(known).stops)


def is_view(name: str) -> bool:
    """Whether a function may answer the numbers of its argument themselves, in another shape."""
    return names().get(name) in {row.name for row in (*tensors.ROWS, *parts.ROWS, *shapes.ROWS)}
