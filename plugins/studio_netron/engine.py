"""Check whether Chromium can start, because a failed start would end this process."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys


def why_not() -> str:
    """Return why the window cannot show the page, or "" if it can."""
    if importlib.util.find_spec("PySide6.QtWebEngineWidgets") is None:
        return "Qt WebEngine is not installed (the extra edgewright[webengine])."
    if "--no-sandbox" in os.environ.get("QTWEBENGINE_CHROMIUM_FLAGS", ""):
        return ""  # the user who sets it has decided
    if sys.platform == "linux" and os.geteuid() == 0:
        return "Chromium does not start as root."
    if sys.platform == "linux" and not _has_user_namespaces():
        return "This system gives Chromium no sandbox (user namespaces are switched off)."
    return ""


def _has_user_namespaces() -> bool:
    tool = shutil.which("unshare")
    if tool is None:
        return False
    ended = subprocess.run([tool, "--user", "true"], capture_output=True, timeout=5, check=False)
    return ended.returncode == 0
