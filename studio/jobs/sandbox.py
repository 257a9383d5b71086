"""The walls around a worker: bubblewrap where it is installed, otherwise limits alone."""

from __future__ import annotations

import enum
import functools
import os
import pwd
import shutil
import site
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import studio
from studio.api import Permission
from studio.settings import Paths, resource

_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "SSL_CERT_FILE",
)
_PASSED_PREFIXES = ("EDGEWRIGHT_", "OPENBLAS_", "OMP_", "PIP_")
_WITH_HOME = (
    "HOME",
    "USER",
    "LOGNAME",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
)
_SECRETS = ("EDGEWRIGHT_TOKEN",)
"""Passed on to those alone that need the user's secrets."""

_SECRET_PREFIXES = ("MLFLOW_", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_")
"""Whence MLflow's client and the clouds' own chains of credentials take a login; for them alone."""

_PROBE_SECONDS = 5.0


class SandboxLevel(enum.Enum):
    """How well a worker that parses or runs a model is contained."""

    FULL = "full"
    LIMITS = "limits only"

    @property
    def explanation(self) -> str:
        """One sentence for the window."""
        if self is SandboxLevel.FULL:
            return "Workers have no network, no home folder and a read-only disk (bubblewrap)."
        return "Workers have limits alone; install bubblewrap to take network and home from them."


@functools.cache
def available_level() -> SandboxLevel:
    """The best level that works on this machine, found by trying."""
    program = shutil.which("bwrap")
    if program is None:
        return SandboxLevel.LIMITS
    trial = [
        program,
        "--ro-bind",
        "/",
        "/",
        "--unshare-net",
        "--unshare-pid",
        "--proc",
        "/proc",
        "true",
    ]
    try:
        done = subprocess.run(trial, capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return SandboxLevel.LIMITS
    return SandboxLevel.FULL if done.returncode == 0 else SandboxLevel.LIMITS


def contained(needs: Iterable[Permission]) -> bool:
    """Whether such a job can be put behind walls at all.

    A job that talks to boards needs the user's keys, and one that starts a server must let it
    live on; neither parses a model.
    """
    outside = {Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    return not outside.intersection(needs)


def environment(paths: Paths, folder: Path, needs: frozenset[Permission]) -> dict[str, str]:
    """The variables of a worker: a short list, never the user's whole environment."""
    names = _PASSED_ON if contained(needs) else _PASSED_ON + _WITH_HOME
    env = {
        name: value
        for name, value in os.environ.items()
        if name in names or name.startswith(_PASSED_PREFIXES) or name.lower().endswith("_proxy")
    }
    if Permission.SECRETS not in needs:
        for name in _SECRETS:
            env.pop(name, None)
    else:
        env.update({k: v for k, v in os.environ.items() if k.startswith(_SECRET_PREFIXES)})
    env.setdefault("HOME", str(folder))
    env.update(
        ORT_DISABLE_TELEMETRY="1",
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONHASHSEED="0",  # sets in the same order: equal inputs give equal files
        MPLCONFIGDIR=str(folder),
        TMPDIR=str(folder),
        **paths.variables(),
    )
    return env


def walls(
    command: Sequence[str],
    *,
    folder: Path,
    reads: Iterable[Path],
    needs: frozenset[Permission],
) -> list[str]:
    """The command behind bubblewrap.

    Args:
        folder: The one place that can be written to.
        reads: What stays visible of the hidden folders (the homes and ``/tmp``).
    """
    wrapped = [shutil.which("bwrap") or "bwrap", "--ro-bind", "/", "/", "--dev", "/dev"]
    wrapped += ["--proc", "/proc", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    if Permission.NETWORK not in needs:
        wrapped.append("--unshare-net")
    hidden = _hidden()
    for home in hidden:
        wrapped += ["--tmpfs", str(home)]
    for path in _mounts(_visible(reads), hidden):
        wrapped += ["--ro-bind-try", str(path), str(path)]
    wrapped += ["--bind", str(folder), str(folder), "--chdir", str(folder), "--"]
    return wrapped + list(command)


def _mounts(paths: Sequence[Path], hidden: Sequence[Path]) -> list[Path]:
    """Where something is bound, outermost first.

    A link that can be seen leads to what it leads to, which is bound at its own place: nothing can
    be mounted on a link. One in a hidden folder is not there, and its place is free.
    """
    links = {path for path in paths if path.is_symlink()}
    places = {*paths, *(link.resolve() for link in links)} - links
    for link in links:
        gone = any(home in link.parents for home in hidden)
        if gone and not places.intersection(link.parents):
            places.add(link)
    return sorted(places, key=lambda path: len(path.parts))


def _hidden() -> list[Path]:
    """The homes and temporary files of this machine that exist, outermost first."""
    homes = {
        Path("/home"),
        Path("/root"),
        Path("/tmp"),
        Path("/run/user"),
    }
    try:
        homes.add(Path(pwd.getpwuid(os.getuid()).pw_dir))
    except KeyError:  # a container may run as a number without a name
        pass
    if os.environ.get("HOME"):
        homes.add(Path(os.environ["HOME"]).resolve())
    return sorted(home for home in homes if home.is_dir() and home != Path("/"))


def _visible(reads: Iterable[Path]) -> list[Path]:
    """What is bound back, outermost first so that no bind hides another."""
    code = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).parent}
    code.update({Path(studio.__file__).parent, resource(), *map(Path, site.getsitepackages())})
    code.update(Path(entry) for entry in sys.path if entry)
    code.update(path.resolve() for path in list(code))
    return sorted({path for path in (*code, *reads) if path.exists()}, key=lambda p: len(p.parts))


def readable_around(path: Path) -> list[Path]:
    """What a worker gets to see for a file: its folder, which may hold external tensors.

    A file that lies directly in a home is an exception: only its neighbours that are plain,
    visible files are shown, not the whole home.
    """
    if path.is_dir():
        return [path]
    folder = path.parent
    if folder not in _hidden() and folder != Path("/"):
        return [folder]
    names = sorted(entry.path for entry in os.scandir(folder) if _plain(entry))
    return [path, *map(Path, names[:500])]


def _plain(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
