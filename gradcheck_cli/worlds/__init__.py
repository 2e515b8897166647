"""Worlds run Programs: a `World` says what a number, an input and a call are, and `fold` does the
rest (`language.program`). Balls run through a fold made ready (`balls.Machine`).
"""
