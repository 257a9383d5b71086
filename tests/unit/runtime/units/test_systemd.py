"""The verbs, against a systemctl that writes down what it is asked."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from studio.runtime.units.systemd import Systemd, UnitError, UnitState
from tests.unit.runtime.units.fake import Fake

NAME = "edgewright-0.service"


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def systemd(fake: Fake, tmp_path: Path) -> Systemd:
    return Systemd(str(fake.program), tmp_path / "units", system=True)


def test_a_unit_is_installed_once(systemd: Systemd, fake: Fake, tmp_path: Path) -> None:
    assert systemd.install(NAME, "a\n")
    assert fake.asked() == ["daemon-reload"]
    assert not systemd.install(NAME, "a\n")
    assert fake.asked() == []
    assert systemd.install(NAME, "b\n")
    assert (tmp_path / "units" / NAME).read_text() == "b\n"
    assert [path.name for path in (tmp_path / "units").iterdir()] == [NAME]


def test_verbs(systemd: Systemd, fake: Fake) -> None:
    systemd.enable(NAME)
    systemd.start(NAME)
    systemd.reload(NAME)
    systemd.restart(NAME)
    systemd.stop(NAME)
    verbs = ["enable", "reset-failed", "start", "reload", "reset-failed", "restart", "stop"]
    assert fake.asked() == [f"{verb} {NAME}" for verb in verbs]


def test_state(systemd: Systemd) -> None:
    found = systemd.state(NAME)
    assert (found.active, found.enabled, found.pid, found.restarts) == ("active", "enabled", 7, 2)


def test_restart_without_waiting(systemd: Systemd, fake: Fake) -> None:
    systemd.restart(NAME, wait=False)
    assert fake.asked()[-1] == f"restart --no-block {NAME}"


@pytest.mark.parametrize(
    ("active", "result", "waits", "alive"),
    [
        ("active", "success", False, True),
        ("reloading", "success", False, True),
        ("activating", "success", False, True),
        ("activating", "exit-code", False, False),  # waits to be tried again
        ("inactive", "success", True, True),  # queued
        ("inactive", "success", False, False),
        ("failed", "watchdog", False, False),
    ],
)
def test_alive(active: str, result: str, waits: bool, alive: bool) -> None:
    assert UnitState(active, "enabled", result, 0, 0, waits).alive == alive


def test_a_queued_job(systemd: Systemd, fake: Fake) -> None:
    assert not systemd.state(NAME).waits
    fake.shown.write_text("ActiveState=inactive\nJob=42\n")
    assert systemd.state(NAME).waits


def test_only_a_lingering_user_is_started_at_boot(
    systemd: Systemd, fake: Fake, tmp_path: Path
) -> None:
    assert systemd.starts_at_boot(tmp_path / "nowhere")
    own = Systemd(str(fake.program), tmp_path, system=False)
    assert not own.starts_at_boot(tmp_path)
    (tmp_path / getpass.getuser()).touch()
    assert own.starts_at_boot(tmp_path)


def test_a_unit_is_removed(systemd: Systemd, fake: Fake, tmp_path: Path) -> None:
    systemd.remove(NAME)
    assert fake.asked() == []
    systemd.install(NAME, "a\n")
    systemd.remove(NAME)
    assert fake.asked()[1:3] == [f"disable --now {NAME}", "daemon-reload"]
    assert not (tmp_path / "units" / NAME).exists()


def test_what_systemd_refuses_is_one_sentence(systemd: Systemd, fake: Fake) -> None:
    fake.failing.write_text("start reset-failed")
    with pytest.raises(UnitError) as caught:
        systemd.start(NAME)
    assert caught.value.sentence == f"systemd could not start {NAME}."
    assert caught.value.detail == "no start\n"


def test_a_folder_that_cannot_be_written_to(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnitError, match=r"cannot be written: .*\.$"):
        Systemd(str(fake.program), tmp_path / "file", system=True).install(NAME, "a\n")


def test_which_systemd(fake: Fake, tmp_path: Path) -> None:
    environment = {"PATH": str(fake.program.parent), "HOME": str(tmp_path)}
    assert Systemd.detect(environment, euid=0, running=tmp_path / "no") is None
    assert Systemd.detect({**environment, "PATH": "/nowhere"}, euid=0, running=tmp_path) is None
    system = Systemd.detect(environment, euid=0, running=tmp_path)
    assert system is not None
    assert system.system
    assert Systemd.detect(environment, euid=1000, running=tmp_path) is None
    private = tmp_path / "run" / "systemd" / "private"
    private.parent.mkdir(parents=True)
    private.touch()
    environment["XDG_RUNTIME_DIR"] = str(tmp_path / "run")
    own = Systemd.detect(environment, euid=1000, running=tmp_path)
    assert own is not None
    assert not own.system
    own.install(NAME, "a\n")
    assert (tmp_path / ".config" / "systemd" / "user" / NAME).exists()
    assert fake.asked() == ["--user daemon-reload"]
