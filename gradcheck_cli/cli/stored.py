"""Commands that work on stored reports."""
