"""Whether something serves on a target now, and where: what every command says of it is asked here.

A server writes of itself where it answers. That file outlives it: a crash leaves it behind, and
after a restart of the machine another process may have its number. So a server says, too, what
tells its process from all others, and what serves is what still has that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from studio.api import Channel, TargetSpec
from studio.documents.dataclass_json import JsonValue, read_parts
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


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens."""

    host: str | None = ""
    port: int | None = 0
    scheme: str | None = ""


@dataclass(frozen=True, slots=True)
class _ServerReport:
    """A server's last report of itself.

    Attributes:
        running: Whether that server still lives.
        current: Whether there is a release that it should serve.
        worker: Number of the process that answers requests; 0 for none.
    """

    running: bool = False
    current: bool = False
    state: str = ""
    process: str | None = ""
    worker: int | None = 0
    error: str | None = ""


def server_info(channel: Channel, root: str) -> dict[str, JsonValue]:
    """Return what the server on a target last wrote of itself; empty where none ever did.

    With ``running``: whether that server still lives, and ``current``: whether there is a release
    that it should serve.
    """
    done = channel.run(["sh", "-c", _SERVER, "sh", root], timeout=30)
    try:
        report, end = json.JSONDecoder().raw_decode(done.text)
    except ValueError:
        report, end = {}, 0
    document: dict[str, JsonValue] = report if isinstance(report, dict) else {}
    lines = done.text[end:].split("\n")
    process = next((line[8:].strip() for line in lines if line.startswith("process ")), "")
    # A server of an earlier studio does not say which process it is: any with its number counts.
    own = read_parts(_ServerReport, document).process or process
    running = bool(process) and process == own
    return {**document, "running": running, "current": "current" in lines}


def liveness(target: TargetSpec, document: Mapping[str, object]) -> Liveness:
    """Return how an endpoint is, by the report of ``server_info``."""
    report, address = read_parts(_ServerReport, document), read_parts(ServerAddress, document)
    if not report.current:
        return Liveness(IDLE)
    endpoint, scheme = url_of(target, address), address.scheme or "http"
    if not report.running or report.state == "stopped":
        text = f"Its server does not run. Start it with: studio start --target {target.name}"
        return Liveness(STOPPED, endpoint, scheme if endpoint else "", text)
    # A release that could not be loaded leaves the one before at work.
    works = report.state == "ready" or bool(report.worker)
    return Liveness(SERVING if works else STARTING, endpoint, scheme, report.error or "")


def url_of(target: TargetSpec, address: ServerAddress) -> str:
    """Return where a server answers; the studio reaches a board's loopback through its channel."""
    host, port = address.host, address.port
    if not host or not port:
        return ""
    if host in _ANY_ADDRESS:
        host = _LOOPBACK if is_local(target) else host_of(target)
    return f"{address.scheme or 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
