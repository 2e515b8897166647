"""Pages for people: the manual, the functions, the machine."""
