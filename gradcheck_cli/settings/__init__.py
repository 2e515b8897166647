"""What can be set: a row a setting, and what files, variables and options make of it."""
