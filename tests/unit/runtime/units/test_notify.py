"""What a service tells systemd, heard on a real datagram socket."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.runtime.units.notify import Notifier
from tests.rigs.patience import patience
from tests.unit.runtime.serve import rig


class Ear:
    """Systemd's end of the line."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(20)
        self._socket.bind("\0" + address[1:] if address[0] == "@" else address)

    def hear(self) -> dict[str, str]:
        lines = self._socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def hear_until(self, name: str) -> list[dict[str, str]]:
        heard = [self.hear()]
        deadline = time.monotonic() + patience(30)
        while name not in heard[-1]:
            assert time.monotonic() < deadline, f"{name} was not said"
            heard.append(self.hear())
        return heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ear]:
    name = str(tmp_path / "notify")
    found = Ear(name if request.param == "path" else f"@edgewright-test-{os.getpid()}")
    yield found
    found.close()


def test_messages(ear: Ear) -> None:
    line = Notifier.of({"NOTIFY_SOCKET": ear.address})
    assert line.listened_to
    line.ready("serving\nit")
    assert ear.hear() == {"READY": "1", "STATUS": "serving it"}
    line.reloading()
    heard = ear.hear()
    assert heard["RELOADING"] == "1"
    assert int(heard["MONOTONIC_USEC"]) > 0
    line.stopping()
    assert ear.hear() == {"STOPPING": "1", "STATUS": "draining"}
    line.status("x")
    assert ear.hear() == {"STATUS": "x"}


def test_signs_of_life_come_twice_in_the_watchdogs_time(ear: Ear) -> None:
    line = Notifier.of({"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "30000000"})
    assert line.beat_s == 15
    line.beat()
    line.beat()  # not yet
    line.status("after")
    assert ear.hear() == {"WATCHDOG": "1"}
    assert ear.hear() == {"STATUS": "after"}


def test_what_a_full_queue_does_not_take_is_said_a_little_later(ear: Ear) -> None:
    line = Notifier.of({"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "2"})
    for _ in range(50):  # systemd does not read at the moment: Linux keeps ten
        line.beat()
    reader = threading.Timer(0.2, ear.hear)
    reader.start()
    line.ready("serving")  # waits until there is room
    reader.join()
    for _ in range(20):
        line.beat()
    line.reloading()  # in vain
    assert ear.hear_until("READY")[-1]["STATUS"] == "serving"
    line.beat()
    assert ear.hear_until("RELOADING")[-1]["WATCHDOG"] == "1", "with the next sign of life"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "1000"},
        {"NOTIFY_SOCKET": "/s", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/s", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/s", "WATCHDOG_USEC": "0"},
    ],
)
def test_nobody_asked_for_signs_of_life(environment: dict) -> None:
    line = Notifier.of(environment)
    assert line.next_beat == float("inf")
    line.beat()


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234", "/no/such/socket"])
def test_without_systemd_nothing_happens(address: str) -> None:
    Notifier.of({"NOTIFY_SOCKET": address}).ready("x")


@pytest.mark.slow
def test_a_served_root_speaks_to_systemd(tmp_path: Path) -> None:
    root = tmp_path / "root"
    bundles = [
        rig.bundle(root / "releases", rig.constant(tmp_path / f"{n}.onnx", n), n) for n in (1, 2)
    ]
    rig.switch(root, bundles[0])
    ear = Ear(str(tmp_path / "notify"))
    environment = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "400000"}
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log", **environment) as server:
        heard = ear.hear_until("READY")
        assert heard[-1]["STATUS"] == "serving answer version 1"
        assert {"WATCHDOG": "1"} in heard
        rig.switch(root, bundles[1])
        server.hang_up()
        assert "RELOADING" in ear.hear_until("RELOADING")[-1]
        assert ear.hear_until("READY")[-1]["STATUS"] == "serving answer version 2"
        server.process.send_signal(signal.SIGTERM)
        assert "STOPPING" in ear.hear_until("STOPPING")[-1]
    ear.close()
