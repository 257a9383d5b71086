"""Server as a unit of systemd: started at boot, restarted, watched and confined by it."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...backends.providers import AUTO, CPU, VARIABLE
from ...shared.errors import ReleaseError
from ...shared.manifest import NAME, parse
from ...shared.process_identity import started
from ...units.systemd import Systemd, UnitError
from ...units.unit import UnitOptions, render, unit_name
from ..store.layout import Layout

_ASK_S = 0.2
"""Between two questions to systemd: each costs a process."""

_NAMED = VARIABLE + "="
_ACCELERATORS = (
    *("nvidiactl", "nvidia[0-9]*", "nvhost-*", "nvmap", "kfd", "accel/accel*", "apex_[0-9]*"),
    *("hailo[0-9]*", "rknpu*", "fastrpc-*", "davinci[0-9]*"),
)
"""Device files of NVIDIA's, AMD's, Intel's, Google's, Hailo's, Rockchip's, Qualcomm's and Huawei's
accelerators."""

_DEVICE_SOURCES = ("camera", "microphone")

_TAIL_LINES = 40
_MEMORY_SHARE = 0.8
"""Of the machine's memory; the rest is for whoever comes to look why it is full."""


class SystemdUnit:
    """Unit of one folder of releases; it exists while a release is served."""

    def __init__(self, layout: Layout, systemd: Systemd) -> None:
        self._layout = layout
        self._systemd = systemd
        self._unit = unit_name(layout.root)
        self._pid = 0
        self._since = ""
        self._asked = float("-inf")
        self._alive = False

    @property
    def name(self) -> str:
        """``systemd``, or ``systemd-user`` for the user's own."""
        return "systemd" if self._systemd.system else "systemd-user"

    def exists(self) -> bool:
        """Return whether it is installed."""
        return self._systemd.has(self._unit)

    @property
    def pid(self) -> int:
        """Number of the supervisor as systemd knows it; 0 when none runs."""
        self._refresh()
        return self._pid

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
        """Install, enable and start it, or restart it; does not wait until it is ready.

        Args:
            environment: Not used: a unit has one of its own.

        Raises:
            ReleaseError: when systemd refuses.
        """
        self.settle(command)
        try:
            self._systemd.enable(self._unit)
            self._systemd.restart(self._unit, wait=False)
        except UnitError as error:
            raise _refused(error) from None
        self._pid, self._asked = 0, float("-inf")
        return {"unit": self._unit}

    def settle(self, command: Sequence[str]) -> None:
        """Use this command for the next start (after a crash, at boot); the running one continues.

        Raises:
            ReleaseError: when systemd refuses.
        """
        options = UnitOptions(
            self._layout.root,
            command,
            title="inference server of {}".format(self._layout.root),
            port=_port(command),
            memory_mb=_memory_mb(),
            system=self._systemd.system,
            devices=needs_devices(command) or apps_need_devices(self._layout.root),
        )
        try:
            self._systemd.install(self._unit, render(options))
        except UnitError as error:
            raise _refused(error) from None
        except ValueError as error:
            raise ReleaseError("no-unit", str(error), "Choose another folder.") from None

    def runs(self) -> bool:
        """Return whether its supervisor lives, or is about to."""
        # Cheaper than systemctl, which is a process for each call.
        if self._pid and started(self._pid) == self._since:
            return True
        if time.monotonic() - self._asked >= _ASK_S:
            self._refresh()
        return self._alive

    def stop(self, seconds: float) -> bool:
        """Let it finish its requests, and remove the unit; return whether it ran.

        Args:
            seconds: Not used: the unit has a time limit of its own.
        """
        ran = self.runs()
        try:
            self._systemd.remove(self._unit)
        except UnitError as error:
            raise _refused(error) from None
        self._pid, self._alive, self._asked = 0, False, float("-inf")
        return ran

    def tail(self) -> str:
        """Return the end of its journal."""
        return self._systemd.journal(self._unit, _TAIL_LINES)

    def facts(self) -> dict[str, object]:
        """Return the facts of the unit, for people."""
        try:
            state = self._systemd.state(self._unit)
        except UnitError:
            return {"unit": self._unit}
        return {
            "unit": self._unit,
            "enabled": state.enabled == "enabled",
            "boot": self._systemd.starts_at_boot(),
            "active": state.active,
            "restarts": state.restarts,
        }

    def _refresh(self) -> None:
        self._asked = time.monotonic()
        try:
            state = self._systemd.state(self._unit)
        except UnitError:
            self._pid, self._alive = 0, False
            return
        self._pid, self._alive = state.pid, state.alive
        self._since = started(state.pid) if state.pid else ""


def _port(command: Sequence[str]) -> int:
    """Return the port in a command line of ``serve``; a low one needs a capability."""
    words = list(command)
    text = words[words.index("--port") + 1] if "--port" in words[:-1] else ""
    return int(text) if text.isdigit() else 0


def needs_devices(command: Sequence[str], devices: str = "/dev") -> bool:
    """Return whether a server may need the device files of an accelerator.

    Named providers need them. Unasked, those are taken that the package of ONNX Runtime has: it is
    likely to be one for the accelerator that is here. Graphics (``dri``) do not count as such.
    """
    named = next((word[len(_NAMED) :] for word in command if word.startswith(_NAMED)), AUTO)
    if named != AUTO:
        return named != CPU
    return any(glob.glob(os.path.join(devices, one)) for one in _ACCELERATORS)


def apps_need_devices(root: Path) -> bool:
    """Return whether an app among the releases reads a camera, a microphone or a serial port.

    A server that runs already gets its devices when it is restarted.
    """
    return any(_reads_device(place.parent.parent) for place in root.glob("releases/*/app/app.toml"))


def _reads_device(release: Path) -> bool:
    try:
        sources = parse((release / NAME).read_bytes()).raw["app"]["sources"]
        texts = [str(one.get(key, "")) for one in sources for key in ("type", "path")]
    except (OSError, ReleaseError, KeyError, TypeError, AttributeError):
        return False  # such a release is refused elsewhere
    return any(text in _DEVICE_SOURCES or text.startswith("/dev/") for text in texts)


def _memory_mb() -> int:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(64, int(total * _MEMORY_SHARE) >> 20)


def _refused(error: UnitError) -> ReleaseError:
    return ReleaseError(
        "no-unit",
        error.sentence,
        "Look at it with systemctl, or set EDGEWRIGHT_SERVICE=process to do without a unit.",
        error.detail,
    )
