"""The text of a service unit for one root of releases."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Tuple

_UNPRIVILEGED_PORT = 1024

Section = List[Tuple[str, str]]


class UnitOptions(NamedTuple):
    """Settings in which the units of servers differ.

    Attributes:
        root: Folder of releases, the one place that the service may write to.
        command: Program and arguments of the server.
        title: Of the service, for people.
        port: Where it listens; a port below 1024 costs one capability.
        memory_mb: Above it the kernel ends the worker, and the supervisor starts another;
            None for no limit.
        cpu_percent: Of one core: 150 is one and a half; None for no limit.
        user: Account it runs as; None for the account of systemd (root for the system's).
        system: For the system's systemd rather than for that of a user, which may not confine
            files and capabilities.
        devices: It needs devices (an accelerator), not only processors.
        watchdog_s: Seconds without a heartbeat after which it is ended and started again.
        restarts: Number within five minutes after which it stays down: the cause is elsewhere.
    """

    root: Path
    command: Sequence[str]
    title: str = "inference server"
    port: int = 0
    memory_mb: Optional[int] = None
    cpu_percent: Optional[int] = None
    user: Optional[str] = None
    system: bool = True
    devices: bool = False
    watchdog_s: int = 30
    restarts: int = 5
    start_s: int = 180
    stop_s: int = 30


def unit_name(root: Path) -> str:
    """Name of the unit of a root: the same for the same folder, another for each."""
    return "edgewright-{}.service".format(hashlib.sha256(str(root).encode()).hexdigest()[:12])


def render(options: UnitOptions) -> str:
    """Return the unit's text.

    Raises:
        ValueError: when a path or argument cannot be written in a unit.
    """
    service = _process(options) + _limits(options) + _confinement(options)
    target = "multi-user.target" if options.system else "default.target"
    sections: List[Tuple[str, Section]] = [
        ("Unit", _unit(options)),
        ("Service", service),
        ("Install", [("WantedBy", target)]),
    ]
    texts = [
        "\n".join(["[{}]".format(title)] + ["{}={}".format(key, value) for key, value in rows])
        for title, rows in sections
    ]
    return "# Written by edgewright; changes are lost at the next release.\n" + (
        "\n\n".join(texts) + "\n"
    )


def _unit(options: UnitOptions) -> Section:
    rows = [
        ("Description", "Edgewright: " + _plain(options.title)),
        ("StartLimitIntervalSec", "300"),
        ("StartLimitBurst", str(options.restarts)),
    ]
    if options.system:
        rows += [("After", "network-online.target"), ("Wants", "network-online.target")]
    return rows


def _process(options: UnitOptions) -> Section:
    rows = [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        # In commands alone a dollar begins a variable.
        ("ExecStart", " ".join(quoted(word).replace("$", "$$") for word in options.command)),
        # Not notify-reload: boards still have a systemd from before it.
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("WorkingDirectory", _plain(str(options.root))),
        ("Environment", "ORT_DISABLE_TELEMETRY=1 PYTHONUNBUFFERED=1"),
        ("KillMode", "mixed"),  # the supervisor drains its workers itself
        ("TimeoutStartSec", str(options.start_s)),
        ("TimeoutStopSec", str(options.stop_s)),
        ("WatchdogSec", str(options.watchdog_s)),
        ("Restart", "on-failure"),
        ("RestartSec", "2"),
    ]
    if options.system and options.user:
        rows.append(("User", _plain(options.user)))
    return rows


def _limits(options: UnitOptions) -> Section:
    rows = [
        ("OOMPolicy", "continue"),  # the supervisor starts the worker again
        ("OOMScoreAdjust", "300"),  # rather than what the machine is reached with
        ("LimitNOFILE", "8192"),  # a descriptor for each client and some
        ("TasksMax", "1024"),
    ]
    if options.memory_mb is not None:
        rows.append(("MemoryMax", "{}M".format(_positive(options.memory_mb))))
    if options.cpu_percent is not None:
        rows.append(("CPUQuota", "{}%".format(_positive(options.cpu_percent))))
    return rows


def _confinement(options: UnitOptions) -> Section:
    """What the service may not do. A user's systemd can enforce the first part only."""
    rows = [
        ("NoNewPrivileges", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("LockPersonality", "yes"),
        ("SystemCallArchitectures", "native"),
        ("SystemCallFilter", "@system-service"),
        ("UMask", "0027"),
    ]
    if not options.system:
        return rows
    return [*rows, *_files(options), *_capabilities(options)]


def _files(options: UnitOptions) -> Section:
    switches = (
        *("PrivateTmp", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs"),
        *("ProtectControlGroups", "ProtectClock", "ProtectHostname", "RestrictNamespaces"),
    )
    rows = [
        ("ProtectSystem", "strict"),
        ("ProtectHome", "read-only"),
        ("ReadWritePaths", quoted(str(options.root))),
    ]
    rows += [(name, "yes") for name in switches]
    if not options.devices:
        rows.append(("PrivateDevices", "yes"))
    return rows


def _capabilities(options: UnitOptions) -> Section:
    if not 0 < options.port < _UNPRIVILEGED_PORT:
        return [("CapabilityBoundingSet", "")]
    bind = "CAP_NET_BIND_SERVICE"
    return [("CapabilityBoundingSet", bind), ("AmbientCapabilities", bind)]


def quoted(word: str) -> str:
    """Return a word of a list as systemd reads it.

    Raises:
        ValueError: when it has control characters.
    """
    text = _plain(word).replace("\\", "\\\\").replace('"', '\\"')
    return '"{}"'.format(text)


def _plain(text: str) -> str:
    """Text in which systemd replaces nothing."""
    if not text or text != text.strip() or not text.isprintable():
        raise ValueError("{!r} cannot be written in a unit.".format(text[:80]))
    return text.replace("%", "%%")


def _positive(number: int) -> int:
    if number < 1:
        raise ValueError("A limit must be above 0, not {}.".format(number))
    return number
