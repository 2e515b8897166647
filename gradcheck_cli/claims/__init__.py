"""Derivatives that people derive by hand, beside the true ones: proved, refuted, explained."""
