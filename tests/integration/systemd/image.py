"""The board's file system: Debian packages for this processor, unpacked and configured once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.rigs.boards import make_key, public_key

PROGRAMS = ("mmdebstrap", "ssh-keygen")
SUITE = "trixie"
USERS = ("edge", "guest")
"""Beside root: one whose systemd is started at boot, and one for whom it is not."""

_BUILD_S = 900
_PACKAGES = (
    "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,openssh-server,python3,"
    "iproute2,procps,libstdc++6,libgomp1"
)
_UNREAD = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")


@dataclass(frozen=True)
class Image:
    """What a board is copied from, and who may log in.

    Attributes:
        user: Private key of every login.
        host_key: The public half of the board's own key.
    """

    tree: Path
    user: Path
    host_key: str


def image(rigs: Path, name: str = "systemd", more: str = "") -> Image:
    """The image, made where this definition has not been followed yet (root only).

    Args:
        name: Of the kind of image.
        more: Further packages, each with a comma before it.
    """
    definition = hashlib.sha256(Path(__file__).read_bytes() + more.encode()).hexdigest()[:12]
    folder = rigs / f"{name}-{definition}"
    rigs.mkdir(parents=True, exist_ok=True)
    with (rigs / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for older in rigs.glob(f"{name}-*"):
                shutil.rmtree(older)
            with tempfile.TemporaryDirectory(dir=rigs) as aside:
                made = Path(aside, "made")
                _make(made, more)
                os.rename(made, folder)
    return Image(folder / "tree", folder / "user", public_key(folder / "host"))


def _make(made: Path, more: str) -> None:
    made.mkdir()
    for name in ("host", "user"):
        make_key(made / name)
    tree = made / "tree"
    excludes = [f"--dpkgopt=path-exclude={pattern}" for pattern in _UNREAD]
    users = [f'--customize-hook=chroot "$1" useradd -m -s /bin/bash {name}' for name in USERS]
    command = ["nice", "-n", "19", "mmdebstrap", "--quiet", "--variant=minbase", *excludes, *users]
    done = subprocess.run(
        [*command, f"--include={_PACKAGES}{more}", SUITE, str(tree)],
        capture_output=True, text=True, timeout=_BUILD_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for name in ("root", *USERS):
        _let_in(tree, name, made / "user.pub")
    for key in tree.glob("etc/ssh/ssh_host_*"):
        key.unlink()
    _install(made / "host", tree / "etc/ssh/ssh_host_ed25519_key")
    lingering = tree / "var/lib/systemd/linger"
    lingering.mkdir(parents=True, exist_ok=True)
    (lingering / USERS[0]).touch()


def _let_in(tree: Path, name: str, key: Path) -> None:
    home = tree / ("root" if name == "root" else f"home/{name}")
    owner = home.stat()
    ssh = home / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    _install(key, ssh / "authorized_keys")
    for path in (ssh, ssh / "authorized_keys"):
        os.chown(path, owner.st_uid, owner.st_gid)


def _install(source: Path, target: Path) -> None:
    shutil.copy(source, target)
    target.chmod(0o600)
