"""A mailbox drops the oldest frames of a live source, and none of a recording."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from studio.runtime.apps.items import FrameStamp
from studio.runtime.apps.mailbox import Mailbox, ReadFrame, take_from


def frame(number: int) -> ReadFrame:
    return ReadFrame(FrameStamp("door", number, 0.0, 0.0, 0.0), np.zeros(1))


@pytest.mark.parametrize("room", [1, 3])
def test_a_live_source_keeps_the_newest_frames(room: int) -> None:
    came = threading.Condition()
    box = Mailbox(True, came, room)
    for number in range(10):
        assert box.put(frame(number))
    with came:
        left = [found.stamp.number for _ in range(room) for found in take_from([box])]
        assert take_from([box]) == []
    assert left == list(range(10 - room, 10))
    assert box.dropped == 10 - room


def test_a_recording_waits_for_room_until_the_mailbox_is_closed() -> None:
    came = threading.Condition()
    box = Mailbox(False, came)
    results: list[bool] = []
    writer = threading.Thread(target=lambda: results.extend(box.put(frame(at)) for at in range(9)))
    writer.start()
    seen: list[int] = []
    while len(seen) < 5:
        with came:
            assert came.wait_for(lambda: box.waits, 60)
            seen += [found.stamp.number for found in take_from([box])]
    box.close()
    writer.join(60)
    assert seen == list(range(5))
    assert box.dropped == 0
    assert results[-1] is False
