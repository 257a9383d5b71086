"""The gRPC server: grpcio in the event loop of the HTTP server, in front of the same service."""

from __future__ import annotations

import asyncio
import os

# It would write a line for whatever a stranger sends; it is too late once grpc is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from pathlib import Path
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, NamedTuple, Optional, Tuple

import grpc
import grpc.aio

from ...shared.access_tokens import mark_of
from ..http.budget import BodyBudget
from ..http.message import Headers
from ..service import Service
from .codec import encode
from .conversation import Conversations
from .inbox import COPIES, Inbox
from .messages import STREAM_ANSWER
from .methods import INFER, METHODS, STREAM, Method
from .reply import Reply

_LOOKED_AT = ("authorization", "traceparent")
_IDLE_MS = 300_000
"""Without a request, after which a client is asked to connect again with its next one."""
_GREETING_MS = 10_000
"""For the first bytes of a client, TLS included."""
_HALF_OPEN_MS = 60_000
"""Of silence, after which the server asks whether a client is still there."""
_PINGS_MS = 10_000
"""Between two pings of a client."""

_ALL_COMPRESSIONS, _NO_COMPRESSION = 0b111, 0b001
"""Bits of gRPC's algorithms: as it is, deflate, gzip."""

_HOLD_S = 0.1
"""For a client on the network to get an answer and to send its next request."""


class Certificate(NamedTuple):
    """Files of the certificate chain and of its private key."""

    chain: Path
    key: Path


class RpcServer:
    """Answers over gRPC what the HTTP server answers over REST.

    Attributes:
        address: Host and port where it answers, as gRPC writes them.
    """

    def __init__(
        self, service: Service, budget: BodyBudget, max_connections: int, limit_s: float
    ) -> None:
        """Prepare; call it in the running event loop.

        Args:
            budget: Memory for large messages.
            limit_s: Until a reply must be there; 0 for no limit.
        """
        self._service = service
        self._conversations = Conversations(service, limit_s)
        self._inbox = Inbox(budget, min(COPIES * service.max_body, budget.limit))
        self._max_connections = max_connections
        self._server: Optional[grpc.aio.Server] = None
        self._held: Optional[asyncio.Event] = None
        self.address = ""

    async def start(self, address: str, shared: bool, certificate: Optional[Certificate]) -> None:
        """Begin to answer.

        Args:
            address: Host and port, as gRPC writes them.
            shared: Whether other processes of this user may listen there too.

        Raises:
            OSError: when the address is taken.
        """
        server = grpc.aio.server(
            handlers=_by_service(self._handlers()),
            options=self._options(shared),
            maximum_concurrent_rpcs=self._max_connections,
        )
        try:
            if certificate is None:
                server.add_insecure_port(address)
            else:
                server.add_secure_port(address, _credentials(certificate))
        except RuntimeError as error:
            raise OSError(str(error)) from error
        await server.start()
        self._server, self.address = server, address

    async def drain(self, limit_s: float) -> None:
        """Accept no more, let the unfinished requests finish, and close.

        gRPC cancels a request that comes just when it stops, although its handler has not started.
        So answers are delayed for a moment: a client that waits for one sends nothing new until
        it has received the order to reconnect.
        """
        if self._server is None:
            return
        self._held = asyncio.Event()
        await asyncio.sleep(_HOLD_S)
        stopped = asyncio.ensure_future(self._server.stop(limit_s))
        await asyncio.sleep(_HOLD_S)
        self._held.set()
        await stopped

    async def _received(
        self, path: str, method: Optional[Method], context: grpc.aio.ServicerContext
    ) -> Reply:
        """Receive a message and make the reply.

        Separate from the abort of a call: the error retains the frame that raised it until the next
        garbage collection, and would retain the message.
        """
        headers, peer = _headers(context), context.peer()
        refused = self._conversations.refusal_of(path, method, headers, peer)
        if refused is not None:
            return refused
        receipt = await self._inbox.receipt(context)
        try:
            return await self._reply(path, method, await receipt.message(), headers, peer)
        finally:
            receipt.close()

    async def _reply(
        self, path: str, method: Optional[Method], data: bytes, headers: Headers, peer: str
    ) -> Reply:
        reply = await self._conversations.answer(path, method, data, headers, peer)
        if self._held is not None:
            await self._held.wait()
        return reply

    def _options(self, shared: bool) -> List[Tuple[str, Any]]:
        return [
            ("grpc.so_reuseport", int(shared)),
            ("grpc.max_receive_message_length", self._service.max_body),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_connection_idle_ms", _IDLE_MS),
            ("grpc.server_handshake_timeout_ms", _GREETING_MS),
            ("grpc.keepalive_time_ms", _HALF_OPEN_MS),
            ("grpc.http2.min_ping_interval_without_data_ms", _PINGS_MS),
            ("grpc.max_allowed_incoming_connections", self._max_connections),
            ("grpc.compression_enabled_algorithms_bitset", _compressions()),
        ]

    def _handlers(self) -> Dict[str, grpc.RpcMethodHandler]:
        handlers = {
            path: grpc.stream_unary_rpc_method_handler(self._answering(path, method))
            for path, method in METHODS.items()
        }
        handlers[INFER] = grpc.stream_unary_rpc_method_handler(self._answering(INFER, None))
        handlers[STREAM] = grpc.stream_stream_rpc_method_handler(self._stream)
        return handlers

    def _answering(
        self, path: str, method: Optional[Method]
    ) -> Callable[[Any, Any], Awaitable[bytes]]:
        """Answer a method that takes one message, which is received here: not before the token."""

        async def answer(messages: Any, context: grpc.aio.ServicerContext) -> bytes:
            reply = await self._received(path, method, context)
            context.set_trailing_metadata(reply.metadata)
            if reply.code != "OK":
                await context.abort(getattr(grpc.StatusCode, reply.code), reply.sentence)
            return reply.body

        return answer

    async def _stream(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[bytes]:
        """Answer one after the other; what goes wrong with one does not end the stream."""
        headers, peer = _headers(context), context.peer()
        refused = self._conversations.refusal_of(STREAM, None, headers, peer)
        if refused is not None:
            yield _streamed(refused)
            return
        async for data in requests:
            reply = await self._reply(STREAM, None, data, headers, peer)
            yield _streamed(reply)


def _compressions() -> int:
    """Return the compressions that requests may come in: none where a bomb would be unpacked.

    grpcio 1.70, the last one for Python 3.8, unpacks a message before it looks at its size;
    1.85 unpacks no further than the limit.
    """
    version = tuple(int(part) for part in grpc.__version__.split(".")[:2])
    return _ALL_COMPRESSIONS if version >= (1, 85) else _NO_COMPRESSION


def _by_service(handlers: Dict[str, grpc.RpcMethodHandler]) -> List[grpc.GenericRpcHandler]:
    services: Dict[str, Dict[str, grpc.RpcMethodHandler]] = {}
    for path, handler in handlers.items():
        _, service, name = path.split("/")
        services.setdefault(service, {})[name] = handler
    return [grpc.method_handlers_generic_handler(*each) for each in services.items()]


def _headers(context: grpc.aio.ServicerContext) -> Headers:
    pairs = context.invocation_metadata() or ()
    return {name: value for name, value in pairs if name in _LOOKED_AT}


def _streamed(reply: Reply) -> bytes:
    if reply.code == "OK":
        return encode(STREAM_ANSWER, {"infer_response": reply.body})
    return encode(STREAM_ANSWER, {"error_message": reply.sentence})


def _credentials(certificate: Certificate) -> grpc.ServerCredentials:
    """Return the credentials, which read the files again for each client that connects."""
    marks = [_marks(certificate)]

    def configuration() -> grpc.ServerCertificateConfiguration:
        key, chain = certificate.key.read_bytes(), certificate.chain.read_bytes()
        return grpc.ssl_server_certificate_configuration([(key, chain)])

    def renewed() -> Optional[grpc.ServerCertificateConfiguration]:
        found = _marks(certificate)
        if found == marks[0] or None in found:
            return None
        marks[0] = found
        return configuration()

    return grpc.dynamic_ssl_server_credentials(configuration(), renewed)


def _marks(certificate: Certificate) -> Tuple[Any, Any]:
    return mark_of(certificate.chain), mark_of(certificate.key)
