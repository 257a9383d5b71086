"""Boards that can be found: in the user's SSH configuration, by announcements, in a subnet."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from studio.api import Progress, Unavailable, UsageError
from studio.api.discovery import Candidate
from studio_ssh.config import Config

SERVICES = ("_ssh._tcp.local.", "_sftp-ssh._tcp.local.", "_workstation._tcp.local.")
"""Announcements of boards: Avahi's ssh.service, sftp-ssh.service and publish-workstation."""

_SSH_PORT = 22
_MOST_ADDRESSES = 1024
_AT_A_TIME = 128
_CONNECT_S = 1.0
_BANNER = b"SSH-2.0-"
_LOOK_S = 0.1


def find(ways: Sequence[str], subnet: str, seconds: float, progress: Progress) -> list[Candidate]:
    """Search in the wanted ways; each host is listed once, from the way with most facts."""
    found: list[Candidate] = []
    if "config" in ways:
        found += configured(Config.read())
    if "mdns" in ways:
        found += announced(seconds, progress)
    if "subnet" in ways:
        found += answering(subnet, progress)
    places: dict[str, Candidate] = {}
    for one in found:
        places.setdefault(one.url.partition("@")[2] or one.url.partition("//")[2], one)
    return list(places.values())


def configured(config: Config) -> list[Candidate]:
    """Return the hosts of ``~/.ssh/config`` with address, login, key, certificate and jump hosts.

    What holds now is written down, so that a target does not change when the file does.
    """
    rows = []
    for name in config.names():
        host = config.of(name)
        if host.proxy_command and not host.jump:
            continue
        login = f"{host.user}@" if host.user else ""
        port = f":{host.port}" if host.port not in (0, _SSH_PORT) else ""
        pairs = (
            ("key_file", host.keys[0] if host.keys else ""),
            ("certificate_file", host.certificates[0] if host.certificates else ""),
            ("jump", host.jump),
        )
        settings = {key: value for key, value in pairs if value}
        text = f"in {config.path}" + (f", through {host.jump}" if host.jump else "")
        url = f"ssh://{login}{_bracketed(host.address)}{port}"
        rows.append(Candidate(name_of(name), url, "config", settings, text))
    return rows


def announced(seconds: float, progress: Progress) -> list[Candidate]:
    """Return boards that announce an SSH server on the local network (mDNS, RFC 6762 and 6763).

    Raises:
        Unavailable: without zeroconf.
    """
    try:
        from zeroconf import ServiceBrowser, Zeroconf
    except ImportError:
        raise Unavailable(
            "Announcements on the network cannot be heard without the library zeroconf.",
            hint="Install the extra: edgewright[discovery].",
        ) from None
    try:
        ears = Zeroconf()
    except OSError as error:
        raise Unavailable(
            f"This computer has no network on which boards could announce themselves ({error})."
        ) from None
    heard = _Announcements()
    with closing(ears):
        browser = ServiceBrowser(ears, list(SERVICES), handlers=[heard])
        for done in range(max(1, round(seconds / _LOOK_S))):
            progress.progress(done * _LOOK_S, seconds, "Listening for boards")
            time.sleep(_LOOK_S)
        browser.cancel()
        return [one for kind, name in heard.names() if (one := _announced(ears, kind, name))]


class _Announcements:
    """Keeps what was announced; called by the library's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[tuple[str, str], None] = {}

    def __call__(
        self, zeroconf: object, service_type: str, name: str, state_change: object
    ) -> None:
        with self._lock:
            self._names[service_type, name] = None

    def names(self) -> list[tuple[str, str]]:
        with self._lock:
            return list(self._names)


def _announced(ears: object, kind: str, name: str) -> Candidate | None:
    info = ears.get_service_info(kind, name, timeout=1500)  # type: ignore[attr-defined]
    addresses = info.parsed_addresses() if info is not None else []
    # An address of this link only, without its interface, leads nowhere.
    addresses = [one for one in addresses if not one.lower().startswith("fe80:")]
    if not addresses:
        return None
    # An announced workstation names no port of a server.
    port = _SSH_PORT if kind.startswith("_workstation") else int(info.port)
    url = f"ssh://{_bracketed(addresses[0])}" + (f":{port}" if port != _SSH_PORT else "")
    own = name.removesuffix(f".{kind}").partition(" [")[0]
    return Candidate(name_of(own), url, "mdns", {}, f"announced as {own[:80]!r}")


def answering(subnet: str, progress: Progress) -> list[Candidate]:
    """Return addresses with an SSH server, from one connection each that reads the greeting only.

    Raises:
        UsageError: when it is no subnet, or has too many addresses.
    """
    addresses = hosts_of(subnet)
    rows = []
    with ThreadPoolExecutor(min(_AT_A_TIME, len(addresses))) as pool:
        for done, (address, banner) in enumerate(pool.map(_greeting, addresses), 1):
            progress.progress(done, len(addresses), f"Asking {subnet}")
            if banner:
                url = f"ssh://{_bracketed(address)}"
                rows.append(Candidate(name_of(address), url, "subnet", {}, f"greets as {banner}"))
    return rows


def hosts_of(subnet: str) -> list[str]:
    """Return the addresses of a subnet."""
    try:
        network = ipaddress.ip_network(subnet.strip(), strict=False)
    except ValueError:
        raise UsageError(f"{subnet!r} is no subnet.", hint="Write it as 192.168.1.0/24.") from None
    if network.num_addresses > _MOST_ADDRESSES:
        raise UsageError(
            f"{network} has {network.num_addresses:,} addresses; at most {_MOST_ADDRESSES:,} are "
            "asked at once.",
            hint="Name a smaller part of it.",
        )
    return [str(address) for address in network.hosts()]


def _greeting(address: str) -> tuple[str, str]:
    """Return the greeting of an address's SSH server, or "" without one."""
    try:
        with socket.create_connection((address, _SSH_PORT), _CONNECT_S) as link:
            link.settimeout(_CONNECT_S)
            line = link.recv(255).split(b"\n")[0].strip()
    except OSError:
        return address, ""
    said = re.sub(r"[^ -~]", "", line.decode("ascii", "replace"))
    return address, said[:80] if line.startswith(_BANNER) else ""


def name_of(text: str) -> str:
    """Return a target's name from one that any host on the network may have chosen."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text.removesuffix(".local")).strip("-._")
    return name[:64] or "board"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
