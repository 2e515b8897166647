"""Cells of notebooks and short scripts, read as syntax, never run: programs and their points."""
