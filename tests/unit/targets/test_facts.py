"""Facts of machines, read from recorded answers of the one script."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from studio.api import TargetFacts
from studio.targets.facts import SCRIPT, parse

JETSON = """\
root=/home/nano/.edgewright
arch=aarch64
kernel=Linux 5.15.148-tegra
clock=1790000100
os=Ubuntu 22.04.5 LTS
board=NVIDIA Jetson Orin Nano Developer Kit
memory_kb=7802344
cpus=6
cpu=
libc=glibc 2.35
disk=/dev/nvme0n1p1 122880000 40960000 75497472 36% /
service=systemd
tegra=# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic
python=3.10.12
python_path=/usr/bin/python3
runtime=numpy 1.26.4
runtime=onnxruntime 1.23.0
"""

PI = """\
motd: welcome, dear user
root=/home/pi/.edgewright
arch=aarch64
kernel=Linux 6.6.51+rpt-rpi-v8
clock=1790000000
os=Debian GNU/Linux 12 (bookworm)
board=Raspberry Pi 5 Model B Rev 1.0
memory_kb=8245248
cpus=4
libc=glibc 2.36
disk=/dev/mmcblk0p2 30000000 29990000 10000 100% /
service=systemd
device=/dev/hailo0
python=3.11.2
python_path=/usr/bin/python3
"""

ALPINE = """\
root=/root/.edgewright
arch=x86_64
kernel=Linux 6.12.1
clock=1789990000
os=Alpine Linux v3.21
memory_kb=1000000
cpus=1
cpu=AMD EPYC
libc=
disk=overlay 1000 500 500 50% /
python=3.12.8
python_path=/usr/bin/python3
"""


def test_a_jetson() -> None:
    facts = parse(JETSON, "nano", "ssh://nano@orin", now=1_790_000_099.5)
    assert facts == TargetFacts(
        name="nano",
        url="ssh://nano@orin",
        arch="aarch64",
        os="Ubuntu 22.04.5 LTS",
        kernel="Linux 5.15.148-tegra",
        python="3.10.12",
        python_path="/usr/bin/python3",
        glibc="2.35",
        runtimes={"numpy": "1.26.4", "onnxruntime": "1.23.0"},
        memory_mb=7619,
        disk_free_mb=73728,
        cpus=6,
        accelerators=("NVIDIA Tegra R36.4.0",),
        services=("systemd",),
        board="NVIDIA Jetson Orin Nano Developer Kit",
        root="/home/nano/.edgewright",
        board_id="jetson-orin-nano",
        image="JetPack 6.1 (L4T R36.4.0)",
        disk_total_mb=120000,
    )


def test_a_pi_with_an_accelerator_and_a_full_disk() -> None:
    facts = parse(PI, "pi", "ssh://pi@pi", now=1_790_000_000.0)
    assert facts.disk_free_mb == 9
    assert facts.accelerators == ("Hailo NPU",)
    assert facts.runtimes == {}


def test_a_machine_without_glibc_and_with_a_late_clock() -> None:
    facts = parse(ALPINE, "a", "ssh://a", now=1_790_000_000.0)
    assert facts.glibc == ""
    assert facts.clock_skew_s == -10_000.0


@pytest.mark.parametrize("text", ["", "garbage\n\0\xff", "=\n==\nclock=x\ndisk=a b c\nlibc=glibc"])
def test_what_cannot_be_understood_stays_empty(text: str) -> None:
    facts = parse(text, "x", "ssh://x")
    assert facts == TargetFacts(name="x", url="ssh://x")


def test_the_script_on_this_computer(tmp_path: Path) -> None:
    command = ["sh", "-c", SCRIPT, "sh", str(tmp_path / "not" / "there"), sys.executable]
    began = time.time()
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    now = time.time()
    facts = parse(done.stdout, "local", "local:", now, now - began)
    assert facts.python == sys.version.split()[0]
    assert facts.python_path == sys.executable
    assert set(facts.runtimes) == {
        *("numpy", "onnxruntime", "pillow", "ai-edge-litert"),
        *("opencv-python-headless", "paho-mqtt"),
    }
    assert facts.runtimes["ai-edge-litert"] == version("ai-edge-litert")
    assert facts.memory_mb > 0
    assert facts.disk_free_mb > 0
    assert facts.root == str(tmp_path / "not" / "there")
    assert facts.clock_skew_s == 0


def test_a_slow_way_is_no_skew_of_the_clocks() -> None:
    text = "clock=1000\n"
    assert parse(text, "x", "ssh://x", now=1009.0, took=8.5).clock_skew_s == 0
    assert parse(text, "x", "ssh://x", now=1030.0, took=8.0).clock_skew_s == -22
    assert parse(text, "x", "ssh://x", now=900.0, took=8.0).clock_skew_s == 100


def test_the_script_where_there_is_no_python_and_a_home_is_named() -> None:
    command = ["sh", "-c", SCRIPT, "sh", "~/.edgewright", "no-such-python"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": "/h", "PATH": "/usr/bin:/bin"},
    )
    facts = parse(done.stdout, "x", "ssh://x")
    assert facts.python == ""
    assert facts.root == "/h/.edgewright"
    assert done.stderr == ""
