"""Sweeps: every point of a range, judged in bulk; what is left, and the worst, point by point."""
