"""What a machine is: one POSIX shell script that asks, and a pure parser of its answers."""

from __future__ import annotations

import time
from collections.abc import Mapping

from studio.api import TargetFacts

_PYTHON = """\
import os, sys
print("python=%d.%d.%d" % sys.version_info[:3])
print("python_path=" + os.path.abspath(sys.executable))
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
for name, module in (("numpy", "numpy"), ("onnxruntime", "onnxruntime"), ("pillow", "PIL")):
    try:
        print("runtime=%s %s" % (name, __import__(module).__version__))
    except Exception:
        pass
"""

SCRIPT = f"""\
root=$1
case $root in "~"*) root=$HOME${{root#?}} ;; esac
echo "root=$root"
echo "arch=$(uname -m)"
echo "kernel=$(uname -sr)"
echo "clock=$(date +%s)"
[ -r /etc/os-release ] && . /etc/os-release && echo "os=$PRETTY_NAME"
[ -r /proc/device-tree/model ] && echo "board=$(tr -d '\\000' < /proc/device-tree/model)"
[ -r /proc/meminfo ] && sed -n 's/^MemTotal: *\\([0-9]*\\) kB/memory_kb=\\1/p' /proc/meminfo
echo "cpus=$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
if [ -r /proc/cpuinfo ]; then
  sed -n 's/^model name[^:]*: */cpu=/p' /proc/cpuinfo | head -n 1
fi
echo "libc=$(getconf GNU_LIBC_VERSION 2>/dev/null)"
place=$root
while [ -n "$place" ] && [ ! -d "$place" ]; do place=${{place%/*}}; done
echo "disk=$(df -Pk "${{place:-/}}" | tail -n 1)"
[ -d /run/systemd/system ] && echo "service=systemd"
[ -e "/var/lib/systemd/linger/$(id -un)" ] && [ -d "/run/user/$(id -u)/systemd" ] &&
  echo "service=systemd-user"
[ -r /etc/nv_tegra_release ] && echo "tegra=$(head -n 1 /etc/nv_tegra_release)"
[ -r /proc/driver/nvidia/version ] && echo "nvidia=$(head -n 1 /proc/driver/nvidia/version)"
for device in /dev/apex_0 /dev/hailo0; do [ -e "$device" ] && echo "device=$device"; done
python=$(command -v "$2") && "$python" -c '{_PYTHON}'
true
"""
"""Arguments: the folder for releases (``~`` is the login's home), and the interpreter's name."""

_DEVICES = {"/dev/apex_0": "Coral Edge TPU", "/dev/hailo0": "Hailo NPU"}


def parse(
    text: str, name: str, url: str, now: float | None = None, took: float = 0.0
) -> TargetFacts:
    """Read the script's output. What is not there, or cannot be understood, stays empty.

    Args:
        now: This computer's clock when the script had run, for the skew.
        took: Seconds that it took, on a slow way or a busy machine: no skew of the clocks.
    """
    single, many = _pairs(text)
    clock = _number(single.get("clock", ""))
    skew = _skew(clock, time.time() if now is None else now, took) if clock else 0.0
    runtimes = dict(line.split(" ", 1) for line in many.get("runtime", ()) if " " in line)
    return TargetFacts(
        name=name,
        url=url,
        arch=single.get("arch", ""),
        os=single.get("os", ""),
        kernel=single.get("kernel", ""),
        python=single.get("python", ""),
        python_path=single.get("python_path", ""),
        glibc=_glibc(single.get("libc", "")),
        runtimes=runtimes,
        memory_mb=_number(single.get("memory_kb", "")) // 1024,
        disk_free_mb=_disk_free_mb(single.get("disk", "")),
        cpus=_number(single.get("cpus", "")),
        cpu=single.get("cpu", ""),
        accelerators=_accelerators(single, many),
        services=tuple(many.get("service", ())),
        board=single.get("board", ""),
        clock_skew_s=skew,
        root=single.get("root", ""),
    )


def _skew(clock: float, now: float, took: float) -> float:
    """How far a clock is off; 0 where it may be right, as it has no fractions of seconds."""
    late, early = clock - now, clock - (now - took)
    return 0.0 if early > -2 and late < 2 else late if late > 0 else early


def _pairs(text: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    single: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.isidentifier():
            single.setdefault(key, value.strip())
            many.setdefault(key, []).append(value.strip())
    return single, many


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _glibc(text: str) -> str:
    name, _, version = text.partition(" ")
    return version if name == "glibc" else ""


def _disk_free_mb(line: str) -> int:
    """The fourth column of ``df -Pk``: kilobytes that this login may still write."""
    columns = line.split()
    return _number(columns[3]) // 1024 if len(columns) >= 6 else 0


def _accelerators(single: Mapping[str, str], many: Mapping[str, list[str]]) -> tuple[str, ...]:
    found = []
    if single.get("tegra"):
        found.append("NVIDIA Tegra " + _tegra(single["tegra"]))
    if single.get("nvidia"):
        found.append("NVIDIA GPU")
    found += [_DEVICES[device] for device in many.get("device", ()) if device in _DEVICES]
    return tuple(found)


def _tegra(line: str) -> str:
    """``R36.4.0`` out of ``# R36 (release), REVISION: 4.0, GCID: ...``."""
    words = line.replace(",", " ").split()
    release = next((word for word in words if word.startswith("R") and word[1:].isdigit()), "L4T")
    revision = words[words.index("REVISION:") + 1] if "REVISION:" in words[:-1] else ""
    return f"{release}.{revision}".rstrip(".")
