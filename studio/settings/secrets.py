"""Secrets of the user: in the system's keyring where there is one, else in files of their own."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from studio.settings.files import write_atomically
from studio.settings.paths import Paths
from studio.settings.redaction import hide

log = logging.getLogger(__name__)

_SERVICE = "edgewright"


class SecretStore:
    """Short texts by name.

    The library ``keyring`` speaks to the system's keyring. Where it is not installed, or finds no
    keyring that works (no session, no D-Bus), each secret is a file that only its owner may read.
    """

    def __init__(self, paths: Paths, keyring: Any = None) -> None:
        """Find out where secrets are kept.

        Args:
            keyring: What stands in for the library; None looks for it.
        """
        self._folder = paths.data / "secrets"
        self._keyring = _usable(keyring)

    @property
    def place(self) -> str:
        """Where secrets are kept, for people."""
        return "the system's keyring" if self._keyring is not None else str(self._folder)

    def get(self, name: str) -> str:
        """Return a secret; empty without one."""
        secret = self._get(name)
        hide(secret)
        return secret

    def _get(self, name: str) -> str:
        if self._keyring is not None:
            try:
                found = self._keyring.get_password(_SERVICE, name)
            except Exception:  # a keyring that is locked, or has gone: the backends' own errors
                log.warning("keyring not readable", exc_info=True)
                found = None
            if found:
                return str(found)
        try:
            return str(json.loads(self._file(name).read_text())["secret"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def set(self, name: str, secret: str) -> str:
        """Store a secret; return the name of its store."""
        hide(secret)
        if self._keyring is not None:
            try:
                self._keyring.set_password(_SERVICE, name, secret)
            except Exception:  # see get
                log.warning("keyring not writable", exc_info=True)
                self._keyring = None
            else:
                self._file(name).unlink(missing_ok=True)
                return self.place
        file = self._file(name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(self._folder, 0o700)
        content = json.dumps({"name": name, "secret": secret}) + "\n"
        write_atomically(file, content.encode(), mode=0o600)
        return str(file)

    def forget(self, name: str) -> None:
        """Remove a secret wherever it is."""
        if self._keyring is not None:
            try:
                self._keyring.delete_password(_SERVICE, name)
            except Exception:  # it was not there, or see get
                log.debug("nothing removed from the keyring", exc_info=True)
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + ".json")


def _usable(keyring: Any) -> Any:
    """Return the library if it has a keyring to speak to, else None."""
    try:
        if keyring is None:
            keyring = importlib.import_module("keyring")
        # Its stand-ins for "none at all" have a priority below one.
        return keyring if float(keyring.get_keyring().priority) >= 1 else None
    except Exception:  # not installed, or none of its backends can be made
        log.debug("no keyring", exc_info=True)
        return None
