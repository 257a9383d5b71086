"""What of the file system a command behind walls sees: a short list, with its links as they are."""

from __future__ import annotations

import errno
import os
import pwd
import site
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import studio
from studio.api import Permission
from studio.jobs.sandbox.environment import CERTIFICATES
from studio.lazy_dataclass import dataclass
from studio.settings import resource

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/nix/store", "/gnu/store"),  # where these systems keep what others have in /usr
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload"),
    "/etc/alternatives",  # without it Debian's /usr is not whole, BLAS included
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates", "/etc/pki/tls"),
    *("/etc/pki/ca-trust", "/etc/crypto-policies"),
    *("/etc/fonts", "/etc/localtime", "/etc/timezone"),
    # What a processor is, and its temperature and power, are read by the bench.
    *("/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/devices/virtual/thermal"),
    *("/sys/devices/virtual/powercap", "/sys/class/thermal", "/sys/class/powercap"),
)
"""What programs need of a system. Nothing of it is secret or the user's."""

NAMES = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"),
    *("/etc/services", "/etc/protocols"),
)
"""How names of the network are found; for commands that may use it."""

_MOST_LINKS = 40
"""As many links as the kernel follows in one path."""

_NOT_BOUND = ("/proc", "/dev")
"""Walls have their own."""

_CROWDED = ("/etc", "/run", "/var", "/opt", "/srv", "/mnt", "/media")
"""Folders of which a file that lies directly in them shows no neighbours."""

_MOST_NEIGHBOURS = 500


@dataclass(frozen=True, slots=True)
class View:
    """The files and folders that a worker can read.

    Attributes:
        places: Where they really lie, outermost first; none lies in another.
        links: Links on the path to them that are in none of them, with their targets.
    """

    places: tuple[str, ...]
    links: Mapping[str, str]

    @classmethod
    def of(cls, paths: Iterable[str | Path]) -> View:
        """Return the view in which all of these paths resolve as they do now."""
        links: dict[str, str] = {}
        known: dict[str, str | None] = {}
        real = {_followed(os.fspath(path), links, known) for path in paths}
        places: list[str] = []
        for place in sorted(real - {""}, key=lambda place: place.count("/")):
            if place != "/" and not _within(place, (*places, *_NOT_BOUND)):
                places.append(place)
        shown = {link: to for link, to in links.items() if not _within(link, places)}
        return cls(tuple(places), shown)


def view_for(reads: Iterable[Path], needs: frozenset[Permission]) -> View:
    """Return the system, the studio's code and what a command was given to read."""
    more: tuple[str, ...] = ()
    if Permission.NETWORK in needs:
        more = (*NAMES, *filter(None, map(os.environ.get, CERTIFICATES)))
    return View.of((*SYSTEM, *more, *_code(), *reads))


def readable_around(path: Path) -> list[Path]:
    """Return the readable paths for a file: its folder, which may hold external tensors.

    A file that lies directly in a home, or above one, is an exception: only its neighbours that
    are plain, visible files are shown, not the whole home; and of one in a folder of the system
    itself alone.
    """
    if path.is_dir():
        return [path]
    folder = path.parent
    if str(folder) in _CROWDED or folder == Path("/"):
        return [path]
    if not any(home.is_relative_to(folder) for home in _homes()):
        return [folder]
    names = sorted(entry.path for entry in os.scandir(folder) if _plain(entry))
    return [path, *map(Path, names[:_MOST_NEIGHBOURS])]


def _followed(path: str, links: dict[str, str], known: dict[str, str | None]) -> str:
    """Return the real path of a path, empty for a broken one, and collect the links it passes.

    Args:
        known: Answers of ``_target``, which many paths share.
    """
    todo = [part for part in reversed(path.split("/")) if part]
    here, followed = "/", 0
    while todo:
        part = todo.pop()
        if part in (".", ".."):
            here = os.path.dirname(here) if part == ".." else here
            continue
        step = os.path.join(here, part)
        if step not in known:
            known[step] = _target(step)
        target = known[step]
        if target is None:
            return ""
        if not target:
            here = step
            continue
        followed += 1
        if followed > _MOST_LINKS:
            return ""
        links[step] = target
        here = "/" if target.startswith("/") else here
        todo += [each for each in reversed(target.split("/")) if each]
    return here


def _target(path: str) -> str | None:
    """Return a link's target; empty for other files, None for a missing or unreadable one."""
    try:
        return os.readlink(path)
    except OSError as error:
        return "" if error.errno == errno.EINVAL else None


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _code() -> list[str | Path]:
    """Return where this interpreter and all that it can import lie."""
    found: list[str | Path] = [sys.executable, Path(sys.executable).parent]
    found += [sys.prefix, sys.base_prefix, Path(studio.__file__).parent, resource()]
    found += site.getsitepackages()
    found += _editable()
    # A script's or a module's own folder stands there too, which may be the home.
    return found + [entry for entry in sys.path if entry and not _holds_a_home(entry)]


def _editable() -> list[str]:
    """Folders of packages that a finder of setuptools maps, which are not in ``sys.path``."""
    modules = sys.modules.copy()  # another thread may import
    finders = [module for name, module in modules.items() if name.startswith("__editable__")]
    return [str(place) for one in finders for place in getattr(one, "MAPPING", {}).values()]


def _holds_a_home(entry: str) -> bool:
    place = Path(os.path.realpath(entry))
    return any(home.is_relative_to(place) for home in _homes())


def _homes() -> set[Path]:
    """Return the homes and temporary files of this machine."""
    homes = {Path("/home"), Path("/root"), Path("/tmp"), Path("/var/tmp"), Path("/run/user")}
    try:
        homes.add(Path(pwd.getpwuid(os.getuid()).pw_dir))
    except KeyError:  # a container may run as a number without a name
        pass
    if os.environ.get("HOME"):
        homes.add(Path(os.environ["HOME"]).resolve())
    return homes


def _plain(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
