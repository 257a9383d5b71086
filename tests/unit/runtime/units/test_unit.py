"""The unit's text, judged by systemd itself."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from studio.runtime.units.unit import UnitOptions, quoted, render, unit_name
from tests.conftest import Need


def options(root: Path, **more: object) -> UnitOptions:
    command = [sys.executable, "/srv/x.pyz", "serve", "--root", str(root)]
    return UnitOptions(root=root, command=command, **more)  # type: ignore[arg-type]


def parsed(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


@pytest.mark.parametrize("system", [True, False])
@pytest.mark.parametrize("name", ["root", "with space", "100% of it", 'a"b$c\\d'])
def test_systemd_accepts_it(need: Need, tmp_path: Path, system: bool, name: str) -> None:
    program = need("systemd-analyze")
    root = tmp_path / name
    root.mkdir()
    unit = tmp_path / unit_name(root)
    text = render(
        options(root, system=system, memory_mb=512, cpu_percent=150, port=80, user="daemon")
    )
    unit.write_text(text)
    scope = "--system" if system else "--user"
    done = subprocess.run(
        [program, "verify", scope, "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr, done.stderr


def test_what_the_service_may_not_do(tmp_path: Path) -> None:
    service = parsed(render(options(tmp_path)))["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["ReadWritePaths"] == f'"{tmp_path}"'
    assert service["CapabilityBoundingSet"] == ""
    assert service["RestrictAddressFamilies"] == "AF_INET AF_INET6 AF_UNIX"
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices"):
        assert service[name] == "yes"
    assert "PrivateDevices" not in parsed(render(options(tmp_path, devices=True)))["Service"]


def test_exposure_is_rated_low(need: Need, tmp_path: Path) -> None:
    program = need("systemd-analyze")
    unit = tmp_path / "it.service"
    unit.write_text(render(options(tmp_path, user="daemon")))
    done = subprocess.run(
        [program, "security", "--offline=yes", "--threshold=35", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:]


def test_restart_limits_and_watchdog(tmp_path: Path) -> None:
    found = parsed(render(options(tmp_path, restarts=3, watchdog_s=7)))
    assert found["Unit"]["StartLimitBurst"] == "3"
    service = found["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert (service["Restart"], service["WatchdogSec"]) == ("on-failure", "7")
    assert "MemoryMax" not in service


def test_limits(tmp_path: Path) -> None:
    service = parsed(render(options(tmp_path, memory_mb=300, cpu_percent=50)))["Service"]
    assert (service["MemoryMax"], service["CPUQuota"]) == ("300M", "50%")
    for wrong in ({"memory_mb": 0}, {"cpu_percent": -1}):
        with pytest.raises(ValueError, match="above 0"):
            render(options(tmp_path, **wrong))


def test_a_low_port_costs_one_capability(tmp_path: Path) -> None:
    service = parsed(render(options(tmp_path, port=443)))["Service"]
    assert service["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    assert service["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"


def test_a_users_systemd_gets_what_it_can_enforce(tmp_path: Path) -> None:
    found = parsed(render(options(tmp_path, system=False, user="ignored")))
    assert found["Install"]["WantedBy"] == "default.target"
    assert not {"User", "ProtectSystem", "CapabilityBoundingSet"} & set(found["Service"])
    assert found["Service"]["NoNewPrivileges"] == "yes"


def test_nothing_can_add_lines(tmp_path: Path) -> None:
    for wrong in ("a\nExecStart=/bin/evil", " x", "", "a\x00b", "a\rb"):
        with pytest.raises(ValueError, match="cannot be written"):
            quoted(wrong)
        with pytest.raises(ValueError, match="cannot be written"):
            render(options(tmp_path, title=wrong))


def test_each_root_has_its_own_unit() -> None:
    assert unit_name(Path("/a")) == unit_name(Path("/a"))
    assert unit_name(Path("/a")) != unit_name(Path("/b"))
