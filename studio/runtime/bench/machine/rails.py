"""Power and energy sensors of a machine, read from /sys without privilege."""

from __future__ import annotations

import glob
import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from typing import Callable, Mapping

POWER, ENERGY = "power", "energy"
"""A sensor tells watts now, or joules since some moment."""

_WHOLE = (
    re.compile(r"^(VDD_IN|5V_IN|POM_5V_IN|VIN_SYS_5V0|VIN|SYS_?IN|TOTAL|psys)$", re.IGNORECASE),
    re.compile(r"battery", re.IGNORECASE),
    re.compile(r"^package-\d+$"),
)
"""Rails by how much of the machine they feed, most first: boards, batteries, processors."""

_BUSY_S = 0.01
_VCGENCMD = ("vcgencmd", "pmic_read_adc")
_PMIC_LINE = re.compile(r"^\s*(\w+?)_([AV]) (?:current|volt)\(\d+\)=([\d.]+)[AV]$", re.MULTILINE)


@dataclass(frozen=True)
class Rail:
    """Power or energy sensor of a machine.

    Attributes:
        name: The rail's own (``VDD_IN``), or what the sensor is called.
        source: The kind of sensor: ``INA3221``, ``RAPL``, ``battery``, a driver's name.
        kind: ``power`` (``read`` gives watts) or ``energy`` (joules).
        read: Reads the present value.

            Raises OSError or ValueError when the sensor does not answer.
        wraps_at: Joules at which an energy counter begins again; 0: never.
        update_s: Period in which the sensor measures, if it reports it.
        command: The value comes from a program, which is slower than a file.
    """

    name: str
    source: str
    kind: str
    read: Callable[[], float]
    wraps_at: float = 0.0
    update_s: float | None = None
    command: bool = False


@dataclass
class RailScan:
    """Readable rails, and the reasons why others are not."""

    rails: list[Rail] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, rail: Rail) -> None:
        """Add a rail if it can be read now, at the third try at the latest."""
        try:
            _read_patiently(rail)
        except PermissionError:
            self.refused.append(f"{rail.source} {rail.name} may only be read by root")
        except (OSError, ValueError):
            self.refused.append(f"{rail.source} {rail.name} gives no number")
        else:
            self.rails.append(rail)

    @property
    def whole(self) -> Rail | None:
        """The rail that feeds most of the machine, or None; several processors are added up."""
        for pattern in _WHOLE:
            chosen = [rail for rail in self.rails if pattern.search(rail.name)]
            if chosen:
                return chosen[0] if len(chosen) == 1 else _sum(chosen)
        return self.rails[0] if self.rails else None

    @property
    def why_none(self) -> str:
        """Return why no sensor is available, in a few words."""
        if self.refused:
            return "; ".join(self.refused)
        return "this machine has no INA3221, hwmon power, RAPL, battery or PMIC sensor"


def _read_patiently(rail: Rail, tries: int = 3) -> None:
    """Read a sensor whose bus may be busy for a moment, as I2C is."""
    for _ in range(tries - 1):
        try:
            rail.read()
            return
        except PermissionError:
            raise
        except (OSError, ValueError):
            time.sleep(_BUSY_S)
    rail.read()


def find_rails(root: str = "/") -> RailScan:
    """Return all sensors below a root, which is ``/`` outside of tests."""
    found = RailScan()
    for look in (_hwmon, _old_ina3221, _rapl, _batteries):
        look(root, found)
    if root == "/" and not found.rails:
        _pmic(found)
    return found


def _hwmon(root: str, found: RailScan) -> None:
    """Power, energy, or current times voltage, of any driver (INA3221, INA2xx, amd_energy)."""
    for folder in _glob(root, "sys/class/hwmon/hwmon*"):
        driver = _text(os.path.join(folder, "name")) or "hwmon"
        source = "INA3221" if driver.startswith("ina3221") else driver
        interval = _number(os.path.join(folder, "update_interval"))
        update = interval / 1e3 if interval else None
        for path in _inputs(folder, "power*_input", "power*_average"):
            _add_file(found, _label(folder, path, driver), source, POWER, path, 1e-6, update)
        for path in _inputs(folder, "energy*_input"):
            _add_file(found, _label(folder, path, driver), source, ENERGY, path, 1e-6, update)
        if source != "INA3221" or _inputs(folder, "power*_input"):
            continue
        for amperes in _inputs(folder, "curr*_input"):
            volts = os.path.join(folder, os.path.basename(amperes).replace("curr", "in"))
            label = _text(os.path.join(folder, os.path.basename(volts).replace("_input", "_label")))
            if os.path.exists(volts) and label and "sum" not in label.lower():
                found.add(Rail(label, source, POWER, _product(volts, amperes), update_s=update))


def _old_ina3221(root: str, found: RailScan) -> None:
    """NVIDIA's first driver (JetPack up to 4): one file of milliwatts for each rail."""
    pattern = "sys/bus/i2c/drivers/ina3221x/*/iio:device*/in_power*_input"
    for path in _glob(root, pattern):
        number = re.sub(r"\D", "", os.path.basename(path))
        name = _text(os.path.join(os.path.dirname(path), f"rail_name_{number}"))
        _add_file(found, name or f"rail {number}", "INA3221", POWER, path, 1e-3, None)


def _rapl(root: str, found: RailScan) -> None:
    """Energy counters of processors; since 2020 kernels show them to root alone."""
    for folder in _glob(root, "sys/class/powercap/intel-rapl:*"):
        path = os.path.join(folder, "energy_uj")
        if not os.path.exists(path):
            continue
        name = _text(os.path.join(folder, "name")) or os.path.basename(folder)
        most = _number(os.path.join(folder, "max_energy_range_uj")) or 0
        found.add(Rail(name, "RAPL", ENERGY, _scaled(path, 1e-6), wraps_at=most * 1e-6))


def _batteries(root: str, found: RailScan) -> None:
    """Return the batteries that discharge: these feed the whole machine, others measure nothing."""
    for folder in _glob(root, "sys/class/power_supply/*"):
        if _text(os.path.join(folder, "type")) != "Battery":
            continue
        name = f"battery {os.path.basename(folder)}"
        status = _text(os.path.join(folder, "status")) or "unknown"
        if status != "Discharging":
            found.refused.append(f"{name} is {status.lower()}, so it does not feed the machine")
            continue
        power, amperes = (os.path.join(folder, each) for each in ("power_now", "current_now"))
        volts = os.path.join(folder, "voltage_now")
        if os.path.exists(power):
            _add_file(found, name, "power supply", POWER, power, 1e-6, None)
        elif os.path.exists(amperes) and os.path.exists(volts):
            found.add(Rail(name, "power supply", POWER, _product(volts, amperes, 1e-12)))


def _pmic(found: RailScan) -> None:
    """The power chip of a Raspberry Pi 5, which its firmware reads."""

    def read() -> float:
        try:
            done = subprocess.run(_VCGENCMD, stdout=subprocess.PIPE, timeout=2, check=True)
        except (subprocess.SubprocessError, FileNotFoundError) as error:
            raise ValueError(str(error)) from error
        return pmic_watts(done.stdout.decode("utf-8", "replace"))

    rail = Rail("all rails of the PMIC", "PMIC", POWER, read, command=True)
    try:
        read()
    except (ValueError, OSError):
        return
    found.rails.append(rail)


def pmic_watts(text: str) -> float:
    """Return the sum over the rails of ``vcgencmd pmic_read_adc``.

    The board's input (``EXT5V``) has a voltage there but no current: losses of the chip and what
    USB devices take are not in the sum.

    Raises:
        ValueError: when no rail has both.
    """
    values: dict[str, dict[str, float]] = {}
    for name, unit, number in _PMIC_LINE.findall(text):
        values.setdefault(name, {})[unit] = float(number)
    watts = [each["A"] * each["V"] for each in values.values() if len(each) == 2]
    if not watts:
        raise ValueError("no rail has a current and a voltage")
    return sum(watts)


def _sum(rails: list[Rail]) -> Rail:
    """Return the processors of one machine as one sensor."""
    first = rails[0]
    name = " + ".join(rail.name for rail in rails)
    # Each wraps on its own, which a sum cannot tell: such a jump is dropped as impossible.
    return Rail(name, first.source, first.kind, lambda: sum(rail.read() for rail in rails))


def _add_file(
    found: RailScan,
    name: str,
    source: str,
    kind: str,
    path: str,
    scale: float,
    update: float | None,
) -> None:
    found.add(Rail(name, source, kind, _scaled(path, scale), update_s=update))


def _scaled(path: str, scale: float) -> Callable[[], float]:
    return lambda: _read(path) * scale


def _product(volts: str, amperes: str, scale: float = 1e-6) -> Callable[[], float]:
    return lambda: _read(volts) * _read(amperes) * scale


def _read(path: str) -> int:
    with open(path) as stream:
        return int(stream.read())


def _label(folder: str, path: str, driver: str) -> str:
    stem = os.path.basename(path).rpartition("_")[0]
    return _text(os.path.join(folder, f"{stem}_label")) or f"{driver} {stem}"


def _inputs(folder: str, *patterns: str) -> list[str]:
    return sorted(path for each in patterns for path in glob.glob(os.path.join(folder, each)))


def _glob(root: str, pattern: str) -> list[str]:
    return sorted(glob.glob(os.path.join(root, pattern)))


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().strip("\0\n ") or None
    except (OSError, UnicodeDecodeError):
        return None


def _number(path: str) -> int | None:
    try:
        return _read(path)
    except (OSError, ValueError):
        return None


def from_meter(meter: object) -> list[Rail]:
    """Return the rails of a plugin's meter.

    Args:
        meter: Has ``rails()``: objects with ``name``, ``source``, ``kind`` (``power``, ``energy``)
            and ``read()``, in watts or joules.
    """
    told: list[Mapping[str, object]] = meter.rails()  # type: ignore[attr-defined]
    return [
        Rail(
            str(each["name"]),
            str(each.get("source") or "meter"),
            ENERGY if each.get("kind") == ENERGY else POWER,
            each["read"],  # type: ignore[arg-type]
        )
        for each in told
    ]
