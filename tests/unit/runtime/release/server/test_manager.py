"""Which service manager keeps a server, and what the release machine asks of systemd."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from studio.runtime.release.server.manager import VARIABLE, manager_here, manager_of
from studio.runtime.release.server.process import DetachedProcess
from studio.runtime.release.server.unit import SystemdUnit
from studio.runtime.release.store.layout import Layout
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.units.systemd import Systemd
from studio.runtime.units.unit import unit_name
from tests.rigs.boards import until
from tests.unit.runtime.units.fake import Fake

COMMAND = ["/usr/bin/python3", "/r/runtime.pyz", "serve", "--port", "443"]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "root")
    made.make()
    return made


@pytest.fixture
def unit(fake: Fake, layout: Layout, tmp_path: Path) -> SystemdUnit:
    return SystemdUnit(layout, Systemd(str(fake.program), tmp_path / "units", system=True))


@pytest.fixture
def machine(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """A machine that systemd has started."""
    found = Systemd(str(fake.program), tmp_path / "units", system=True)
    monkeypatch.setattr(Systemd, "detect", staticmethod(lambda environment: found))
    monkeypatch.delenv(VARIABLE, raising=False)
    return found


def test_start_installs_enables_and_starts(
    unit: SystemdUnit, fake: Fake, layout: Layout, tmp_path: Path
) -> None:
    name = unit_name(layout.root)
    assert not unit.exists()
    assert unit.start(COMMAND, {}) == {"unit": name}
    verbs = ["daemon-reload", f"enable {name}", f"reset-failed {name}"]
    assert fake.asked() == [*verbs, f"restart --no-block {name}"]
    text = (tmp_path / "units" / name).read_text()
    assert '"/r/runtime.pyz" "serve"' in text
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in text
    assert f'ReadWritePaths="{layout.root}"' in text
    assert "MemoryMax=" in text


def test_settle_changes_the_text_and_nothing_that_runs(unit: SystemdUnit, fake: Fake) -> None:
    unit.start(COMMAND, {})
    fake.asked()
    unit.settle(COMMAND)
    assert fake.asked() == []
    unit.settle([*COMMAND, "--key", "x"])
    assert fake.asked() == ["daemon-reload"]


def test_stop_takes_the_unit_away(unit: SystemdUnit, fake: Fake) -> None:
    unit.start(COMMAND, {})
    fake.asked()
    assert unit.stop(1.0)
    assert not unit.exists()
    assert any(line.startswith("disable --now") for line in fake.asked())


def test_whether_it_runs_is_asked_once_while_it_lives(unit: SystemdUnit, fake: Fake) -> None:
    fake.shown.write_text(f"ActiveState=active\nMainPID={os.getpid()}\n")
    assert unit.runs()
    assert unit.pid == os.getpid()
    fake.asked()
    assert unit.runs()
    assert fake.asked() == []


def test_what_systemd_refuses_is_an_error_of_the_release(unit: SystemdUnit, fake: Fake) -> None:
    fake.failing.write_text("restart")
    with pytest.raises(ReleaseError) as caught:
        unit.start(COMMAND, {})
    assert caught.value.code == "no-unit"
    assert VARIABLE in caught.value.hint


def test_facts_for_people(unit: SystemdUnit, layout: Layout) -> None:
    wanted = {"enabled": True, "boot": True, "active": "active", "restarts": 2}
    assert unit.facts() == {"unit": unit_name(layout.root), **wanted}


def test_systemd_is_used_where_it_is(machine: Systemd, layout: Layout) -> None:
    assert manager_here(layout).name == "systemd"
    assert manager_of(layout, {}).name == "process", "nothing was installed"
    manager_here(layout).settle(COMMAND)
    assert manager_of(layout, {}).name == "systemd"


def test_systemd_can_be_kept_out(
    machine: Systemd, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "process")
    assert manager_here(layout).name == "process"


def test_a_systemd_that_ends_with_the_login_is_not_used(
    machine: Systemd, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager_here(layout).settle(COMMAND)
    monkeypatch.setattr(Systemd, "starts_at_boot", lambda self: False)
    assert manager_here(layout).name == "process"
    assert manager_of(layout, {}).name == "systemd", "what was left there must be taken away"


def test_a_systemd_of_the_login_is_used_where_the_studio_asks_for_it(
    machine: Systemd, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Systemd, "starts_at_boot", lambda self: False)
    monkeypatch.setenv(VARIABLE, "login")
    assert manager_here(layout).name == "systemd"
    assert manager_here(layout).facts()["boot"] is False, "the user is told so"


def test_a_detached_process_is_found_again_and_ended(layout: Layout) -> None:
    first = DetachedProcess(layout, {})
    assert not first.runs()
    code = "import time; print('here', flush=True); time.sleep(60)"
    service = first.start([sys.executable, "-c", code], {})
    until(lambda: "here" in first.tail(), "it has started")
    second = manager_of(layout, service)
    assert second.runs()
    assert second.pid == service["pid"]
    assert first.stop(5.0)
    assert not second.runs()
    assert not manager_of(layout, {**service, "pid": os.getpid()}).runs(), "another process"
