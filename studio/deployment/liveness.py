"""Whether something serves on a target now, and where: what every command says of it is asked here.

A server writes of itself where it answers. That file outlives it: a crash leaves it behind, and
after a restart of the machine another process may have its number. So a server says, too, what
tells its process from all others, and what serves is what still has that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import Channel, TargetSpec
from studio.targets.connect import host_of, is_local

SERVING, STARTING, STOPPED, IDLE = "serving", "starting", "stopped", "nothing deployed"
"""Of an endpoint: ``stopped`` is one whose server should run and does not."""

SILENT = "no answer"
"""Of one whose machine does not answer."""

_ANY_ADDRESS = ("0.0.0.0", "::")
_LOOPBACK = "127.0.0.1"

_SERVER = """\
report=$(cat "$1/run/server.json" 2>/dev/null)
printf '%s\\n' "${report:-{\\}}"
[ -h "$1/current" ] && echo current
pid=${report#*\\"pid\\":}
pid=${pid# }
pid=${pid%%[!0-9]*}
[ -n "$pid" ] || exit 0
if read -r stat < "/proc/$pid/stat" && read -r boot < /proc/sys/kernel/random/boot_id; then
  set -- ${stat##*) }
  [ "$1" = Z ] || [ "$1" = X ] || echo "process $boot:${20}"
elif [ ! -d /proc/self ] && kill -0 "$pid"; then
  echo "process alive"
fi 2>/dev/null
true
"""
"""The shell alone: a container's image may have neither sed nor head."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """How an endpoint is, and where it answers or would.

    Attributes:
        state: ``serving``, ``starting``, ``stopped`` or ``nothing deployed``.
        endpoint: Its URL, as far as one was ever written down; empty without.
        text: What is wrong, and what helps; empty where nothing is.
    """

    state: str
    endpoint: str = ""
    scheme: str = ""
    text: str = ""

    def to_json(self) -> dict[str, str]:
        """In the keys of results."""
        return {"state": self.state, "endpoint": self.endpoint, "scheme": self.scheme}


def server_info(channel: Channel, root: str) -> dict[str, Any]:
    """What the server on a target last wrote of itself; empty where none ever did.

    With ``running``: whether that server still lives, and ``current``: whether there is a release
    that it should serve.
    """
    done = channel.run(["sh", "-c", _SERVER, "sh", root], timeout=30)
    try:
        report, end = json.JSONDecoder().raw_decode(done.text)
    except ValueError:
        report, end = {}, 0
    report = report if isinstance(report, dict) else {}
    lines = done.text[end:].split("\n")
    process = next((line[8:].strip() for line in lines if line.startswith("process ")), "")
    # A server of an earlier studio does not say which process it is: any with its number counts.
    running = bool(process) and process == str(report.get("process") or process)
    return {**report, "running": running, "current": "current" in lines}


def liveness(target: TargetSpec, report: Mapping[str, Any]) -> Liveness:
    """How an endpoint is, by the report of ``server_info``."""
    if not report.get("current"):
        return Liveness(IDLE)
    endpoint, scheme = url_of(target, report), str(report.get("scheme") or "http")
    if not report.get("running") or report.get("state") == "stopped":
        text = f"Its server does not run. Start it with: studio start --target {target.name}"
        return Liveness(STOPPED, endpoint, scheme if endpoint else "", text)
    error = str(report.get("error") or "")
    # A release that could not be loaded leaves the one before at work.
    works = report.get("state") == "ready" or bool(report.get("worker"))
    return Liveness(SERVING if works else STARTING, endpoint, scheme, error)


def url_of(target: TargetSpec, report: Mapping[str, Any]) -> str:
    """Where a server answers; a board that listens on its loopback is reached through the studio.

    Args:
        report: Has its ``host``, ``port`` and ``scheme``.
    """
    host, port = str(report.get("host") or ""), int(report.get("port") or 0)
    if not host or not port:
        return ""
    if host in _ANY_ADDRESS:
        host = _LOOPBACK if is_local(target) else host_of(target)
    return f"{report.get('scheme') or 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
