"""Names of a package that are imported at their first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a package (PEP 562).

    Python calls it once for each name, which is then an attribute like any other.

    Args:
        package: The package's ``__name__``.
        modules: For each name the module below the package that has it, or ``module:name`` for
            a name of any module.
    """

    def find(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, origin = modules[name].partition(":")
        path = module if origin else f"{package}.{module}"
        value: object = getattr(import_module(path), origin or name)
        setattr(sys.modules[package], name, value)
        return value

    return find
