"""What stops a server from starting or a version from being served."""

from __future__ import annotations


class LoadError(Exception):
    """A model that cannot be served, in one sentence."""


class CannotListen(Exception):
    """An address that cannot be listened at, or a folder that is served already; one sentence."""
