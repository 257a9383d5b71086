"""Errors of a database server as sentences."""

from __future__ import annotations

from types import ModuleType
from urllib.parse import urlsplit

from studio.api import StudioError

_INSTALL = "Install the extra: edgewright[shared]."
_READ_ONLY = "Ask the registry's owner for a role: studio registry roles"

_SERVERS_CERTIFICATE, _OWN_CERTIFICATE = "certificate of the server", "own certificate"
_SENTENCES = {
    "28P01": ("The database server refused the password.", "Check ~/.pgpass, or the service file."),
    "28000": ("The database server refused the login.", "Ask the registry's owner for a role."),
    "3D000": ("The database does not exist.", "Its owner creates it: createdb NAME"),
    "25006": ("The database server accepts no changes now.", "Use the primary server's address."),
    "53100": ("The disk of the database server is full.", "Free space there, then try again."),
    "53300": ("The database server has no free connection.", "Close a studio, then try again."),
    "55P03": ("Another studio is changing the registry.", "Wait for it, then try again."),
    "57014": ("The database server took too long.", "Try again, or look at the server's load."),
    "57P03": ("The database server is starting or stopping.", "Try again in a moment."),
    "25P03": ("The change took too long and was not saved.", "Try again."),
    "22P05": ("A text has a character that PostgreSQL cannot store.", ""),
    "22021": ("A text has a character that PostgreSQL cannot store.", ""),
    _SERVERS_CERTIFICATE: (
        "The certificate of the database server has ended, or is not trusted.",
        "Its owner renews it. sslrootcert in the address names the authority that you trust.",
    ),
    _OWN_CERTIFICATE: (
        "The database server refused your certificate, which may have ended.",
        "Renew the file that sslcert in the address or in ~/.pg_service.conf names.",
    ),
}
_REFUSALS = {
    "password": "28P01",
    "pg_hba.conf": "28000",
    "too many": "53300",
    "starting up": "57P03",
    "shutting down": "57P03",
    "certificate verify failed": _SERVERS_CERTIFICATE,
    "alert certificate": _OWN_CERTIFICATE,
    "alert unknown ca": _OWN_CERTIFICATE,
}
"""Parts of a refused login's text, as libpq gives it no code."""

_LASTING = ("28P01", "28000", "3D000", _SERVERS_CERTIFICATE, _OWN_CERTIFICATE)


def driver() -> ModuleType:
    """Return psycopg.

    Raises:
        StudioError: when it is not installed.
    """
    try:
        import psycopg
    except ImportError:
        raise StudioError("A shared registry needs the library psycopg.", hint=_INSTALL) from None
    found: ModuleType = psycopg
    return found


def sentence(error: Exception, address: str) -> StudioError:
    """Return an error of psycopg for people."""
    code = _code(error)
    if code == "42501":
        return _forbidden(error)
    text, hint = _SENTENCES.get(code, ("", ""))
    if not text and (not code or code.startswith("08") or code.startswith("57P")):
        text = f"The database server of the registry at {_server(address)} cannot be reached."
        hint = "Check the network, the address and the server: studio registry use"
    detail = str(error).strip()
    if not text:
        text = f"The database refused a change of the registry: {detail.splitlines()[0]}."
    return StudioError(text, hint=hint, detail=detail)


def is_lasting(error: Exception) -> bool:
    """Return whether a refused login stays refused, however long a studio waits."""
    return _code(error) in _LASTING


def later_version() -> StudioError:
    """Return the error for tables of a later version of the studio."""
    return StudioError(
        "The shared registry was written by a later version of the studio.",
        hint="Install that version, or return to the local registry: studio registry use local",
    )


def lost_change(error: Exception) -> StudioError:
    """Return the error for a change that the server did not save."""
    return StudioError(
        "The connection to the registry was lost, and the change was not saved.",
        hint="Try again.",
        detail=str(error),
    )


def unknown_outcome(error: Exception) -> StudioError:
    """Return the error for a change whose end is unknown."""
    return StudioError(
        "The connection to the registry was lost while a change was saved.",
        hint="See whether it was saved: studio registry log",
        detail=str(error),
    )


def _forbidden(error: Exception) -> StudioError:
    from psycopg import Error

    shown = error.diag.message_primary if isinstance(error, Error) else None
    return StudioError(
        "Your database role may not make this change in the registry.",
        hint=_READ_ONLY,
        detail=str(shown or error),
    )


def _code(error: Exception) -> str:
    return getattr(error, "sqlstate", None) or _code_of(str(error))


def _code_of(text: str) -> str:
    if 'database "' in text and "does not exist" in text:
        return "3D000"
    return next((code for part, code in _REFUSALS.items() if part in text), "")


def _server(address: str) -> str:
    try:
        parts = urlsplit(address)
        return f"{parts.hostname or 'this computer'}:{parts.port or 5432}"
    except ValueError:
        return "its address"
