"""The failure of a schema that cannot be used."""

from __future__ import annotations


class SchemaError(Exception):
    """A schema that cannot be used, in one sentence."""
