"""Precisions of the cache of keys and values of a language model."""

from __future__ import annotations

CACHE_TYPES = ("f16", "int8", "int4")
"""The first one is the usual one."""
