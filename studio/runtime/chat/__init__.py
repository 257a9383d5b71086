"""Conversations with a language model over standard input and output, without a server."""

from __future__ import annotations

from .command import main as main
