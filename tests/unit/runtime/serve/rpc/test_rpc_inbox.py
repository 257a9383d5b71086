"""Messages of gRPC while they are received and answered: turns, and room in the budget."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio

from studio.runtime.serve.http.budget import BodyBudget
from studio.runtime.serve.rpc.inbox import COPIES, LARGE, Inbox

MB = 1 << 20


class Call:
    """A call whose client sends its message when it is told to."""

    def __init__(self, message: Any = grpc.aio.EOF) -> None:
        self._message = message
        self.sends = asyncio.Event()
        self.sends.set()

    async def read(self) -> Any:
        await self.sends.wait()
        return self._message


async def received(inbox: Inbox, call: Call) -> bytes:
    """The message of a call that is answered at once."""
    receipt = await inbox.receipt(call)
    try:
        return await receipt.message()
    finally:
        receipt.close()


def test_a_large_message_keeps_its_room_until_its_call_is_answered() -> None:
    async def talk() -> None:
        budget = BodyBudget(100 * MB)
        inbox = Inbox(budget, 20 * MB)
        receipt = await inbox.receipt(Call(bytes(MB)))
        assert len(await receipt.message()) == MB
        assert budget.held == COPIES * MB
        assert await received(inbox, Call(b"another")) == b"another"
        receipt.close()
        assert budget.held == 0

    asyncio.run(talk())


def test_without_room_a_large_message_keeps_its_turn() -> None:
    async def talk() -> None:
        budget = BodyBudget(0)
        inbox = Inbox(budget, 200 * MB)
        receipt = await inbox.receipt(Call(bytes(40 * MB)))
        await receipt.message()
        second = asyncio.ensure_future(received(inbox, Call(b"another")))
        await asyncio.sleep(0.05)
        assert not second.done()
        receipt.close()
        receipt.close()  # also twice, the turn goes on once
        assert await second == b"another"
        third, fourth = await inbox.receipt(Call()), asyncio.ensure_future(inbox.receipt(Call()))
        await asyncio.sleep(0.01)
        assert not fourth.done(), "one at a time"
        third.close()
        (await fourth).close()

    asyncio.run(talk())


def test_small_messages_leave_nothing_and_wait_for_no_answer() -> None:
    async def talk() -> None:
        budget = BodyBudget(MB)
        inbox = Inbox(budget, 20 * MB)
        receipts = [await inbox.receipt(Call(bytes(LARGE - 1)))]
        await receipts[0].message()
        receipts.append(await inbox.receipt(Call()))
        assert await receipts[1].message() == b""
        assert budget.held == 0
        for receipt in receipts:
            receipt.close()
        assert await received(inbox, Call(b"last")) == b"last"

    asyncio.run(talk())


def test_a_slow_message_counts_as_the_largest_until_it_is_there() -> None:
    async def talk() -> None:
        budget = BodyBudget(100 * MB)
        inbox = Inbox(budget, 20 * MB)
        slow = Call(bytes(MB))
        slow.sends.clear()
        receipt = await inbox.receipt(slow)
        message = asyncio.ensure_future(receipt.message())
        assert await received(inbox, Call(b"another")) == b"another", "its turn goes on"
        assert budget.held == 20 * MB
        slow.sends.set()
        assert len(await message) == MB
        assert budget.held == COPIES * MB
        receipt.close()
        assert budget.held == 0

    asyncio.run(talk())


def test_who_leaves_while_it_waits_takes_no_turn() -> None:
    async def talk() -> None:
        inbox = Inbox(BodyBudget(MB), 20 * MB)
        first = await inbox.receipt(Call())
        waiting = asyncio.ensure_future(inbox.receipt(Call()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        first.close()
        assert await received(inbox, Call(b"next")) == b"next"

    asyncio.run(talk())
