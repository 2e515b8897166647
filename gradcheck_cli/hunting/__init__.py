"""Hunts: the worst points of ranges that are too large to be swept."""
