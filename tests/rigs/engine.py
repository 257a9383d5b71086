"""A real container engine of the tests' own, a base image for it, and a registry."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bcrypt
import pytest

from tests.conftest import IN_CI
from tests.rigs.boards import until
from tests.rigs.subnets import ip, take_subnet

BASE = "edgewright-test-base:1"
SUITE = "trixie"
# What python:slim has, as far as images need it: Python with pip, a shell, the C++ library.
_PACKAGES = "base-files,python3,python3-pip,libstdc++6,libgcc-s1,dash,coreutils"
_READY_S = 60.0
# Read when the file is loaded: the tests' own home comes later, and the image shall outlive it.
_CACHE = Path(os.environ.get("EDGEWRIGHT_RIGS") or Path.home() / ".cache" / "edgewright-rigs")
_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


class DockerEngine:
    """A dockerd with a folder, a socket and a bridge of its own; it touches no firewall.

    Attributes:
        socket: Path of its socket.
    """

    def __init__(self, folder: Path, bridge: str, driver: str = "overlay2") -> None:
        self.folder = folder
        self.socket = folder / "d.sock"
        self._log = folder / "dockerd.log"
        command = ["dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
        command += [f"--pidfile={folder}/d.pid", f"--host=unix://{self.socket}"]
        command += ["--config-file=/dev/null", "--default-ulimit=nofile=20000:20000"]
        command += ["--iptables=false", "--ip6tables=false", f"--storage-driver={driver}"]
        self._command = [*command, f"--bridge={bridge}"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.socket}"

    @property
    def log(self) -> str:
        """The end of what it said."""
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def start(self) -> bool:
        """Run it; False when it ends instead of answering."""
        environment = {**os.environ, "PATH": _PLACES}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
            )
        until(lambda: self._answers() or self._ended(), "dockerd answers", _READY_S)
        return not self._ended()

    def stop(self) -> None:
        """End it; its containers end with it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def load_base(self) -> None:
        """Take the base image, and see whether a container of it runs here at all."""
        self.run("import", str(base_archive()), BASE)
        done = subprocess.run(
            ["docker", "-H", self.url, "run", "--rm", "--network=none", BASE, "python3", "-c", ""],
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            _missing(f"containers do not run in this environment: {done.stderr[-1000:]}")

    def run(self, *words: str) -> str:
        """The docker command on it."""
        done = subprocess.run(
            ["docker", "-H", self.url, *words], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _answers(self) -> bool:
        done = subprocess.run(
            ["docker", "-H", self.url, "version"], capture_output=True, timeout=60
        )
        return done.returncode == 0

    def _ended(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None


@contextmanager
def docker_engine(disk_mb: int = 0) -> Iterator[DockerEngine]:
    """A running engine, or a skip; in CI a failure with what stands in its way.

    Args:
        disk_mb: Size of a disk of its own; 0: the machine's.
    """
    _require("dockerd", "docker", "ip", "mount")
    folder = Path(tempfile.mkdtemp(prefix="edgewright-engine-"))
    with ExitStack() as stack:
        stack.callback(remove_tree, folder)
        if disk_mb:
            size = f"size={disk_mb}m"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=False)
        engine = _started(folder, stack.enter_context(_bridge()))
        stack.callback(engine.stop)
        stack.callback(_remove_containers, engine)
        yield engine


def remove_tree(folder: Path) -> None:
    """Remove a folder with what an engine has left mounted in it (a network namespace)."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted(places, reverse=True):
        if Path(place).is_relative_to(folder) and place != str(folder):
            subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, bridge: str) -> DockerEngine:
    # Where the disk is itself an overlay, the kernel takes no second one on top of it.
    for driver in ("overlay2", "vfs"):
        engine = DockerEngine(folder, bridge, driver)
        if engine.start():
            return engine
    _missing(f"dockerd does not run in this environment: {engine.log}")
    raise AssertionError("not reached")


@contextmanager
def _bridge() -> Iterator[str]:
    """A bridge for containers, with the first address of a subnet."""
    name = f"ewd{uuid.uuid4().hex[:8]}"
    ip("link", "add", name, "type", "bridge")
    try:
        take_subnet(name, 19)
        ip("link", "set", name, "up")
        yield name
    finally:
        subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)


def _remove_containers(engine: DockerEngine) -> None:
    found = engine.run("ps", "--all", "--quiet").split()
    if found:
        engine.run("rm", "--force", *found)


class RegistryServer:
    """Debian's docker-registry on the loopback; with a password it wants a login."""

    def __init__(self, folder: Path, port: int, password: str = "") -> None:
        self.address = f"127.0.0.1:{port}"
        folder.mkdir()
        storage = f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}"
        lines = ["version: 0.1", storage, f"http: {{addr: {self.address}}}"]
        if password:
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
            (folder / "users").write_text(f"ann:{hashed}\n")
            lines.append(f"auth: {{htpasswd: {{realm: tests, path: {folder}/users}}}}")
        self._config = folder / "config.yml"
        self._config.write_text("\n".join(lines))
        self._log = folder / "log"

    def __enter__(self) -> RegistryServer:
        _require("docker-registry")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(self._config)], stdout=log, stderr=log
            )
        until(self._listens, "the registry listens", 20.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _listens(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        host, _, port = self.address.partition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0


def base_archive() -> Path:
    """The root file system of the base image, made once and kept (root only)."""
    _require("mmdebstrap")
    _CACHE.mkdir(parents=True, exist_ok=True)
    path = _CACHE / f"container-base-{SUITE}-1.tar"
    with (_CACHE / "container-base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            aside = path.with_suffix(".part")
            options = ["--quiet", "--variant=extract", "--format=tar", f"--include={_PACKAGES}"]
            options += ["--dpkgopt=path-exclude=/usr/share/doc/*"]
            subprocess.run(
                ["mmdebstrap", *options, SUITE, str(aside)],
                check=True,
                timeout=600,
                capture_output=True,
            )
            aside.replace(path)
    return path


def _require(*programs: str) -> None:
    lacking = [name for name in programs if shutil.which(name, path=_PLACES) is None]
    if os.geteuid() != 0:
        lacking.append("root")
    if lacking:
        _missing(f"a container engine needs {', '.join(lacking)}")


def _missing(text: str) -> None:
    if IN_CI:
        pytest.fail(f"{text} (a part that is missing in CI is a failure)", pytrace=False)
    pytest.skip(text)
