"""The text of the consent to the Python code of an app."""

from __future__ import annotations

from studio.features.apps.results import AppCheck
from studio.gui import figures

_CODE = (
    "The app has {}. Read this code before you agree: {}. In the sandbox of workers it can read "
    "the folder of the app and the recordings."
)
_NO_NETWORK = "It has no network."
_NETWORK = "It can use the network, which {} needs."


def code_permissions(check: AppCheck) -> str:
    """Return which files of code an app has, and what they can reach."""
    files = check.own_steps
    number = figures.count(len(files), "file with Python code", "files with Python code")
    network = _NETWORK.format(", ".join(check.networked)) if check.networked else _NO_NETWORK
    return f"{_CODE.format(number, ', '.join(files))} {network}"
