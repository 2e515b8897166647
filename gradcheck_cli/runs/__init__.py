"""Many checks at once: the plan, the workers, the journal."""
