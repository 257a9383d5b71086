"""The options of a channel of the kind ``cloudevents``."""

from __future__ import annotations

import platform
from urllib.parse import quote

from studio.lazy_dataclass import dataclass

BINARY, STRUCTURED = "binary", "structured"
MODES = (BINARY, STRUCTURED)


@dataclass(frozen=True, slots=True)
class CloudEventsOptions:
    """Options of a channel of the kind ``cloudevents``.

    Attributes:
        mode: ``binary`` or ``structured``.
        signing_secret, token_secret: Names of secrets.
        signing_file, token_file: Files with the secrets, which only their owner may read.
        handshake: Whether the receiver must allow events first.
        origin: Name of the sender in the handshake; the computer's by default.
    """

    url: str = ""
    mode: str = BINARY
    signing_secret: str = ""
    token_secret: str = ""
    signing_file: str = ""
    token_file: str = ""
    handshake: bool = True
    origin: str = ""

    @property
    def sender(self) -> str:
        """The name of the sender in the handshake."""
        return self.origin or platform.node() or "edgewright"

    @property
    def source(self) -> str:
        """The source of events."""
        return "/edgewright/" + quote(self.sender, safe=".-_~")
