"""A feed from a stream: a consumer that is made again whenever the server lost it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from studio.api import BrokerLogin, StateMessage, TargetError

STREAM = "edgewright-state"
_CONNECT_S = 5.0
_BATCH = 500
_LARGEST = 64 * 1024
_IDLE_S = 60.0
_PING_S = 10
_AGAIN_S = 0.5
_OPEN_S, _END_S = 20.0, 2.0
_ENDED = "it ended the connection, as it does for a wrong user or password"
ResultT = TypeVar("ResultT")


class NatsFeed:
    """Messages of a stream, the newest of each board first of all.

    The consumer lives in the server's memory and acknowledges nothing: a server that was killed
    has forgotten it, and the next one begins again with the newest message of each board.

    Attributes:
        interruptions: How often the consumer or the connection was lost.
        caught_up: Whether all that was stored at the beginning has been read.
    """

    def __init__(self, address: str, subject: str, login: BrokerLogin, *, create: bool) -> None:
        """Connect.

        Raises:
            TargetError: when the server does not answer, refuses, or lacks a stream.
        """
        self.interruptions = 0
        self.caught_up = False
        self._address, self._subject = address, f"{subject}.*"
        self._login, self._create = login, create
        self._refusal = ""
        self._client = Client()
        self._pull: JetStreamContext.PullSubscription | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        try:
            self._wait(asyncio.wait_for(self._open(), _OPEN_S))
        except TargetError:
            self.close()
            raise
        except (TimeoutError, NatsError, APIError, OSError, ssl.SSLError) as error:
            self.close()
            reason = self._refusal or _reason(error)
            raise TargetError(f"{address} cannot be used: {reason}.") from None

    def _wait(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        login, more = self._login, {}
        if self._address.startswith("tls:"):
            more["tls"] = _tls(login)
        await self._client.connect(
            self._address,
            user=login.user or None,
            password=login.password or None,
            token=login.token or None,
            name="edgewright studio",
            connect_timeout=_CONNECT_S,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # of the first connection; it has no word for "none"
            reconnect_time_wait=0.1,
            ping_interval=_PING_S,
            error_cb=self._on_error,
            **more,
        )
        await self._subscribe()

    async def _on_error(self, error: Exception) -> None:
        # The server's own words stay: the end of the connection follows them.
        if self._refusal in ("", _ENDED):
            self._refusal = _reason(error)

    async def _subscribe(self) -> None:
        context = self._client.jetstream(timeout=_CONNECT_S)
        stream = await self._stream(context)
        settings = ConsumerConfig(
            deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
            ack_policy=AckPolicy.NONE,
            filter_subject=self._subject,
            inactive_threshold=_IDLE_S,
            mem_storage=True,
        )
        self._pull = await context.pull_subscribe(
            self._subject, stream=stream, config=settings, pending_bytes_limit=64 << 20
        )

    async def _stream(self, context: JetStreamContext) -> str:
        """Return the name of the stream with the subject, which is created where that is wanted."""
        with contextlib.suppress(NotFoundError):
            return str(await context.find_stream_name_by_subject(self._subject))
        if not self._create:
            raise TargetError(
                f"{self._address} has no stream with the subject {self._subject}.",
                hint="Run the command with --create once, or create a stream with one message "
                "for each subject.",
            )
        settings = StreamConfig(
            name=STREAM,
            subjects=[self._subject],
            max_msgs_per_subject=1,
            max_msg_size=_LARGEST,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
        )
        await context.add_stream(settings)
        return STREAM

    def read(self, wait_s: float) -> Sequence[StateMessage]:
        """Return the next messages, at most a thousand, or none after a time.

        Raises:
            TargetError: when the server refuses for good, in one sentence.
        """
        return self._wait(self._read(wait_s))

    async def _read(self, wait_s: float) -> Sequence[StateMessage]:
        until = time.monotonic() + wait_s
        while True:
            try:
                if self._pull is None:
                    await self._again()
                return await self._fetch(max(until - time.monotonic(), 0.05))
            except NatsTimeout:
                if self._client.is_connected:
                    self.caught_up = True
                    return ()
                self._lost()
            except (TimeoutError, NatsError, APIError, OSError):
                self._lost()
            if time.monotonic() >= until:
                return ()
            await asyncio.sleep(_AGAIN_S)

    def _lost(self) -> None:
        if self._pull is not None:
            self.interruptions += 1
        self._pull = None

    async def _again(self) -> None:
        """Make the consumer again, on a new connection where the old one has ended."""
        if self._client.is_connected:
            await self._subscribe()
            return
        with contextlib.suppress(NatsError, OSError):
            await self._client.close()
        self._client = Client()
        await self._open()

    async def _fetch(self, wait_s: float) -> Sequence[StateMessage]:
        assert self._pull is not None
        messages = await self._pull.fetch(_BATCH, timeout=wait_s)
        now = time.time()
        found = []
        for one in messages:
            facts = one.metadata
            age = now - facts.timestamp.timestamp() if facts.timestamp is not None else 0.0
            found.append(StateMessage(one.subject.rpartition(".")[2], one.data, max(age, 0.0)))
            self.caught_up = self.caught_up or not facts.num_pending
        return found

    def forget(self, board: str) -> None:
        """Remove the message of a board from the stream.

        Raises:
            TargetError: when the server refuses, in one sentence.
        """
        try:
            self._wait(self._purge(f"{self._subject.rpartition('.')[0]}.{board}"))
        except (TimeoutError, NatsError, APIError, OSError) as error:
            reason = _reason(error)
            raise TargetError(f"{self._address} removes no message: {reason}.") from None

    async def _purge(self, subject: str) -> None:
        context = self._client.jetstream(timeout=_CONNECT_S)
        stream = await context.find_stream_name_by_subject(self._subject)
        await context.purge_stream(stream, subject=subject)

    def close(self) -> None:
        """Disconnect."""
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CONNECT_S)
        self._loop.close()

    async def _end(self) -> None:
        """Disconnect within seconds; a client whose TLS failed would wait for ever."""
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await asyncio.wait_for(self._client.close(), _END_S)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        if others:
            await asyncio.wait(others, timeout=_END_S)


def _tls(login: BrokerLogin) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=login.ca or None)
    if login.certificate:
        context.load_cert_chain(login.certificate, login.key)
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return "it does not answer"
    if isinstance(error, (BrokenPipeError, ConnectionResetError)):
        return _ENDED
    text = str(getattr(error, "description", None) or error) or "no reason given"
    return text[:200].rstrip(".")
