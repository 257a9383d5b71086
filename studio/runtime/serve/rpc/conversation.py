"""One request over gRPC, from its message to its reply, whatever transports them."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from typing import Mapping, Optional, cast
from urllib.parse import unquote

from ..http.answer_stream import AnswerStream
from ..http.body import too_large
from ..http.exchange import Exchange
from ..http.message import Headers, HttpError, Request, Response
from ..rest.router import CONTROL_BYTES
from ..service import Service, unauthorized
from .codec import decode, encode
from .infer import RpcCall
from .messages import INFER_REQUEST
from .methods import Method
from .reply import Reply, refusal, refused
from .wire import WireError

_LATE = "Inference timed out."
_MISTAKE = "Internal server error. See the server log."


class Client:
    """Sender of a request that waits for its reply; the counterpart of an HTTP connection.

    Attributes:
        peer: Its address.
    """

    __slots__ = ("_reply", "peer")

    def __init__(self, peer: str) -> None:
        self.peer = address_of(peer)
        self._reply: Optional[asyncio.Future[Response]] = None

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Take the reply."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(response)

    def extend(self) -> None:
        """Do nothing: its own deadline is the client's."""

    def stream(self, exchange: Exchange, response: Response) -> AnswerStream:
        """Refuse: a reply has an end."""
        raise HttpError(501, "This answer has no end, and comes over HTTP/1.1 alone.")

    async def wait(self, exchange: Exchange, limit_s: float) -> Response:
        """Wait for the reply; a refusal, when the limit passes before."""
        loop = asyncio.get_running_loop()
        self._reply = loop.create_future()
        timer = loop.call_later(limit_s, self._expire, exchange) if limit_s else None
        try:
            return await self._reply
        except asyncio.CancelledError:  # it has left, or its own deadline has passed
            exchange.gone = True
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self, exchange: Exchange) -> None:
        self.finish(exchange, refusal(504, _LATE))
        exchange.gone = True


def address_of(peer: str) -> str:
    """Return the address in ``ipv4:127.0.0.1:50051``, ``ipv6:%5B::1%5D:50051`` and the like."""
    kind, _, rest = peer.partition(":")
    return unquote(rest.rpartition(":")[0]).strip("[]") if kind.startswith("ipv") else ""


class Conversations:
    """Answers requests: those of the tables with documents, those of inference by running."""

    def __init__(self, service: Service, limit_s: float) -> None:
        """Remember how.

        Args:
            limit_s: Until a reply must be there; 0 for no limit.
        """
        self._service = service
        self._limit_s = limit_s

    def refusal_of(
        self, path: str, method: Optional[Method], headers: Headers, peer: str
    ) -> Optional[Reply]:
        """Return the reply to a call that may not be made, before its message is received."""
        if self._may_ask(method, headers):
            return None
        reply = refused(unauthorized())
        client = Client(peer)
        exchange = Exchange(client, Request("POST", path, "", headers, True), time.monotonic())
        reply.trace = exchange.trace
        self._service.answered(exchange, reply, client.peer)
        return reply

    async def answer(
        self, path: str, method: Optional[Method], data: bytes, headers: Headers, peer: str
    ) -> Reply:
        """Answer a request, also one that goes wrong; logged when it is its turn.

        Args:
            method: None for inference.
            headers: What of the metadata is looked at, by lower-case names.
        """
        client = Client(peer)
        request = Request("POST", path, "", headers, True)
        request.body = data
        exchange = Exchange(client, request, time.monotonic())
        if self._service.traces is not None:
            self._service.traces.begin(exchange)
        try:
            if not self._may_ask(method, headers):
                raise unauthorized()
            if method is None:
                reply = await self._infer(client, exchange, data)
            else:
                reply = await self._document(method, data)
        except HttpError as error:
            reply = refused(error)
        except WireError as error:
            reply = refusal(400, "The message cannot be read: {}.".format(error))
        except Exception:
            traceback.print_exc(file=sys.stderr)
            reply = refusal(500, _MISTAKE)
        reply.trace = exchange.trace
        self._service.answered(exchange, reply, client.peer)
        return reply

    def _may_ask(self, method: Optional[Method], headers: Headers) -> bool:
        probe = method is not None and method.probe
        return probe or self._service.admits(headers.get("authorization", ""))

    async def _document(self, method: Method, data: bytes) -> Reply:
        if len(data) > CONTROL_BYTES:
            raise too_large(CONTROL_BYTES)
        found = method.endpoint(self._service, decode(method.request, data))
        if asyncio.iscoroutine(found):
            found = await asyncio.shield(found)  # it is finished also when the client leaves
        return Reply(encode(method.response, cast(Mapping[str, object], found)))

    async def _infer(self, client: Client, exchange: Exchange, data: bytes) -> Reply:
        service = self._service
        fields = decode(INFER_REQUEST, data)
        name, version = fields.get("model_name", ""), fields.get("model_version", "")
        model = service.repository.find(name, version)
        call = RpcCall(exchange, model, service.max_body, fields)
        response = service.infer(exchange, model, call)
        if response is None:
            response = await client.wait(exchange, self._limit_s)
        return cast(Reply, response)
