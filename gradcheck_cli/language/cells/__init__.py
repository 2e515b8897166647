"""Cells of notebooks and short scripts, read as syntax and never run: programs with their points."""
