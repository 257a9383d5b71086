"""Wheels: which fit a machine, the cache, and what is said when there are none."""

from __future__ import annotations

import platform
import sys
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.api import Cancelled, Silent, TargetError, TargetFacts, Unavailable
from studio.deployment.machine.wheels import WheelCache, WheelPlatform, lacking

PI = TargetFacts(name="pi", url="ssh://pi", arch="aarch64", python="3.11.2", glibc="2.36")
NEEDS = {"numpy": ">=1.19", "onnxruntime": ">=1.17"}


def test_the_tags_of_a_machine() -> None:
    place = WheelPlatform.of(PI)
    assert place.abi == "cp311"
    assert place.tags[0] == "manylinux_2_36_aarch64"
    assert "manylinux_2_17_aarch64" in place.tags
    assert place.tags[-1] == "manylinux2014_aarch64"
    assert "manylinux_2_37_aarch64" not in place.tags
    assert str(place) == "Python 3.11 on aarch64 (glibc 2.36)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"python": ""}, "pi has no python3"),
        ({"python": "3.7.3"}, r"has Python 3\.7\.3; Python 3\.8"),
        ({"glibc": ""}, "has no GNU C library"),
    ],
)
def test_machines_for_which_there_are_none(change: dict[str, str], words: str) -> None:
    with pytest.raises(TargetError, match=words):
        WheelPlatform.of(replace(PI, **change))


@pytest.mark.parametrize(
    ("runtimes", "wanted"),
    [
        ({}, ["numpy>=1.19", "onnxruntime>=1.17"]),
        ({"numpy": "2.1.0"}, ["onnxruntime>=1.17"]),
        ({"numpy": "1.9.0", "onnxruntime": "1.17.0"}, ["numpy>=1.19"]),
        ({"numpy": "1.26.4", "onnxruntime": "1.23.0"}, []),
    ],
)
def test_what_a_machine_lacks(runtimes: dict[str, str], wanted: list[str]) -> None:
    assert lacking(replace(PI, runtimes=runtimes), NEEDS) == wanted


def put_wheel(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    distribution, version = name.split("-")[:2]
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr(f"{distribution}/__init__.py", "x = 1\n" * 100)
        info = f"{distribution}-{version}.dist-info"
        archive.writestr(f"{info}/METADATA", f"Name: {distribution}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No index at all, whatever is configured."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_offline_the_wheels_that_were_put_there_are_used(tmp_path: Path) -> None:
    cache = WheelCache(tmp_path)
    with pytest.raises(Unavailable) as caught:
        cache.find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent())
    assert "Missing wheels of tinything for Python 3.11 on aarch64 (glibc 2.36)" in str(
        caught.value
    )
    assert str(tmp_path) in caught.value.hint
    put_wheel(tmp_path, "tinything-1.2-cp311-cp311-manylinux_2_28_aarch64.whl")
    put_wheel(tmp_path, "tinything-1.3-cp311-cp311-manylinux_2_39_aarch64.whl")  # too new
    put_wheel(tmp_path, "tinything-1.4-cp311-cp311-manylinux_2_28_x86_64.whl")
    found = cache.find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent())
    assert [wheel.name for wheel in found.wheels] == [
        "tinything-1.2-cp311-cp311-manylinux_2_28_aarch64.whl"
    ]
    assert found.unpacked > found.size / 2


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_set_once_chosen_stays(tmp_path: Path) -> None:
    put_wheel(tmp_path, "tinything-1.2-cp311-cp311-manylinux_2_28_aarch64.whl")
    cache = WheelCache(tmp_path)
    first = cache.find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent())
    put_wheel(tmp_path, "tinything-1.3-cp311-cp311-manylinux_2_28_aarch64.whl")
    assert cache.find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent()).digest == first.digest
    first.wheels[0].path.unlink()
    assert cache.find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent()).digest != first.digest


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_damaged_wheel_is_named(tmp_path: Path) -> None:
    name = "tinything-1.2-cp311-cp311-manylinux_2_28_aarch64.whl"
    put_wheel(tmp_path, name)
    cache = WheelCache(tmp_path)
    cache.find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent())
    (tmp_path / name).write_bytes(b"half of it")
    with pytest.raises(Unavailable, match=f"The wheel {name} is damaged"):
        cache.find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent())


@pytest.mark.slow
def test_a_package_without_wheels_for_the_target_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that has it for this computer and for a newer Python."""
    name = "tinything-1.2-cp313-cp313-manylinux_2_28_aarch64.whl"
    put_wheel(tmp_path / "index" / "tinything", name)
    here = "cp{}{}".format(*sys.version_info) + f"-none-linux_{platform.machine()}"
    put_wheel(tmp_path / "index" / "tinything", f"tinything-1.2-{here}.whl")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        with pytest.raises(TargetError) as caught:
            WheelCache(tmp_path / "cache").find(WheelPlatform.of(PI), ["tinything>=1.0"], Silent())
        server.shutdown()
    assert caught.value.message == (
        "tinything has no wheels for Python 3.11 on aarch64 (glibc 2.36)."
    )


@pytest.mark.usefixtures("offline")
def test_a_download_can_be_cancelled(tmp_path: Path) -> None:
    class Taken(Silent):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        WheelCache(tmp_path).find(WheelPlatform.of(PI), ["tinything>=1.0"], Taken())
    assert [path.name for path in tmp_path.iterdir()] == []
