"""What is kept of a check: plain data, its words and the report it stands in; no numerics."""
