"""Names of the families of operators, for the legend and the inspector."""

from __future__ import annotations

from studio.workspace import FAMILY_TITLES as TITLES

__all__ = ["BLOCK", "OTHER", "TERMINAL", "TITLES"]

TERMINAL, BLOCK, OTHER = "terminal", "block", "other"
