"""Laws over the function table: one law a file, each run over every row, so that a new row is
tested by being there.
"""
