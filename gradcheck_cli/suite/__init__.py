"""Running checks: one case or many, and the Report that comes of it."""
