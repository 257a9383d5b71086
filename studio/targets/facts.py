"""Facts of a machine: a POSIX shell script, and a parser of its output."""

from __future__ import annotations

import time

from studio.api import TargetFacts
from studio.runtime.backends.catalog import LITERT, OPENVINO
from studio.settings.boards import match
from studio.settings.interpreter import FIRST
from studio.targets import hardware

_UNLOADED = ", ".join(
    f'"{name}"'
    for name in (LITERT.distribution, OPENVINO.distribution, "opencv-python-headless", "paho-mqtt")
)
"""Packages whose version is read without loading them, which takes too long to do each time."""

_PYTHON = f"""\
{FIRST}
import os
print("python=%d.%d.%d" % sys.version_info[:3])
print("python_path=" + os.path.abspath(sys.executable))
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
for name, module in (("numpy", "numpy"), ("onnxruntime", "onnxruntime"), ("pillow", "PIL")):
    try:
        print("runtime=%s %s" % (name, __import__(module).__version__))
    except Exception:
        pass
for name in ({_UNLOADED}):
    try:
        from importlib.metadata import version
        print("runtime=%s %s" % (name, version(name)))
    except Exception:
        pass
"""

SCRIPT = f"""\
root=$1 s=$3
case $root in "~"*) root=$HOME${{root#?}} ;; esac
echo "root=$root"
echo "arch=$(uname -m)"
echo "kernel=$(uname -sr)"
echo "clock=$(date +%s)"
[ -r "$s/etc/os-release" ] && . "$s/etc/os-release" && echo "os=$PRETTY_NAME"
[ -r "$s/proc/device-tree/model" ] &&
  echo "board=$(tr -d '\\000' < "$s/proc/device-tree/model")"
[ -r "$s/proc/meminfo" ] &&
  sed -n 's/^MemTotal: *\\([0-9]*\\) kB/memory_kb=\\1/p' "$s/proc/meminfo"
echo "cpus=$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
if [ -r "$s/proc/cpuinfo" ]; then
  sed -n 's/^model name[^:]*: */cpu=/p' "$s/proc/cpuinfo" | head -n 1
fi
echo "libc=$(getconf GNU_LIBC_VERSION 2>/dev/null)"
place=$root
while [ -n "$place" ] && [ ! -d "$place" ]; do place=${{place%/*}}; done
echo "disk=$(df -Pk "${{place:-/}}" | tail -n 1)"
[ -d /run/systemd/system ] && echo "service=systemd"
if [ -d "/run/user/$(id -u)/systemd" ]; then
  [ -e "/var/lib/systemd/linger/$(id -un)" ] && echo "service=systemd-user"
  [ "$EDGEWRIGHT_SERVICE" = login ] && echo "service=systemd-login"
fi
{hardware.SCRIPT}python=$(command -v "$2") && "$python" -c '{_PYTHON}'
true
"""
"""Arguments: the folder for releases (``~`` is the login's home), the interpreter's name, and what
is put before every path (tests only)."""


def parse(
    text: str, name: str, url: str, now: float | None = None, took: float = 0.0
) -> TargetFacts:
    """Parse the script's output; missing and invalid values stay empty.

    Args:
        now: This computer's time after the script has run, for the clock skew.
        took: Duration of the script in seconds, which is no clock skew.
    """
    answers = hardware.ScriptAnswers(text)
    clock = hardware.number(answers.first("clock"))
    skew = _skew(clock, time.time() if now is None else now, took) if clock else 0.0
    runtimes = dict(line.split(" ", 1) for line in answers.all("runtime") if " " in line)
    found = hardware.parse(answers)
    arch = _arch(answers.first("arch"), found.bits)
    cpu = answers.first("cpu") or found.cpu
    kind = match(answers.first("board"), arch, cpu, found.compatible) if arch else None
    return TargetFacts(
        name=name,
        url=url,
        arch=arch,
        os=answers.first("os"),
        kernel=answers.first("kernel"),
        python=answers.first("python"),
        python_path=answers.first("python_path"),
        glibc=_glibc(answers.first("libc")),
        runtimes=runtimes,
        memory_mb=hardware.number(answers.first("memory_kb")) // 1024,
        disk_free_mb=_disk_mb(answers.first("disk"), 3),
        cpus=hardware.number(answers.first("cpus")),
        cpu=cpu,
        accelerators=found.accelerators,
        services=tuple(answers.all("service")),
        board=answers.first("board"),
        clock_skew_s=skew,
        root=answers.first("root"),
        board_id=kind.id if kind else "",
        image=found.image,
        features=found.features,
        cpu_mhz=found.cpu_mhz,
        memory_free_mb=found.memory_free_mb,
        disk_total_mb=_disk_mb(answers.first("disk"), 1),
        temperature_c=found.temperature_c,
        power_mode=found.power_mode,
        libraries=found.libraries,
        cameras=found.cameras,
        notes=found.notes,
    )


def _arch(machine: str, bits: int) -> str:
    """Return the architecture of programs: a 64 bit kernel may have a 32 bit system."""
    return {"aarch64": "armv7l", "x86_64": "i686"}.get(machine, machine) if bits == 32 else machine


def _skew(clock: float, now: float, took: float) -> float:
    """Return the clock skew in seconds; 0 if the difference is within the measurement error."""
    # The script read its clock at an unknown moment within its run.
    late, early = clock - now, clock - (now - took)
    return 0.0 if early > -2 and late < 2 else late if late > 0 else early


def _glibc(text: str) -> str:
    name, _, version = text.partition(" ")
    return version if name == "glibc" else ""


def _disk_mb(line: str, column: int) -> int:
    """Return a column of ``df -Pk`` in megabytes: the total, or what is free for this login."""
    columns = line.split()
    return hardware.number(columns[column]) // 1024 if len(columns) >= 6 else 0
