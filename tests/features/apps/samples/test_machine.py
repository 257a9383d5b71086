"""The composed machine: what the app of the sample reports of fresh recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Silent
from studio.features.apps.context import DeskContext
from studio.features.apps.files import AppFiles
from studio.runtime.apps.event_match import match_events
from studio.runtime.apps.items import FrameStamp
from studio.runtime.apps.mailbox import ReadFrame
from studio.runtime.apps.runner import GraphRunner
from studio.samples.recordings import CLEAN, HARD, RATE_HZ, Conditions, Machine, write_signal
from studio.settings import resource

PIECE = 410
KINDS = ("bearing-damage", "vibration-high")


def watched(machine: Machine) -> list[dict[str, Any]]:
    """Events of the app of the sample on a recording."""
    files = AppFiles.open(resource("samples", "vibration"))
    runner = GraphRunner(files.graph({}), DeskContext(files, 1))
    signal = machine.signal().astype(numpy.float32)[:, None]
    found = []
    for number, begin in enumerate(range(0, len(signal), PIECE)):
        stamp = FrameStamp("sensor", number, begin / RATE_HZ, begin / RATE_HZ, 0.0)
        (result,) = runner.run([ReadFrame(stamp, signal[begin : begin + PIECE])])
        assert not result.failed
        found += [event.to_json() for event in result.all_events]
    return [one for one in found if one["kind"] in KINDS]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("conditions", [CLEAN, HARD])
def test_damage_is_reported_when_it_begins_and_nothing_else(
    seed: int, conditions: Conditions
) -> None:
    machine = Machine(seed, 40.0, conditions)
    match = match_events([one.to_json() for one in machine.events()], watched(machine), 1.0)
    assert (match.missing, match.extra) == ((), ())
    assert len(match.pairs) == 3


def test_a_machine_that_stays_well_gives_no_event() -> None:
    machine = Machine(4, 20.0, HARD)
    machine.damaged_at = 100.0
    assert watched(machine) == []


def test_same_seed_gives_the_same_signal() -> None:
    assert numpy.array_equal(Machine(5, 2.0).signal(), Machine(5, 2.0).signal())
    assert not numpy.array_equal(Machine(5, 2.0).signal(), Machine(6, 2.0).signal())


def test_signal_is_written_with_a_header_and_a_row_for_each_sample(tmp_path: Path) -> None:
    path = tmp_path / "machine.csv"
    write_signal(path, Machine(7, 1.0), Silent())
    lines = path.read_text().splitlines()
    assert lines[0] == "acceleration"
    read = numpy.array([float(line) for line in lines[1:]])
    assert numpy.allclose(read, Machine(7, 1.0).signal(), atol=1e-4)
