"""The board's disk: Debian packages for arm64, unpacked on this computer without running them.

No program of the other processor runs while the image is made, so nothing needs to be registered
with the kernel; what the packages' scripts would have done (accounts, units) is written here.
"""

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

PROGRAMS = ("mmdebstrap", "depmod", "mke2fs", "ssh-keygen")
SUITE = "trixie"
DISK_MB = 2000
_BUILD_S = 900
_PACKAGES = (
    "linux-image-cloud-arm64,systemd,systemd-sysv,dbus,udev,kmod,openssh-server,python3,iproute2,"
    "procps,base-passwd,passwd,base-files,bash,dash,coreutils,findutils,grep,sed,util-linux,mount,"
    "libc-bin,libstdc++6,libgomp1"
)

_ACCOUNTS = {
    "passwd": "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
    "messagebus:x:102:102::/nonexistent:/usr/sbin/nologin\n"
    "systemd-network:x:998:998::/:/usr/sbin/nologin\n",
    "group": "messagebus:x:102:\nsystemd-network:x:998:\n",
}
_FILES = {
    "etc/ssh/sshd_config": "HostKey /etc/ssh/host\nUsePAM no\nUseDNS no\n"
    "PermitRootLogin prohibit-password\nPasswordAuthentication no\n"
    "MaxSessions 50\nMaxStartups 100\nSubsystem sftp internal-sftp\n",
    "etc/systemd/system/board-ssh.service": "[Unit]\nAfter=systemd-networkd.service\n[Service]\n"
    "ExecStartPre=/bin/mkdir -p /run/sshd\nExecStart=/usr/sbin/sshd -D\nRestart=always\n",
    "etc/systemd/network/10.network": "[Match]\nName=e*\n[Network]\nDHCP=yes\n",
    "etc/fstab": "/dev/nvme0n1 / ext4 defaults 0 0\n",
    "etc/hostname": "board\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
}
_UNITS = "etc/systemd/system"
_LINKS = {
    f"{_UNITS}/multi-user.target.wants/board-ssh.service": f"/{_UNITS}/board-ssh.service",
    f"{_UNITS}/multi-user.target.wants/systemd-networkd.service": (
        "/usr/lib/systemd/system/systemd-networkd.service"
    ),
    f"{_UNITS}/default.target": "/usr/lib/systemd/system/multi-user.target",
    # Minutes of an emulated processor, for nothing that the board needs.
    f"{_UNITS}/ldconfig.service": "/dev/null",
    f"{_UNITS}/systemd-hwdb-update.service": "/dev/null",
}


@dataclass(frozen=True)
class Image:
    """What a machine boots from, and who may log in.

    Attributes:
        user: Private key of root's login.
        host_key: The public half of the board's own key.
    """

    disk: Path
    kernel: Path
    user: Path
    host_key: str


def image(rigs: Path) -> Image:
    """The image, made where this definition has not been followed yet (root only)."""
    definition = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = rigs / f"arm64-{definition}"
    with (rigs / "arm64.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for older in rigs.glob("arm64-*"):
                shutil.rmtree(older)
            with tempfile.TemporaryDirectory(dir=rigs) as aside:
                made = Path(aside, "made")
                _make(Path(aside, "root"), made)
                os.rename(made, folder)
    return Image(folder / "disk", folder / "kernel", folder / "user", public_key(folder / "host"))


def _make(root: Path, made: Path) -> None:
    made.mkdir()
    for name in ("host", "user"):
        make_key(made / name)
    _run("mmdebstrap", "--quiet", "--architectures=arm64", "--variant=extract",
         f"--include={_PACKAGES}", SUITE, root)  # fmt: skip
    (kernel,) = root.glob("boot/vmlinuz-*")
    shutil.copy(kernel, made / "kernel")
    _run("depmod", "--basedir", root, kernel.name.removeprefix("vmlinuz-"))
    _configure(root)
    _let_in(root, made)
    _run("mke2fs", "-F", "-q", "-t", "ext4", "-d", root, "-L", "root",
         made / "disk", f"{DISK_MB}M")  # fmt: skip


def _configure(root: Path) -> None:
    for name, more in _ACCOUNTS.items():
        given = (root / "usr/share/base-passwd" / f"{name}.master").read_text()
        # Without a password; the SSH server wants the key all the same.
        (root / "etc" / name).write_text(given.replace("root:*:", "root::", 1) + more)
    for name, text in _FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, target in _LINKS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def _let_in(root: Path, made: Path) -> None:
    ssh = root / "root" / ".ssh"
    ssh.mkdir(mode=0o700)
    shutil.copy(made / "user.pub", ssh / "authorized_keys")
    (ssh / "authorized_keys").chmod(0o600)
    shutil.copy(made / "host", root / "etc/ssh/host")
    (root / "etc/ssh/host").chmod(0o600)


def _run(*words: str | Path) -> None:
    done = subprocess.run(
        ["nice", "-n", "19", *map(str, words)],
        capture_output=True, text=True, timeout=_BUILD_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{words[0]}: {done.stderr[-2000:]}"
