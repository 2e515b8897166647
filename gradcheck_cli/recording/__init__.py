"""Recording: what a person's own code computes, as scalars, written down while it really runs."""
