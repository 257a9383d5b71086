"""Access token of callers, copied from a file into the volume that listener and releases share.

It is in no variable and no command line, which an engine shows to its users.
"""

from __future__ import annotations

from pathlib import Path

from docker.models.containers import Container

from studio.api import UsageError
from studio_docker.engine.client import Engine
from studio_docker.image.contents import TURNS

_NAME = "token"
TOKEN = f"{TURNS}/{_NAME}"
_SHORTEST = 16


def read_tokens(file: str) -> bytes:
    """Return the tokens in a user's file, or none without a file.

    Raises:
        UsageError: when it cannot be read, or a token is short or could not stand in a header.
    """
    if not file:
        return b""
    try:
        lines = Path(file).expanduser().read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not plain text"
        raise UsageError(f"The token file {file} cannot be read: {reason}.") from None
    if not lines or min(map(len, lines)) < _SHORTEST:
        raise UsageError(f"A token in {file} has fewer than {_SHORTEST} characters.")
    return "\n".join(lines).encode()


def put_tokens(engine: Engine, gate: Container, tokens: bytes) -> None:
    """Write them where the servers read them; servers that run take them at once."""
    if tokens:
        # Who sees the volume is one of the containers, which may run as any user.
        engine.write(gate, f"/{TURNS}", _NAME, tokens, 0o444)


def token_at(engine: Engine, gate: Container, guarded: bool) -> str:
    """Return the token to send to the server, or "" if it needs none."""
    found = engine.read(gate, f"/{TOKEN}") if guarded else None
    return found.decode().split("\n")[0] if found else ""
