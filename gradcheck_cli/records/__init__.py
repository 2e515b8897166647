"""What is kept of a check: plain data, the words it uses and the report it stands in; no numerics."""
