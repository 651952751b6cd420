"""The version of this software, as it stands in every line of the audit trail (pyproject.toml says the same)."""

VERSION = "0.1.0"
