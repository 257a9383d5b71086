"""The state of the server on a target, and its address; the one source for all commands.

A server writes a report with its address. That file outlives a crash, and after a reboot another
process may have the same number. So the report also holds the identity of the process: a server
is alive if its process still has that identity.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from studio.api import Channel, TargetSpec
from studio.documents.dataclass_json import JsonValue, read_parts
from studio.lazy_dataclass import dataclass
from studio.targets.connect import host_of, is_local

SERVING, STARTING, STOPPED, IDLE = "serving", "starting", "stopped", "nothing deployed"
"""States of an endpoint; ``stopped`` means that its server should run, but does not."""

SILENT = "no answer"
"""State of an endpoint on an unreachable machine."""

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
"""Only shell built-ins: a container's image may have neither sed nor head."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """The state of an endpoint, and its address.

    Attributes:
        state: ``serving``, ``starting``, ``stopped`` or ``nothing deployed``.
        endpoint: Its URL, if a server has ever reported one; else empty.
        text: The problem and its fix; empty without a problem.
    """

    state: str
    endpoint: str = ""
    scheme: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address on which a server listens."""

    host: str | None = ""
    port: int | None = 0
    scheme: str | None = ""


@dataclass(frozen=True, slots=True)
class _ServerReport:
    """The last report of a server.

    Attributes:
        running: Whether that server still lives.
        current: Whether a release is installed for it.
        worker: Process number of the worker that answers requests; 0 without one.
    """

    running: bool = False
    current: bool = False
    state: str = ""
    process: str | None = ""
    worker: int | None = 0
    error: str | None = ""


def server_info(channel: Channel, root: str) -> dict[str, JsonValue]:
    """Return the last report of the server on a target; empty if there has been no server.

    With ``running``: whether that server is still alive, and ``current``: whether a release is
    installed for it.
    """
    done = channel.run(["sh", "-c", _SERVER, "sh", root], timeout=30)
    try:
        report, end = json.JSONDecoder().raw_decode(done.text)
    except ValueError:
        report, end = {}, 0
    document: dict[str, JsonValue] = report if isinstance(report, dict) else {}
    lines = done.text[end:].split("\n")
    process = next((line[8:].strip() for line in lines if line.startswith("process ")), "")
    # A server of an earlier studio reports no identity: any process with its number counts.
    own = read_parts(_ServerReport, document).process or process
    running = bool(process) and process == own
    return {**document, "running": running, "current": "current" in lines}


def liveness(target: TargetSpec, document: Mapping[str, object]) -> Liveness:
    """Return the state of an endpoint from the report of ``server_info``."""
    report, address = read_parts(_ServerReport, document), read_parts(ServerAddress, document)
    if not report.current:
        return Liveness(IDLE)
    endpoint, scheme = url_of(target, address), address.scheme or "http"
    if not report.running or report.state == "stopped":
        text = f"Its server does not run. Start it with: studio start --target {target.name}"
        return Liveness(STOPPED, endpoint, scheme if endpoint else "", text)
    # If a new release could not be loaded, the previous one keeps running.
    works = report.state == "ready" or bool(report.worker)
    return Liveness(SERVING if works else STARTING, endpoint, scheme, report.error or "")


def url_of(target: TargetSpec, address: ServerAddress) -> str:
    """Return the URL of a server; a board's loopback is reached through its channel."""
    host, port = address.host, address.port
    if not host or not port:
        return ""
    if host in _ANY_ADDRESS:
        host = _LOOPBACK if is_local(target) else host_of(target)
    return f"{address.scheme or 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
