"""Words of Python code for sizes and for memory, which mean the same of every library."""

from __future__ import annotations

# Methods and functions that give the same numbers.
SAME_NUMBERS = (
    "clone", "copy", "float", "double", "contiguous", "numpy", "item", "cpu", "asarray", "array",
    "int64", "float64", "float32", "tensor",
)  # fmt: skip
# How many elements there are: methods, and an attribute.
COUNTS, COUNT_ATTRIBUTE = ("numel", "nelement"), "size"
# Arrays of one number: of another's shape, or of a shape that is given.
FILLED = {"zeros_like": 0, "ones_like": 1, "zeros": 0, "ones": 1}
LIKE = ("zeros_like", "ones_like")
