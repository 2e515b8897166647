"""Worlds run Programs: each says what a number is and how to call a row."""
