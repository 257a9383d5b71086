"""Inbox of the messages being received, with bounds on their time and memory.

gRPC reports nothing about a message before all of it has arrived. So one that takes longer than a
moment counts as one of the largest size, and needs room in the budget of large bodies. Until
then a few are received at a time, the others wait. A large message that has arrived keeps
its room until its call is answered, or, without room, its turn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, Deque, Dict, Optional, Set

import grpc
import grpc.aio

from ..http.budget import BodyBudget

_LOOK_S = 0.1
"""After which a message is large, and between two looks at those that are."""
_LIMIT_S = 60.0
"""For a message to come."""
_UNHURRIED_S = 10.0
"""For a message that others wait for."""
_PATIENCE_S = 2.0
"""For a message that there is no room for."""
_SUPPOSED = 1 << 20
"""Bytes a second of a message that others wait for."""
_READERS = 1
"""Messages that are received at a time before anything is known of their size."""
LARGE = 64 * 1024
"""Bytes from which a message counts."""
COPIES = 2
"""Of a message: that of the library and ours, then ours and what is read from it."""
_FULL = "The server receives too many large requests."
_LATE = "The request did not come in time."
_clock = time.monotonic


class Receipt:
    """One message, from its turn to the answer of its call (see ``budget.Receiver``).

    Attributes:
        holds: Whether it has room in the budget.
    """

    def __init__(self, context: grpc.aio.ServicerContext, inbox: Inbox) -> None:
        self.context = context
        self.began = _clock()
        self.holds = False
        self._inbox = inbox
        self._takes_turn = True
        self._is_there = False

    async def message(self) -> bytes:
        """Return the message; nothing when the client sends none."""
        data = await self._inbox.read(self)
        self._is_there = True
        size = 0 if data is grpc.aio.EOF else len(data)
        if size < LARGE:
            self.close()
        else:
            self._inbox.charge(self, size)
        return data if size else b""

    def close(self) -> None:
        """End the receipt after its call is answered."""
        self.pass_turn()
        if self.holds:
            self.holds = False
            self._inbox.budget.release(self)

    def pass_turn(self) -> None:
        """Let the next be received: enough is known of this one."""
        if self._takes_turn:
            self._takes_turn = False
            self._inbox.pass_on()

    def granted(self) -> None:
        """Do nothing: a message that has started cannot be stopped, so no receipt waits."""

    def give_way(self) -> None:
        """Others wait for its room."""
        self._inbox.refuse(self, grpc.StatusCode.DEADLINE_EXCEEDED, _LATE)

    def received(self, now: float) -> Optional[int]:
        """Return an assumed size, as gRPC reports none: steady progress for a time, then none."""
        if self._is_there:
            return None
        return int(min(now - self.began, _UNHURRIED_S) * _SUPPOSED)


class Inbox:
    """Receives the one message of a call.

    Attributes:
        budget: Memory for large messages.
    """

    def __init__(self, budget: BodyBudget, size: int) -> None:
        """Begin with nothing.

        Args:
            size: Bytes that the largest message takes.
        """
        self.budget = budget
        self._size = size
        self._open: Dict[Receipt, None] = {}
        self._free = _READERS
        self._queue: Deque[asyncio.Future[None]] = deque()
        self._looks = False
        self._refusals: Set[asyncio.Task[None]] = set()

    async def receipt(self, context: grpc.aio.ServicerContext) -> Receipt:
        """Wait until it is a call's turn to be received; close what comes back."""
        if self._free:
            self._free -= 1
        else:
            await self._turn()
        return Receipt(context, self)

    async def read(self, receipt: Receipt) -> Any:
        """Read the client's message; end the call when that takes too long."""
        self._open[receipt] = None
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_later(_LOOK_S, self._poll)
        try:
            return await receipt.context.read()
        finally:
            self._open.pop(receipt, None)

    def charge(self, receipt: Receipt, size: int) -> None:
        """Charge a received message to the budget or, where that is full, to its turn."""
        taken = min(COPIES * size, self._size)
        if receipt.holds:
            self.budget.shrink(receipt, taken)
        elif self.budget.has_room(taken):
            receipt.holds = self.budget.acquire(receipt, taken)
            receipt.pass_turn()

    async def _turn(self) -> None:
        """Wait until another message is there, or known to be large."""
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.pass_on()
            raise

    def pass_on(self) -> None:
        """Pass the turn to the next receipt."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _poll(self) -> None:
        now = _clock()
        for receipt in tuple(self._open):
            age = now - receipt.began
            if age > _LIMIT_S:
                self.refuse(receipt, grpc.StatusCode.DEADLINE_EXCEEDED, _LATE)
            elif age > _LOOK_S and not receipt.holds:
                self._count(receipt, age)
        self._looks = bool(self._open)
        if self._looks:
            asyncio.get_running_loop().call_later(_LOOK_S, self._poll)

    def _count(self, receipt: Receipt, age: float) -> None:
        if self.budget.has_room(self._size):
            receipt.holds = self.budget.acquire(receipt, self._size)
            receipt.pass_turn()
        elif age > _PATIENCE_S:
            self.refuse(receipt, grpc.StatusCode.UNAVAILABLE, _FULL)

    def refuse(self, receipt: Receipt, code: grpc.StatusCode, sentence: str) -> None:
        """End a call while its message is awaited: a read that is cancelled would be written to."""
        self._open.pop(receipt, None)
        task = asyncio.get_running_loop().create_task(_end(receipt.context, code, sentence))
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)


async def _end(context: grpc.aio.ServicerContext, code: grpc.StatusCode, sentence: str) -> None:
    try:
        await context.abort(code, sentence)
    except Exception:  # it raises in order to end a handler
        return
