"""Ports of endpoints: free, no other endpoint's, and the same for the same folder."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from studio.runtime.release.store import ports
from studio.runtime.release.store.layout import Layout
from studio.runtime.shared.errors import ReleaseError

HERE = "127.0.0.1"


def written(root: Path, port: int) -> Layout:
    layout = Layout(root)
    layout.make()
    layout.service.write_text(json.dumps({"port": port}))
    return layout


def test_the_same_folder_gets_the_same_port_below_those_of_clients(tmp_path: Path) -> None:
    first = ports.choose(Layout(tmp_path), HERE, 0)
    assert first == ports.choose(Layout(tmp_path), HERE, 0)
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert 1024 < first < max(lowest, 30_000)


def test_a_port_that_is_taken_or_anothers_is_passed_over(tmp_path: Path) -> None:
    with socket.create_server((HERE, 0)) as listener:
        usual = listener.getsockname()[1]
        assert not ports.is_free(HERE, usual)
        assert ports.choose(Layout(tmp_path), HERE, usual) > usual
    base = written(tmp_path, 0)
    free = ports.choose(base, HERE, 0)
    written(tmp_path / "endpoints" / "door", free)
    assert ports.choose(base, HERE, 0) != free, "it is the other's also while that is stopped"
    written(tmp_path, free)
    assert ports.choose(Layout(tmp_path / "endpoints" / "gate"), HERE, free) > free


def test_a_taken_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_PATIENCE_S", 0.0)
    with socket.create_server((HERE, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ReleaseError, match=f"port {port} is in use by another program"):
            ports.require_free(HERE, port)
    ports.require_free(HERE, port)


def test_whom_a_target_admits_holds_for_its_endpoints(tmp_path: Path) -> None:
    door = written(tmp_path / "endpoints" / "door", 0)
    assert door.allowed_signers() is None
    Layout(tmp_path).signers.write_text("ann ssh-ed25519 AAAA\n")
    assert door.allowed_signers() == Layout(tmp_path).signers
    door.signers.write_text("bob ssh-ed25519 BBBB\n")
    assert door.allowed_signers() == door.signers
