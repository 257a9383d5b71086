"""PySide's hook in Python's imports, which the window does without.

From the import of PySide6 the hook reads the source of each module that any thread imports, to find
those with PySide's "features". We use none. The read calls a module's ``__getattr__`` while other
modules are half imported, and the import of pydantic in two threads then fails.
"""

from __future__ import annotations

import builtins


def remove_import_hook() -> None:
    """Give Python its own import back, if PySide replaced it."""
    import PySide6.QtCore  # noqa: F401 - the first import sets the hook

    original = getattr(builtins, "__orig_import__", None)
    if original is not None:
        builtins.__import__ = original
