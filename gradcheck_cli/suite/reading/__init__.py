"""Reading suite files: from YAML text to cases, every mistake found at once, each with its place."""
