"""MLflow's own configuration: the server's address and the login.

The variables and the file are those that MLflow's client documents, so that who can use that client
can use the studio. Nothing of it is kept or shown.
"""

from __future__ import annotations

import base64
import configparser
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from studio.api import UsageError

TIMEOUT_S = 120
_YES = ("true", "1")
_LOGIN_HINT = (
    "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, or write "
    "~/.mlflow/credentials."
)


@dataclass(frozen=True, slots=True)
class Server:
    """Address and login of one server.

    Attributes:
        authorization: The header of that name; empty for none. Never part of a text.
        timeout_s: Longest wait for a sign of life.
    """

    address: str
    authorization: str = field(default="", repr=False)
    timeout_s: float = TIMEOUT_S
    context: ssl.SSLContext | None = None

    @classmethod
    def of(cls, address: str, env: Mapping[str, str]) -> Server:
        """Return the server of an address, or the one in the environment.

        Raises:
            UsageError: for an address that is not one of a server, or that carries a password.
        """
        given = address or env.get("MLFLOW_REGISTRY_URI") or env.get("MLFLOW_TRACKING_URI") or ""
        return cls(
            _checked(given),
            _authorization(env),
            _timeout(env),
            _context(env) if given.startswith("https:") else None,
        )


def login_hint(server: Server) -> str:
    """Return what to do when a login is required or refused."""
    return "The login was refused. " + _LOGIN_HINT if server.authorization else _LOGIN_HINT


def _checked(address: str) -> str:
    if not address:
        raise UsageError(
            "Missing address of the MLflow server.",
            hint="Set MLFLOW_TRACKING_URI, or give its address: http://host:5000",
        )
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(
            "The studio talks to an MLflow server, whose address begins with http:// or https://.",
            hint="For files or a database on this computer, start: mlflow server",
        )
    if parts.username or parts.password:
        raise UsageError("The address of an MLflow server carries no login.", hint=_LOGIN_HINT)
    return address.rstrip("/")


def _authorization(env: Mapping[str, str]) -> str:
    kept = _stored_login(env)
    user = env.get("MLFLOW_TRACKING_USERNAME") or kept.get("mlflow_tracking_username", "")
    password = env.get("MLFLOW_TRACKING_PASSWORD") or kept.get("mlflow_tracking_password", "")
    if user and password:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return f"Basic {pair}"
    token = env.get("MLFLOW_TRACKING_TOKEN", "")
    return f"Bearer {token}" if token else ""


def _stored_login(env: Mapping[str, str]) -> Mapping[str, str]:
    path = Path(env.get("HOME") or Path.home()) / ".mlflow" / "credentials"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        raise UsageError(f"{path} cannot be read as MLflow's file of credentials.") from None
    return dict(parser["mlflow"]) if parser.has_section("mlflow") else {}


def _timeout(env: Mapping[str, str]) -> float:
    text = env.get("MLFLOW_HTTP_REQUEST_TIMEOUT") or str(TIMEOUT_S)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise UsageError(f"MLFLOW_HTTP_REQUEST_TIMEOUT is a number of seconds, not {text!r}.")
    return seconds


def _context(env: Mapping[str, str]) -> ssl.SSLContext:
    trusted = env.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None
    own = env.get("MLFLOW_TRACKING_CLIENT_CERT_PATH")
    try:
        context = ssl.create_default_context(cafile=trusted)
        if own:
            context.load_cert_chain(own)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"The certificate files of MLFLOW_TRACKING_*_CERT_PATH cannot be read: {error}."
        ) from None
    if env.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in _YES:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
