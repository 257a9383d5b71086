"""What the window takes from the system: Qt for Python, and libraries that its wheels lack.

Without one of them Qt ends the process, so they are looked for before Qt is started.
"""

from __future__ import annotations

import ctypes
import os
from importlib.util import find_spec
from pathlib import Path

from studio.api import Unavailable

REQUIREMENT = "PySide6-Essentials>=6.8.3"

DEBIAN_PACKAGES = (
    "libegl1",
    "libgl1",
    "libdbus-1-3",
    "libfontconfig1",
    "libglib2.0-0",
    "libgssapi-krb5-2",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
    "libx11-xcb1",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-render0",
    "libxcb-shape0",
    "libxcb-shm0",
    "libxcb-sync1",
    "libxcb-util1",
    "libxcb-xfixes0",
    "libxcb-xkb1",
    "fonts-dejavu-core",
)
"""Debian's and Ubuntu's packages with these libraries, and one font."""

_WIDGETS, _X11 = "Qt/lib/libQt6Widgets.so.6", "Qt/plugins/platforms/libqxcb.so"


def has_qt() -> bool:
    """Return whether Qt for Python is installed; nothing of it is loaded."""
    return find_spec("PySide6") is not None


def refuse_missing_library() -> None:
    """Load what Qt is going to load.

    Raises:
        Unavailable: with the first library that the system lacks.
    """
    missing = missing_library()
    if missing:
        raise Unavailable(
            f"The window needs {missing}, which this system lacks.", hint=install_hint()
        )


def missing_library() -> str:
    """Return the first library that the window needs and the system lacks; empty without any."""
    spec = find_spec("PySide6")
    if spec is None or spec.origin is None:
        return ""
    for name in (_WIDGETS, *([_X11] if _uses_x11() else [])):
        lacking = _lacking(Path(spec.origin).parent / name)
        if lacking:
            return lacking
    return ""


def _uses_x11() -> bool:
    return not os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("QT_QPA_PLATFORM")


def _lacking(library: Path) -> str:
    """Return the name of what a library needs and does not get."""
    if not library.is_file():
        return ""  # Qt of the distribution, whose packages bring what they need
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error).partition(":")[0]
    return ""


def install_hint() -> str:
    """Return what to do about it."""
    import shutil  # loads every compression

    if shutil.which("apt-get"):
        return f"Install it with: sudo apt-get install {' '.join(DEBIAN_PACKAGES)}"
    return "Install it with the system's package manager, or use the commands: studio --help."
