"""Edgewright, a desktop studio for deploying AI models to edge boards, containers and clouds.

The names below are the studio as a library (``studio.open("model.onnx")``), described in
``docs/library.md``. They are imported at their first use, so that a command need not wait for
them; ``__init__.pyi`` holds their types.
"""

from importlib import import_module

__version__ = "0.1.0"

__all__ = [
    "Endpoint",
    "Model",
    "Quantized",
    "Report",
    "__version__",
    "close",
    "endpoint",
    "get_sample",
    "open",
    "run",
]


def __getattr__(name: str) -> object:
    """Import a name at its first use; afterwards it is an attribute like any other."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.library"), name)
    return globals()[name]


def __dir__() -> list[str]:
    """Return the names for completion, those of the library among them."""
    return sorted({*globals(), *__all__})
