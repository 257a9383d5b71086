"""Result of the step on the pull client of a board."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PullResult:
    """The pull client of a board.

    Attributes:
        server, tenant, id: Where it polls, and under which name; empty without a client.
        service: Unit of systemd that runs it; empty without one.
        alive: Whether that unit runs; None without one.
        action: Number of the last action at the server; empty before the first.
        outcome: Outcome of that action; empty while it is under way.
        message: What the client noted last.
        removed: Whether this command has removed it.
        client: Program that polls, or that brings releases; empty without a client.
        module: Update module on the board, where Mender brings releases.
    """

    target: str
    server: str = ""
    tenant: str = ""
    id: str = ""
    service: str = ""
    alive: bool | None = None
    action: str = ""
    outcome: str = ""
    message: str = ""
    removed: bool = False
    client: str = ""
    module: str = ""
