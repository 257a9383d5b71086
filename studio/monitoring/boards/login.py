"""The login at a broker: a small JSON file that only its owner may read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from studio.api import BrokerLogin, UsageError
from studio.documents.dataclass_json import from_json

_MOST_BYTES = 64 * 1024
_NAMES = ("user", "password", "token", "ca", "certificate", "key")


def read_login(path: Path | None) -> BrokerLogin:
    """Read a file with some of ``user, password, token, ca, certificate, key``.

    The file of a board does, too: its other settings are passed over.

    Raises:
        UsageError: in one sentence without a secret, also when others may read the file.
    """
    if path is None:
        return BrokerLogin()
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(mode) or (os.name == "posix" and mode & 0o077):
        raise UsageError(f"{path} may be read by others.", hint=f"Run: chmod 600 {path}")
    try:
        found = json.loads(content.decode("utf-8"))
        if not isinstance(found, dict):
            raise TypeError
        texts = {name: found[name] for name in _NAMES if name in found}
        if len(content) > _MOST_BYTES or not all(isinstance(one, str) for one in texts.values()):
            raise ValueError
        login = from_json(BrokerLogin, texts)
    except (ValueError, TypeError, RecursionError):
        raise UsageError(
            f"{path} is not a JSON object of texts.", hint=f"It may have: {', '.join(_NAMES)}."
        ) from None
    if bool(login.certificate) != bool(login.key):
        raise UsageError(f"In {path} certificate and key belong together.")
    return login
