"""Logins that docker, podman, oras and skopeo have stored on this computer."""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.api import StudioError, UsageError

_LARGEST = 1 << 20
_PATIENCE_S = 20.0
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Login:
    """User and password of one registry, or a token in place of both.

    Attributes:
        identity: Refresh token for the server of tokens; empty for a user with a password.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """Header of HTTP's basic login; empty without a user."""
        if not self.user:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class Logins:
    """Reads logins where the usual clients keep them; nothing of it is kept or shown."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def of(self, host: str) -> Login:
        """Return the login of a registry; an empty one where none is stored.

        Raises:
            UsageError: for a file that is damaged, or that others may read.
        """
        for path in self._files():
            found = _read(path)
            if found is not None and (login := self._in_file(found, host, path)):
                return login
        return Login()

    def _files(self) -> Iterator[Path]:
        env = self._env
        if given := env.get("REGISTRY_AUTH_FILE"):
            yield Path(given)
            return
        if runtime := env.get("XDG_RUNTIME_DIR"):
            yield Path(runtime, "containers", "auth.json")
        home = Path(env.get("HOME") or Path.home())
        yield home / ".config" / "containers" / "auth.json"
        yield Path(env.get("DOCKER_CONFIG") or home / ".docker") / "config.json"

    def _in_file(self, found: Mapping[str, Any], host: str, path: Path) -> Login | None:
        helpers = found.get("credHelpers")
        helper = helpers.get(host) if isinstance(helpers, dict) else None
        if program := helper or found.get("credsStore"):
            return _from_helper(str(program), host)
        auths = found.get("auths")
        if not isinstance(auths, dict):
            return None
        entry = auths.get(host) or auths.get(f"https://{host}") or auths.get(f"https://{host}/v2/")
        if not isinstance(entry, dict):
            return None
        _require_private(path)
        return _of_entry(entry, path)


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise UsageError(f"{path} cannot be read as a file of logins.") from None
    return found if isinstance(found, dict) else None


def _require_private(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"Other users can read the logins in {path}.", hint=f"Run: chmod 600 {path}"
        )


def _of_entry(entry: Mapping[str, Any], path: Path) -> Login | None:
    identity = str(entry.get("identitytoken") or "")
    text = str(entry.get("auth") or "")
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise UsageError(f"A login in {path} is damaged.", hint="Log in again.") from None
    user = user or str(entry.get("username") or "")
    password = (password or str(entry.get("password") or "")).rstrip("\0")
    return Login(user, password, identity) if user or identity else None


def _from_helper(name: str, host: str) -> Login | None:
    """Ask the program that keeps the logins, as docker does."""
    program = shutil.which(f"docker-credential-{name}") if _HELPER.fullmatch(name) else None
    if program is None:
        raise UsageError(
            f"The program docker-credential-{name[:64]}, which has the login, is missing."
        )
    try:
        done = subprocess.run(
            [program, "get"],
            input=host.encode(),
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise StudioError(f"The program {program} gave no login.") from None
    if done.returncode:
        return None  # it has none for this registry
    try:
        found = json.loads(done.stdout[:_LARGEST])
        user, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError):
        raise StudioError(f"The program {program} gave no login.") from None
    return Login(identity=secret) if user == "<token>" else Login(user, secret)
