"""Everything that is SymPy's: its expressions, derivatives and formulas, and the process it works
in.
"""
