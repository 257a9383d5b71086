"""A bare Debian system in a folder, and commands in it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

PROGRAMS = ("mmdebstrap", "bwrap")
SUITE = "trixie"
_INCLUDE = "ca-certificates"
_BUILD_S, _COMMAND_S = 1800, 1800
_PATH = "/root/.local/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_UNREAD = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def image(rigs: Path) -> Path:
    """The archive of a minimal system, made once (root only)."""
    definition = hashlib.sha256(repr((SUITE, _INCLUDE, _UNREAD)).encode())
    path = rigs / f"bare-{definition.hexdigest()[:12]}.tar"
    with (rigs / "bare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            made = path.with_suffix(".part.tar")
            excludes = [f"--dpkgopt=path-exclude={pattern}" for pattern in _UNREAD]
            command = ["nice", "-n", "15", "mmdebstrap", "--quiet", "--variant=minbase", *excludes]
            done = subprocess.run(
                [*command, f"--include={_INCLUDE}", SUITE, str(made)],
                capture_output=True, text=True, timeout=_BUILD_S, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-2000:]
            os.rename(made, path)
    return path


class BareRoot:
    """One such system; what a command writes there stays."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        subprocess.run(
            ["tar", "-xf", str(archive), "-C", str(folder), "--exclude=./dev/*"], check=True
        )
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
        # A system that is thrown away need not survive a power cut; dpkg waits for each file.
        (folder / "etc/dpkg/dpkg.cfg.d/unsafe").write_text("force-unsafe-io\n")
        known = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
        if known:  # what this machine trusts, where a proxy has certificates of its own
            shutil.copy(known, folder / _CERTIFICATES)

    def add(self, *packages: str) -> None:
        """Install Debian packages: names, or files in it."""
        self.ok("apt-get", "update", "-qq")
        words = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
        self.ok(*words, DEBIAN_FRONTEND="noninteractive")

    def put(self, path: Path, place: str) -> str:
        """Copy a file to a place in it; returns the place."""
        target = self.folder / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        return place

    def command(self, *words: str, **environment: str) -> list[str]:
        """A command line that runs a command in it, with a home, a path, and no display."""
        variables: Mapping[str, str] = {
            "HOME": "/root",
            "PATH": _PATH,
            "LC_ALL": "C.UTF-8",
            "SSL_CERT_FILE": f"/{_CERTIFICATES}",
            "PIP_CERT": f"/{_CERTIFICATES}",
            **environment,
        }
        settings = [word for pair in variables.items() for word in ("--setenv", *pair)]
        return [
            *("bwrap", "--bind", str(self.folder), "/", "--dev", "/dev"),
            *("--proc", "/proc", "--tmpfs", "/dev/shm", "--unshare-pid", "--die-with-parent"),
            *("--cap-add", "ALL", "--clearenv", *settings, "--chdir", "/root", *words),
        ]

    def run(
        self, *words: str, timeout: float = _COMMAND_S, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*words, **environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ok(self, *words: str, timeout: float = _COMMAND_S, **environment: str) -> str:
        """Run a command that must succeed; returns what it prints."""
        done = self.run(*words, timeout=timeout, **environment)
        assert done.returncode == 0, (
            f"{' '.join(words)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
        return done.stdout
