"""The judge: the only comparisons in the package."""
