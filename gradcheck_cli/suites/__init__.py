"""The YAML language of suites."""
