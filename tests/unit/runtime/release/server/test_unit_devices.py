"""The device files that the unit of a server may open."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.runtime.release.server.unit import needs_devices

SERVE = ("python3", "runtime.pyz", "serve", "--port", "8477")


def named(providers: str) -> tuple[str, ...]:
    return ("/usr/bin/env", f"EDGEWRIGHT_PROVIDERS={providers}", *SERVE)


def test_named_providers_get_them_and_the_processor_does_not(tmp_path: Path) -> None:
    (tmp_path / "nvidiactl").touch()
    assert needs_devices(named("tensorrt,cuda"), str(tmp_path / "none"))
    assert not needs_devices(named("cpu"), str(tmp_path))


@pytest.mark.parametrize("name", ["nvidia0", "nvhost-gpu", "apex_0", "accel/accel0", "kfd"])
def test_unasked_an_accelerator_here_is_enough(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    assert not needs_devices(SERVE, str(tmp_path))
    (tmp_path / name).touch()
    assert needs_devices(SERVE, str(tmp_path))
    assert needs_devices(named("auto"), str(tmp_path))


@pytest.mark.parametrize("name", ["dri", "null", "video0", "sda"])
def test_other_devices_stay_hidden(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert not needs_devices(SERVE, str(tmp_path))
