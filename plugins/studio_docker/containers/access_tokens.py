"""The token that callers must send: from a file here into the volume that gate and releases share.

It is in no variable and no command line, which an engine shows to whoever may ask it.
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
    """The tokens in a file of the user's; empty without a file.

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
    """The token to show to the server; empty when it wants none."""
    found = engine.read(gate, f"/{TOKEN}") if guarded else None
    return found.decode().split("\n")[0] if found else ""
