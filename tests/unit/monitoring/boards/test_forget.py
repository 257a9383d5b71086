"""Boards that are gone, at a real Mosquitto: removed here and there, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.forget import forget, lines
from studio.monitoring.boards.forget_step import ForgetOptions
from studio.monitoring.boards.step import BoardsOptions
from studio.monitoring.boards.work import file_of, status
from tests.integration.apps.broker import BrokerProcess
from tests.rigs.bundles import QuietJob
from tests.unit.monitoring.boards.boards import message
from tests.unit.monitoring.boards.test_work import broker, publish

pytestmark = [pytest.mark.rig, pytest.mark.needs("mosquitto")]
__all__ = ["broker"]


def seen(source: str, folder: Path) -> list[str]:
    """Return the boards that a look shows."""
    found = status(BoardsOptions(source=source), QuietJob(folder / "job"))
    return sorted(one.name for one in found.boards)


def test_a_named_board_is_removed_here_and_at_the_broker(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    for name in ("cam-1", "cam-2"):
        publish(broker, name, message(name))
    publish(broker, "cam-9", b"no message of a board")
    source = f"mqtt://127.0.0.1:{broker.port}"
    job = QuietJob(tmp_path / "job")
    trial = forget(ForgetOptions(source=source, board=("cam-1",), dry_run=True), job)
    assert lines(trial) == ["Would remove 1 board: cam-1", "2 are known."]
    assert seen(source, tmp_path) == ["cam-1", "cam-2"]
    done = forget(ForgetOptions(source=source, board=("cam-1", "cam-9")), job)
    assert lines(done) == ["Removed 2 boards: cam-1, cam-9", "1 are known."]
    look = status(BoardsOptions(source=source), job)
    assert [one.name for one in look.boards] == ["cam-2"]
    assert look.refused == {}
    publish(broker, "cam-1", message("cam-1"))
    assert seen(source, tmp_path) == ["cam-1", "cam-2"]


def test_boards_that_were_silent_for_days_are_removed(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    source = f"mqtt://127.0.0.1:{broker.port}"
    for name in ("cam-1", "cam-2"):
        publish(broker, name, message(name))
    assert seen(source, tmp_path) == ["cam-1", "cam-2"]
    fleet = FleetState(file_of(source, "edgewright/state"))
    fleet.record("cam-2").heard = time.time() - 40 * 86_400
    assert fleet._store is not None
    fleet._store.remove("cam-2")
    fleet._store.save([fleet.record("cam-2")])
    fleet.close()
    done = forget(ForgetOptions(source=source, silent_days=30.0), QuietJob(tmp_path / "job"))
    assert done.boards == ("cam-2",)
    assert done.known == 1


def test_a_name_that_nobody_has_is_refused_with_the_nearest(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    publish(broker, "cam-1", message("cam-1"))
    source = f"mqtt://127.0.0.1:{broker.port}"
    with pytest.raises(UsageError, match="'cam-l'") as refused:
        forget(ForgetOptions(source=source, board=("cam-l",)), QuietJob(tmp_path / "job"))
    assert refused.value.hint == "Did you mean cam-1?"
    with pytest.raises(UsageError, match="Missing board"):
        forget(ForgetOptions(source=source), QuietJob(tmp_path / "job"))
