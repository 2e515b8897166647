"""Derivatives that people derive by hand: built beside the true ones, proved, refuted, explained."""
