"""The publication: one thread that sends a heartbeat now and then, and keeps what it could not."""

from __future__ import annotations

import asyncio
import random
import threading
from pathlib import Path
from typing import List, Optional

from ...fleet.link import BrokerLink, close_link, open_link
from ...fleet.outbox import Outbox
from ...fleet.settings import FOLDER, FleetSettings
from ...shared.threads import guarded_thread
from ..service import Service
from .board_report import counter_of, encoded, heartbeat
from .run_counts import Json, RunCounts

_ANSWER_S = 10.0
_LAST_S = 2.0


class StatePublisher:
    """Publishes the state of a board.

    The counts in a heartbeat are totals of each run, so a lost one loses none. A failure is logged
    once, and so is the end of failures. The first heartbeat comes after a random part of the
    interval: boards that start together do not speak together.
    """

    def __init__(self, service: Service, settings: FleetSettings, run: Optional[Path]) -> None:
        """Prepare it.

        Args:
            run: Folder of the server's own files; None without one.
        """
        self._service = service
        self._settings = settings
        self._run = run
        self._outbox = Outbox(None if run is None else run / FOLDER)
        self._runs = RunCounts()
        self._number = 0
        self._link: Optional[BrokerLink] = None
        self._fails = False
        self._ends = threading.Event()
        self._thread = guarded_thread("fleet", self._work)

    def start(self) -> None:
        """Begin to publish; called in the event loop's thread."""
        repository = self._service.repository
        before = repository.replaced

        def replaced() -> None:
            before()
            self._runs.follow(repository.all())

        repository.replaced = replaced
        self._runs.follow(repository.all())
        self._thread.start()

    def close(self) -> None:
        """Publish for the last time, and end; returns within seconds."""
        self._ends.set()
        self._thread.join(3 * _LAST_S)

    def publish(self, wait_s: float = _ANSWER_S) -> None:
        """Publish once, on a new connection where the one before has ended.

        Args:
            wait_s: Seconds for each answer.

        Raises:
            OSError: when it fails, in a few words.
        """
        own = self._snapshot()
        self._outbox.store(own)  # before it is sent: what others know is never less
        self._number += 1
        message = heartbeat(
            self._service,
            self._settings,
            self._outbox,
            self._number,
            self._outbox.all(own),
            counter_of(self._run),
        )
        content = encoded(message, self._outbox)
        identity = "{}-{}".format(self._outbox.boot, self._number)
        try:
            self._send(content, identity, wait_s)
        except OSError:
            if self._link is None:
                raise
            self._close()
            self._send(content, identity, wait_s)  # the broker may have ended an old connection

    def _send(self, content: bytes, identity: str, wait_s: float) -> None:
        fresh = self._link is None
        if self._link is None:
            self._link = open_link(self._settings, wait_s)
        try:
            self._link.publish(content, identity)
        except BaseException:
            if fresh:
                self._close()
            raise

    def _close(self) -> None:
        link, self._link = self._link, None
        close_link(link)

    def _snapshot(self) -> List[Json]:
        """Return the counts, taken in the event loop's thread."""

        async def taken() -> List[Json]:
            return self._runs.snapshot(self._service.repository.all())

        loop = self._service.executor.loop
        return asyncio.run_coroutine_threadsafe(taken(), loop).result(_ANSWER_S)

    def _work(self) -> None:
        every_s = self._settings.every_s
        wait_s = random.uniform(0.0, min(every_s, 10.0))
        while not self._ends.wait(wait_s):
            self._try(_ANSWER_S)
            wait_s = random.uniform(0.9, 1.1) * every_s
        self._end()

    def _end(self) -> None:
        """Publish for the last time; a broker that is away must not hold up the end."""
        if self._fails:
            self._outbox.store(self._snapshot())
        else:
            self._try(_LAST_S)
        self._close()

    def _try(self, wait_s: float) -> None:
        reason = ""
        try:
            self.publish(wait_s)
        except Exception as error:  # the thread must live on, whatever the broker sends
            self._close()
            reason = str(getattr(error, "strerror", None) or error)[:300] or "no reason given"
        if bool(reason) != self._fails:
            self._fails = bool(reason)
            log, host = self._service.log.event, self._settings.address.host
            if reason:
                log("state is not published", broker=host, error=reason)
            else:
                log("state is published again", broker=host)
