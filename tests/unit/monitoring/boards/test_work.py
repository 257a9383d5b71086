"""The steps on the boards of a real Mosquitto: status, watch, filters, and wrong words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetError, TargetSpec, UsageError
from studio.monitoring.boards.join import join
from studio.monitoring.boards.join_step import JoinOptions
from studio.monitoring.boards.login import read_login
from studio.monitoring.boards.step import BoardsOptions, WatchBoardsOptions
from studio.monitoring.boards.texts import lines
from studio.monitoring.boards.work import filter_of, labels_of, source_of, status, watch
from studio.runtime.fleet.link import open_link
from studio.runtime.fleet.settings import settings_of
from studio.settings.paths import HOME_VARIABLE
from tests.integration.apps.broker import BrokerProcess
from tests.rigs.bundles import QuietJob
from tests.unit.monitoring.boards.boards import message, run


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerProcess]:
    """Mosquitto, and a home of its own for the file of the fleet."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    broker = BrokerProcess(tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()


def publish(broker: BrokerProcess, board: str, content: dict[str, Any] | bytes) -> None:
    """Publish a message as a board does."""
    settings = settings_of({"url": f"mqtt://127.0.0.1:{broker.port}", "board": board})
    link = open_link(settings)
    link.publish(content if isinstance(content, bytes) else json.dumps(content).encode(), "1")
    link.close()


@pytest.mark.rig
@pytest.mark.needs("mosquitto")
def test_status_reads_what_a_real_broker_retained(broker: BrokerProcess, tmp_path: Path) -> None:
    for number in range(5):
        site = "north" if number < 3 else "south"
        publish(broker, f"cam-{number}", message(f"cam-{number}", labels={"site": site}))
    publish(broker, "cam-9", message("cam-1"))
    publish(broker, "cam-8", b"\x00" * 70_000)
    source = f"mqtt://127.0.0.1:{broker.port}"
    job = QuietJob(tmp_path / "job")
    options = BoardsOptions(source=source, label=("site=north",), group="site", boards=2)
    found = status(options, job)
    assert found.known == 5
    assert found.caught_up
    assert found.selected.boards == 3
    assert [(one.group, one.boards, one.requests) for one in found.groups] == [("north", 3, 30)]
    assert [one.name for one in found.boards] == ["cam-0", "cam-1"]
    assert found.boards[0].error_rate == pytest.approx(0.1)
    assert found.refused == {"name of another board": 1, "too long": 1}
    assert found.refused_boards == {"cam-9": "name of another board", "cam-8": "too long"}
    text = "\n".join(lines(found))
    assert "3 of 5 boards: 3 good" in text
    assert "1 more; --boards N lists more of them." in text
    publish(broker, "cam-0", message("cam-0", seq=2, runs=[run("2" * 16, 2, 25, 1)]))
    again = status(BoardsOptions(source=source, name="cam-0"), QuietJob(tmp_path / "job2"))
    assert again.boards[0].requests == 25


@pytest.mark.rig
@pytest.mark.needs("mosquitto")
def test_watch_survives_a_broker_that_is_killed(broker: BrokerProcess, tmp_path: Path) -> None:
    source = f"mqtt://127.0.0.1:{broker.port}"
    publish(broker, "cam-1", message())

    class Killing(QuietJob):
        """Kills the broker in the middle, and lets a board speak afterwards."""

        def event(self, name: str, **values: Any) -> None:
            super().event(name, **values)
            if len(self.events) == 1:
                broker.kill()
                broker.start()
                publish(broker, "cam-1", message(seq=2, runs=[run("2" * 16, 2, 25, 1)]))

    job = Killing(tmp_path / "job")
    options = WatchBoardsOptions(source=source, seconds=6, interval=1)
    found = watch(options, job)
    assert found.boards[0].requests == 25
    assert found.interruptions >= 1
    assert job.events[0][1]["boards"][0]["requests"] == 10


def test_a_broker_that_is_not_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(TargetError, match="cannot be reached"):
        status(BoardsOptions(source="mqtt://127.0.0.1:1"), QuietJob(tmp_path / "job"))


@pytest.mark.parametrize("source", ["", "mqtt", "http://host", "file:///etc/passwd", "mqtt:host"])
def test_an_address_of_no_broker(source: str) -> None:
    with pytest.raises(UsageError, match="not the address of a broker"):
        source_of(source)


@pytest.mark.parametrize("source", ["", "host:4318", "htp://host:4318", "ftp://host"])
def test_a_board_that_joins_is_offered_the_schemes_of_collectors_too(
    tmp_path: Path, source: str
) -> None:
    target = TargetSpec("cam-1", "ssh://pi@192.0.2.7")
    with pytest.raises(UsageError, match="is not the address of a broker or a collector") as caught:
        join(JoinOptions(target=target, source=source), QuietJob(tmp_path / "job"))
    for scheme in ("http://", "https://", "mqtt://", "mqtts://", "nats://", "tls://"):
        assert scheme in caught.value.hint


def test_words_that_are_no_filters() -> None:
    with pytest.raises(UsageError, match="NAME=VALUE"):
        labels_of(["site"])
    with pytest.raises(UsageError, match="Unknown state"):
        filter_of(BoardsOptions(source="x", state=("happy",)))


@pytest.mark.parametrize(
    ("content", "mode", "text"),
    [
        ("{}", 0o644, "may be read by others"),
        ("[]", 0o600, "not a JSON object"),
        ('{"user": 1}', 0o600, "not a JSON object"),
        ("{" * 5000, 0o600, "not a JSON object"),
        ('{"certificate": "a"}', 0o600, "belong together"),
    ],
)
def test_a_login_that_cannot_be_used(tmp_path: Path, content: str, mode: int, text: str) -> None:
    path = tmp_path / "login.json"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(UsageError, match=text):
        read_login(path)


def test_a_login_shows_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    path.write_text('{"user": "u", "password": "hidden", "token": "hidden", "board": "x"}')
    path.chmod(0o600)
    found = read_login(path)
    assert found.password == "hidden"
    assert "hidden" not in repr(found)
