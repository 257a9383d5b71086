"""Facts of boards: power mode, throttling, thermal zones, accelerators, supply.

Everything is read without privilege. The functions with ``text`` are pure parsers.
"""

from __future__ import annotations

import glob
import os
import platform
import re

from ..facts import Accelerator, PowerMode, ThermalZone, Throttle

_PI_NOW = {
    0: "under-voltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
"""Bits of ``get_throttled``; sixteen places higher they mean "since the start"."""

_PI_FLAGS = "sys/devices/platform/soc/soc:firmware/get_throttled"
_NVPMODEL_STATUS = "var/lib/nvpmodel/status"
_NVPMODEL_CONFIG = "etc/nvpmodel.conf"
_PRODUCT = "sys/class/dmi/id/product_name"
_L4T = "etc/nv_tegra_release"
_CORAL_USB = {("1a6e", "089a"), ("18d1", "9302")}
"""Vendor and product of the Edge TPU on USB, before and after its firmware was loaded."""

_MODEL = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>")
_OC_EVENTS = "sys/class/hwmon/hwmon*/oc*_event_cnt"


def identity(root: str = "/") -> dict[str, str | None]:
    """Return the facts that identify a kind of machine: ``cpu``, ``arch``, ``board``."""
    return {"cpu": cpu_name(root), "arch": platform.machine(), "board": board_name(root)}


def board_name(root: str = "/") -> str | None:
    """Return the name of the board, or of the PC."""
    return text_of(root, "proc/device-tree/model") or text_of(root, _PRODUCT)


def cpu_name(root: str = "/") -> str:
    """Name of the processor; ARM boards give it in other places than PCs."""
    found: dict[str, str] = {}
    for line in (text_of(root, "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    for key in ("model name", "Hardware", "Model", "cpu model"):
        if found.get(key):
            return found[key]
    if "CPU part" in found:
        return f"implementer {found.get('CPU implementer')} part {found['CPU part']}"
    return platform.processor() or platform.machine()


def jetson(root: str = "/") -> str | None:
    """Return the release of a Jetson's system."""
    return jetson_release(text_of(root, _L4T) or "")


def jetson_release(text: str) -> str | None:
    """``# R35 (release), REVISION: 4.1, GCID: ...`` as ``L4T 35.4.1``."""
    found = re.search(r"#\s*R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)", text)
    return f"L4T {found.group(1)}.{found.group(2)}" if found else None


def power_mode(status: str, config: str) -> PowerMode | None:
    """Return the Jetson's mode: number from ``pmode:0002``, name from ``/etc/nvpmodel.conf``."""
    found = re.search(r"pmode:\s*(\d+)", status)
    if found is None:
        return None
    number = int(found.group(1))
    names = {int(each): name for each, name in _MODEL.findall(config)}
    return PowerMode(number, names.get(number))


def mode(root: str = "/") -> PowerMode | None:
    """Return the power mode that a Jetson is in."""
    status, config = text_of(root, _NVPMODEL_STATUS), text_of(root, _NVPMODEL_CONFIG)
    return power_mode(status or "", config or "")


def throttled_bits(text: str) -> Throttle | None:
    """Decode the bits of a Raspberry Pi's ``get_throttled``.

    Args:
        text: ``throttled=0x50005`` of vcgencmd, or ``50005`` of /sys.
    """
    found = re.fullmatch(r"\s*(?:throttled=)?(?:0x)?([0-9a-fA-F]+)\s*", text)
    if found is None:
        return None
    bits = int(found.group(1), 16)
    return Throttle(
        raw=hex(bits),
        now=tuple(name for bit, name in _PI_NOW.items() if bits >> bit & 1),
        since_start=tuple(name for bit, name in _PI_NOW.items() if bits >> bit + 16 & 1),
    )


def throttle(root: str = "/") -> Throttle | None:
    """Throttling now and since the start: a Pi's flags, a Jetson's or a PC's counts of events."""
    flags = pi_flags(root)
    if flags is None and root == "/":
        flags = vcgencmd()
    if flags is not None:
        return throttled_bits(flags)
    counts = _throttle_counts(root)
    if not counts:
        return None
    since = (f"{name}: {count} times" for name, count in sorted(counts.items()) if count)
    return Throttle(since_start=tuple(since))


def pi_flags(root: str = "/") -> str | None:
    """Return the flags of a Raspberry Pi's firmware, where /sys has them."""
    return text_of(root, _PI_FLAGS)


def throttle_events(root: str = "/") -> int:
    """Throttle events so far, as a Jetson's or a PC's kernel counts them."""
    return sum(_throttle_counts(root).values())


def _throttle_counts(root: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in paths(root, _OC_EVENTS):
        counts[os.path.basename(path)[: -len("_event_cnt")]] = number_of(path) or 0
    for path in paths(root, "sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count"):
        name = os.path.basename(path)[: -len("_throttle_count")]
        counts[name] = counts.get(name, 0) + (number_of(path) or 0)
    return counts


def zones(root: str = "/") -> tuple[ThermalZone, ...]:
    """Temperature of each thermal zone that has one, by its name."""
    found = []
    for folder in paths(root, "sys/class/thermal/thermal_zone*"):
        degrees = number_of(os.path.join(folder, "temp"))
        if degrees is None or degrees <= 0:  # sleeping parts of a Jetson say -256000
            continue
        name = text_of(folder, "type") or os.path.basename(folder)
        found.append(ThermalZone(name, round(degrees / 1e3, 1)))
    return tuple(found)


def accelerators(root: str = "/") -> tuple[Accelerator, ...]:
    """Coral's Edge TPUs, on PCIe (with their temperature) and on USB."""
    found: list[Accelerator] = []
    for folder in paths(root, "sys/class/apex/apex_*"):
        degrees = number_of(os.path.join(folder, "temp"))
        celsius = None if degrees is None else round(degrees / 1e3, 1)
        status = text_of(folder, "status")
        found.append(Accelerator("Coral Edge TPU (PCIe)", celsius, status))
    for folder in paths(root, "sys/bus/usb/devices/*"):
        identity = (text_of(folder, "idVendor") or "", text_of(folder, "idProduct") or "")
        if identity in _CORAL_USB:
            speed = text_of(folder, "speed")
            status = f"{speed} Mbit/s" if speed else None
            found.append(Accelerator("Coral Edge TPU (USB)", status=status))
    return tuple(found)


def supply(root: str = "/") -> str | None:
    """Return ``battery`` or ``mains``, or None where the machine does not report it."""
    batteries = []
    for folder in paths(root, "sys/class/power_supply/*"):
        kind = text_of(folder, "type")
        if kind == "Mains" and text_of(folder, "online") == "1":
            return "mains"
        if kind == "Battery":
            batteries.append(text_of(folder, "status"))
    if not batteries:
        return None
    return "battery" if "Discharging" in batteries else "mains"


def turbo(root: str = "/") -> bool | None:
    """Return whether clocks above the nominal one are allowed."""
    off = text_of(root, "sys/devices/system/cpu/intel_pstate/no_turbo")
    if off is not None:
        return off == "0"
    boost = text_of(root, "sys/devices/system/cpu/cpufreq/boost")
    return None if boost is None else boost == "1"


def virtual(root: str = "/") -> str | None:
    """Return the hypervisor or container around; None on bare metal, or if unknown."""
    info = text_of(root, "proc/cpuinfo") or ""
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "")
    if " hypervisor" in flags:
        return text_of(root, "sys/class/dmi/id/sys_vendor") or "a hypervisor"
    if os.path.exists(os.path.join(root, ".dockerenv")):
        return "a container"
    return None


def quota(text: str) -> float | None:
    """Processors that a control group allows, from ``cpu.max``: ``150000 100000`` is 1.5."""
    parts = text.split()
    if len(parts) != 2 or parts[0] == "max":
        return None
    return int(parts[0]) / int(parts[1])


def vcgencmd() -> str | None:
    """Return the firmware's own answer, where the command is there and the user may ask."""
    import subprocess  # a server that asks no firmware does without it

    try:
        done = subprocess.run(
            ("vcgencmd", "get_throttled"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def governors(root: str = "/") -> tuple[str, ...]:
    """Governors of the processors' clocks, without repetition."""
    pattern = "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
    texts = (text_of("", path) for path in paths(root, pattern))
    return tuple(dict.fromkeys(text for text in texts if text))


def paths(root: str, pattern: str) -> list[str]:
    """Return the paths below the root that match a pattern."""
    return sorted(glob.glob(os.path.join(root, pattern)))


def text_of(root: str, path: str) -> str | None:
    """Return the text of a file, or None."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as stream:
            return stream.read().strip("\0\n ") or None
    except (OSError, UnicodeDecodeError):
        return None


def number_of(path: str) -> int | None:
    """Return the number in a file, or None."""
    try:
        with open(path) as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return None
