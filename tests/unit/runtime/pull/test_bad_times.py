"""Certificates that end in the middle of an action, clocks that differ by a day."""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.pull.errors import TryLater
from tests.rigs.pull.artifacts import artifact_of
from tests.rigs.pull.board import NAME, PullBoard
from tests.rigs.pull.ddi_server import DdiServer, Offer
from tests.rigs.pull.tls import certificate
from tests.unit.runtime.pull.conftest import MakeBoard

DAY_S = 86400.0


def authority(board: PullBoard, *shown: Path) -> None:
    """Let a board trust servers that show one of these."""
    found = [
        re.findall("-----BEGIN CERT.*?END CERTIFICATE-----\n", one.read_text(), re.DOTALL)
        for one in shown
    ]
    text = "".join(found[0] + found[1])
    board.folder.write(board.settings._replace(ca=True), "", text)


def test_a_certificate_that_ends_in_the_middle_of_a_download(
    make_board: MakeBoard, bundles: list[Bundle], tmp_path: Path
) -> None:
    fresh = certificate(tmp_path / "fresh.pem")
    ended = certificate(tmp_path / "ended.pem", days=-0.01)
    with DdiServer(tls=fresh) as server:
        board = make_board(server=server.url)
        authority(board, fresh, ended)
        server.offer(NAME, Offer("12", artifact_of(bundles[0], tmp_path)))
        server.faults.cut_after = 1000
        with pytest.raises(TryLater, match="ended in the middle"):
            board.poll()
        server.show(ended)
        with pytest.raises(TryLater, match="expired"):
            board.poll()
        assert server.outcomes(NAME) == []
        assert board.current == ""
        server.show(fresh)
        board.poll()
        assert board.current == bundles[0].digest
        assert server.ranges == ["bytes=1000-"]
        assert server.outcomes(NAME) == ["success"]


def test_a_certificate_that_ends_before_the_outcome_is_reported(
    make_board: MakeBoard, bundles: list[Bundle], tmp_path: Path
) -> None:
    fresh = certificate(tmp_path / "fresh.pem")
    ended = certificate(tmp_path / "ended.pem", days=-0.01)
    with DdiServer(tls=fresh) as server:
        board = make_board(server=server.url)
        authority(board, fresh, ended)
        server.offer(NAME, Offer("12", artifact_of(bundles[0], tmp_path)))
        client = board.client()
        report = client._report_outcome

        def report_later() -> None:
            if client.state.outcome:
                server.show(ended)
                client._connection.close()
            report()

        client._report_outcome = report_later  # type: ignore[method-assign]
        with pytest.raises(TryLater, match="expired"):
            client.poll()
        assert board.current == bundles[0].digest
        assert server.outcomes(NAME) == []
        server.show(fresh)
        board.poll()
        assert server.outcomes(NAME) == ["success"]
        assert board.events() == ["active"]


@pytest.mark.parametrize(("days", "side"), [(-1, "fast"), (1, "slow")])
def test_a_release_is_installed_with_a_clock_that_is_a_day_off(
    make_board: MakeBoard,
    server: DdiServer,
    bundles: list[Bundle],
    tmp_path: Path,
    days: int,
    side: str,
) -> None:
    board = make_board()
    server.faults.date = formatdate(time.time() + days * DAY_S, usegmt=True)
    server.offer(NAME, Offer("12", artifact_of(bundles[0], tmp_path)))
    board.poll()
    assert board.current == bundles[0].digest
    assert server.outcomes(NAME) == ["success"]
    assert f"24.0 h {side} by the server's" in server.sentences(NAME)
