"""Functions and classes by their names: a step's declaration names its work, and imports none."""

from __future__ import annotations

import importlib
from typing import Any


def load(name: str) -> Any:
    """Import the module of ``"module:object"``, and return the object."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
