"""Memory of the process: what is not needed at rest is given back, or never taken."""

from __future__ import annotations

import gc
import importlib
import sys
from importlib.util import find_spec
from typing import List


def give_back() -> None:
    """Return what was freed to the system: to load a model, or a program, frees a lot."""
    import ctypes

    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library than glibc
        return
    trim.argtypes = [ctypes.c_size_t]
    trim(0)


def import_without_openssl(*names: str) -> None:
    """Import modules so that they do not load OpenSSL: six megabytes of a process without TLS.

    The standard library is made to do without: asyncio then speaks no TLS, hashlib and hmac use
    their own code. Once they are imported, ssl can be as usual.
    """
    hidden = [name for name in _avoidable() if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: "not here"
    try:
        for name in names:
            importlib.import_module(name)
    finally:
        for name in hidden:
            del sys.modules[name]


def _avoidable() -> List[str]:
    """The modules that load OpenSSL, where everything works without them."""
    if find_spec("uvloop") is not None:  # imports ssl itself
        return []
    own_hashes = find_spec("_sha256") or find_spec("_sha2")  # some build Python without
    return ["ssl", "_hashlib"] if own_hashes else ["ssl"]
