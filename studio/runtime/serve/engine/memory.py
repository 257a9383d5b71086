"""Memory of the process: what is not needed at rest is given back, or never taken."""

from __future__ import annotations

import gc
import importlib
import os
import selectors
import sys
from importlib.util import find_spec
from typing import List

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


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


def share_one_heap() -> None:
    """Let all threads allocate from one heap, unless the environment sets their number.

    With a heap per thread, each retains the memory of a large message: gRPC's threads take turns
    in receiving, and six callers with 62 MB each used 380 MB, but 220 MB with one heap. Call
    it before threads are started.
    """
    import ctypes

    if "MALLOC_ARENA_MAX" in os.environ:
        return
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library than glibc
        return
    set_option(_M_ARENA_MAX, 1)


def forget(*names: str) -> None:
    """Unload modules that the server needs no more; a later import loads them again."""
    for name in names:
        sys.modules.pop(name, None)
        package, _, own = name.rpartition(".")
        if package in sys.modules:
            vars(sys.modules[package]).pop(own, None)
    gc.collect()


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
    """Return the modules that load OpenSSL, where everything works without them."""
    if not hasattr(selectors, "EpollSelector") and find_spec("uvloop") is not None:
        return []  # it is used there, and imports ssl itself
    own_hashes = find_spec("_sha256") or find_spec("_sha2")  # some build Python without
    return ["ssl", "_hashlib"] if own_hashes else ["ssl"]
