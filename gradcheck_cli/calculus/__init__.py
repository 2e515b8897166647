"""Derivatives of Programs as Programs."""
