"""Settings of a host in ``~/.ssh/config``: its address, login, keys and jump hosts."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from studio.api import UsageError

CONFIG = Path("~/.ssh/config")
# Bounds of nested includes and of a file, so that an include of itself ends.
_DEPTH = 8
_SIZE = 1 << 20
_WILD = frozenset("*?!")


@dataclass(frozen=True, slots=True)
class Host:
    """The settings that hold for one name; empty is: not said.

    Attributes:
        known_as: The name in known_hosts (``HostKeyAlias``).
        keys, certificates: Paths, the first ones first.
        jump: ``user@host:port``, several parted by commas, the nearest first; ``none`` is empty.
        only_these_keys: Whether the agent's other keys stay out (``IdentitiesOnly``).
        proxy_command: A command in place of a connection, which the studio does not run.
    """

    address: str
    port: int = 0
    user: str = ""
    known_as: str = ""
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    jump: str = ""
    only_these_keys: bool = False
    proxy_command: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """One file with all that it includes."""

    text: str = ""
    path: Path = field(default=CONFIG)

    @classmethod
    def read(cls, path: Path = CONFIG) -> Config:
        """Read the file; without it the configuration is empty.

        Raises:
            UsageError: when it cannot be read.
        """
        path = path.expanduser()
        try:
            return cls("\n".join(_lines(path, path.parent, _DEPTH)), path)
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read: {error}.") from None

    def of(self, name: str) -> Host:
        """Return the settings of a name.

        Raises:
            UsageError: when the file cannot be understood.
        """
        found = self._parsed().lookup(name)
        port, jump = str(found.get("port", "")), str(found.get("proxyjump", ""))
        return Host(
            address=str(found.get("hostname", name)),
            port=int(port) if port.isdigit() else 0,
            user=str(found.get("user", "")),
            known_as=str(found.get("hostkeyalias", "")),
            keys=tuple(found.get("identityfile", ())),
            certificates=tuple(found.get("certificatefile", ())),
            known_hosts=tuple(str(found.get("userknownhostsfile", "")).split()),
            jump="" if jump.lower() == "none" else jump,
            only_these_keys=found.get("identitiesonly") == "yes",
            proxy_command=str(found.get("proxycommand") or ""),
        )

    def names(self) -> list[str]:
        """Return the hosts in the file, without patterns."""
        try:
            found = self._parsed().get_hostnames()
        except UsageError:
            return []
        return sorted(name for name in found if not _WILD & set(name))

    def _parsed(self) -> paramiko.SSHConfig:
        try:
            return paramiko.SSHConfig.from_text(self.text)
        except (paramiko.ConfigParseError, ValueError, IndexError) as error:
            raise UsageError(
                f"{self.path} cannot be understood: {error}.",
                hint="Check it with: ssh -G NAME",
            ) from None


def _lines(path: Path, base: Path, depth: int) -> Iterator[str]:
    """Yield the lines of a file, with those of the included files in their place.

    An included file's ``Host`` ends with it, so the block it stands in is opened again after it.
    A ``Match exec`` runs a command of the user's; what stands under one is left out here.
    """
    if depth == 0 or path.stat().st_size > _SIZE:
        return
    block, left_out = "Host *", False
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        keyword = word.lower()
        if keyword in ("host", "match"):
            block = line
            left_out = keyword == "match" and "exec" in rest.lower().split()
        if left_out:
            continue
        if keyword != "include":
            yield line
            continue
        for pattern in rest.split():
            wanted = Path(pattern.strip('"')).expanduser()
            for name in sorted(glob.glob(str(base / wanted))):
                if Path(name).is_file():
                    yield from _lines(Path(name), base, depth - 1)
        yield block
