"""From a question to its records: every witness is heard, then the judge."""
