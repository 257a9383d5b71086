"""Route to a board: address and login by URL, settings and configuration, and jump hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from studio.api import TargetError, TargetSpec, UsageError
from studio_ssh.address import Address
from studio_ssh.config import Config, Host

_MOST_JUMPS = 8


@dataclass(frozen=True, slots=True)
class Hop:
    """SSH server on the route.

    Attributes:
        known_as: Its name in known_hosts.
        keys: Private keys to try first; each may have a certificate next to it.
        agent: Whether any of the agent's keys, and the usual files, may be tried, too.
        strict: The keys were chosen for this target: no other is tried, and they must be readable.
        known_hosts: Files with confirmed keys.
    """

    address: Address
    known_as: str
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    agent: bool = True
    strict: bool = False
    known_hosts: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """The hops, the board last."""

    hops: tuple[Hop, ...]

    @property
    def board(self) -> Hop:
        """The board itself."""
        return self.hops[-1]

    @property
    def jumps(self) -> tuple[Hop, ...]:
        """The servers before it."""
        return self.hops[:-1]


def route_to(target: TargetSpec, known_hosts: Path, config: Config) -> Route:
    """Return the route to a target. Its URL and settings override the configuration.

    Raises:
        UsageError: when the URL or the configuration cannot be understood.
        TargetError: when the route is a cycle, or needs a command.
    """
    wanted = Address.parse(target.url)
    said = urlsplit(target.url)
    host = config.of(wanted.host)
    board = _hop(wanted, host, known_hosts, user=said.username or "", port=said.port or 0)
    chosen = target.settings.get("key_file")
    if chosen:
        own = tuple(filter(None, [target.settings.get("certificate_file", "")]))
        board = replace(board, keys=(chosen,), certificates=own, agent=False, strict=True)
    jump = target.settings.get("jump", "") or host.jump
    if host.proxy_command and not jump:
        raise TargetError(
            f"The SSH configuration reaches {wanted.host} through a command (ProxyCommand), which "
            "the studio does not run.",
            hint="Write it as ProxyJump, or give the target the setting jump.",
        )
    return Route((*_jumps(jump, known_hosts, config, (wanted.host,)), board))


def _jumps(words: str, known_hosts: Path, config: Config, seen: tuple[str, ...]) -> Iterator[Hop]:
    """Yield the hops of ``a,b``; one may have jump hosts of its own, as with OpenSSH."""
    names = [word.strip() for word in words.split(",") if word.strip() not in ("", "none")]
    for number, name in enumerate(names):
        url = name if name.startswith("ssh://") else f"ssh://{name}"
        try:
            wanted, said = Address.parse(url), urlsplit(url)
        except UsageError:
            raise UsageError(
                f"{name!r} is not the address of a jump host.", hint="Write user@host:port."
            ) from None
        if wanted.host in seen or len(seen) > _MOST_JUMPS:
            raise TargetError(f"The way to the board leads through {wanted.host} in a circle.")
        host = config.of(wanted.host)
        # Only the first hop is reached directly; the others are reached through it.
        if number == 0:
            yield from _jumps(host.jump, known_hosts, config, (*seen, wanted.host))
        yield _hop(wanted, host, known_hosts, user=said.username or "", port=said.port or 0)


def _hop(wanted: Address, host: Host, known_hosts: Path, *, user: str, port: int) -> Hop:
    login = user or host.user or wanted.user
    address = Address(host.address, port or host.port or wanted.port, login)
    files = tuple(Path(name).expanduser() for name in host.known_hosts) or (known_hosts,)
    return Hop(
        address,
        host.known_as or address.known_as,
        host.keys,
        host.certificates,
        agent=not host.only_these_keys,
        known_hosts=files,
    )
