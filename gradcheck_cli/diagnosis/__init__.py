"""Diagnosis: what is wrong with a backward that was recorded, in words that were tested first."""
