"""Start of the gRPC server, where it is requested and grpcio is installed."""

from __future__ import annotations

import sys
from typing import Optional, Protocol

from ...shared.errors import CannotListen
from ...shared.sockets import listen
from ..http.budget import BodyBudget
from ..options import Options
from ..service import Service


class Rpc(Protocol):
    """A server that answers.

    Attributes:
        address: Where.
    """

    address: str

    async def drain(self, limit_s: float) -> None:
        """Accept no more, let the unfinished requests finish, and close."""


def check(options: Options) -> None:
    """Check the options now rather than after a model was loaded.

    Raises:
        CannotListen: when gRPC is requested and grpcio is not installed.
    """
    if options.grpc_port is None:
        return
    try:
        from . import server  # noqa: F401 (whether it can be imported is the question)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != "grpc":
            raise
        sentence = "--grpc-port needs the package grpcio, which the Python at {} lacks{}."
        more = "" if error.name == "grpc" else " ({})".format(error)
        raise CannotListen(sentence.format(sys.executable, more)) from error


async def started(
    service: Service, budget: BodyBudget, options: Options, host: str
) -> Optional[Rpc]:
    """Return the running server, or None if none is requested.

    Args:
        budget: Memory for large messages.
        host: Address of this machine, as the HTTP server has found it.

    Raises:
        CannotListen: when the port is taken.
    """
    if options.grpc_port is None:
        return None
    from .server import Certificate, RpcServer

    port = options.grpc_port
    shared = options.control >= 0  # the supervisor keeps the port for its workers
    if not shared:
        with listen(host, port) as free:
            port = free.getsockname()[1]
    certificate = None
    if options.certificate is not None and options.key is not None:
        certificate = Certificate(options.certificate, options.key)
    server = RpcServer(service, budget, options.max_connections, options.request_s)
    address = "{}:{}".format("[{}]".format(host) if ":" in host else host, port)
    try:
        await server.start(address, shared, certificate)
    except OSError as error:
        raise CannotListen("Cannot speak gRPC at {}: {}".format(address, error)) from error
    return server
