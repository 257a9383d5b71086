"""A PostgreSQL server in a temporary folder, on the loopback: the programs of Debian."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.serve.peers import free_port

NEEDED = "needs PostgreSQL's server: apt-get install postgresql-17, or apt-get download"
_TARGET = 17
_PACKAGES = (f"postgresql-{_TARGET}", f"postgresql-client-{_TARGET}", "libpq5")
SUPERUSER, _OWNER, _LOGIN = "postgres", "owner", "a-password-of-the-rig"
_CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 64MB
log_min_messages = warning
"""


def programs(rigs: Path) -> Path | None:
    """Return the folder of ``initdb`` and ``postgres``; unpacked Debian packages where none is.

    None where neither an installed server nor Debian's mirror is there.
    """
    installed = {int(one.parent.name): one for one in Path("/usr/lib/postgresql").glob("*/bin")}
    newest = max(installed, default=0)
    if newest >= _TARGET and (installed[newest] / "initdb").exists():
        return installed[newest]
    unpacked = rigs / f"postgres-{_TARGET}"
    if not unpacked.is_dir() and not _unpack(unpacked):
        return None
    return next(unpacked.glob("usr/lib/postgresql/*/bin"), None)


def _unpack(target: Path) -> bool:
    passing = target.with_suffix(".new")
    shutil.rmtree(passing, ignore_errors=True)
    passing.mkdir(parents=True)
    try:
        _quiet(["apt-get", "download", *_PACKAGES], cwd=passing)
        for package in passing.glob("*.deb"):
            _quiet(["dpkg-deb", "--extract", str(package), str(passing)])
            package.unlink()
    except (OSError, subprocess.SubprocessError):
        return False
    passing.rename(target)
    return True


def _quiet(command: Sequence[str], **more: Any) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=300, **more)


class PostgresServer:
    """A server with an owner of databases, who is no superuser and logs in with a password.

    Args:
        bin_folder: Folder of PostgreSQL's programs.
        folder: An empty folder for the cluster.
    """

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self._bin = bin_folder
        self._folder = folder
        self._data = folder / "data"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.passfile = folder / "pgpass"
        self._logins = {SUPERUSER: _LOGIN, _OWNER: _LOGIN}

    def make(self) -> None:
        """Create the cluster, owned by a user without rights."""
        self._folder.mkdir(exist_ok=True)
        self._folder.chmod(0o755)
        self._data.mkdir(mode=0o700)
        password = self._folder / "password"
        password.write_text(_LOGIN)
        if os.geteuid() == 0:
            shutil.chown(self._data, "nobody")
        command = ["initdb", "-D", str(self._data), "-U", SUPERUSER, "--pwfile", str(password)]
        try:
            self._run([*command, "--auth", "scram-sha-256", "-E", "UTF8", "--no-locale", "-N"])
        except subprocess.CalledProcessError as error:
            raise AssertionError(error.stderr.decode()[-2000:]) from error
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(_CONF + f"port = {self.port}\n")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", str(self._data)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._user(),
            )  # fmt: skip
        for _attempt in range(200):
            if self._process.poll() is not None:
                raise AssertionError((self._folder / "log").read_text()[-2000:])
            with contextlib.suppress(Exception):
                self._add_owner()
                return
            time.sleep(0.1)
        raise AssertionError("the server does not answer")

    def _add_owner(self) -> None:
        if not self.sql(f"SELECT FROM pg_roles WHERE rolname = '{_OWNER}'", role=SUPERUSER):
            rights = f"LOGIN CREATEDB CREATEROLE PASSWORD '{_LOGIN}'"
            self.sql(f"CREATE ROLE {_OWNER} {rights}", role=SUPERUSER)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server.

        Args:
            at_once: Kill it, as a power cut would.
        """
        if self._process is None:
            return
        # SIGINT is a fast shutdown, SIGQUIT an immediate one without a checkpoint.
        self._process.send_signal(3 if at_once else 2)
        self._process.wait(60)
        self._process = None

    def show(self, pem: Path) -> None:
        """Show a certificate to new connections; its file has the key too."""
        kept = self._data / "shown.pem"
        shutil.copy(pem, kept)
        kept.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(kept, "nobody")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("ssl = on\nssl_cert_file = 'shown.pem'\nssl_key_file = 'shown.pem'\n")
        self.reload()

    def trust(self, pem: Path, database: str) -> None:
        """Want a certificate of this authority for a database, and the password."""
        shutil.copy(pem, self._data / "trusted.pem")
        (self._data / "trusted.pem").chmod(0o644)
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("ssl_ca_file = 'trusted.pem'\n")
        rules = (self._data / "pg_hba.conf").read_text()
        (self._data / "pg_hba.conf").write_text(
            f"hostssl {database} all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n{rules}"
        )
        self.reload()

    def reload(self) -> None:
        """Let the server read its settings, and wait until it has."""
        before = self.sql("SELECT pg_conf_load_time()")
        assert self._process is not None
        self._process.send_signal(1)
        for _attempt in range(100):
            if self.sql("SELECT pg_conf_load_time()") != before:
                return
            time.sleep(0.05)
        raise AssertionError("the server did not read its settings")

    def address(self, database: str = "postgres", role: str = _OWNER) -> str:
        """Return the address of a database for a role, without the password."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def add_role(self, name: str, member_of: str = "") -> None:
        """Add a role that logs in, or make it a member of another role."""
        if name not in self._logins:
            self._logins[name] = f"{name}-password"
            self.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{name}-password'")
        if member_of:
            self.sql(f"GRANT {member_of} TO {name}")
        self.write_passfile()

    def write_passfile(self) -> None:
        """Write the passwords of all roles where libpq looks for them (``PGPASSFILE``)."""
        lines = [f"*:{self.port}:*:{name}:{word}" for name, word in self._logins.items()]
        self.passfile.write_text("\n".join(lines) + "\n")
        self.passfile.chmod(0o600)

    def sql(
        self, statement: str, database: str = "postgres", role: str = _OWNER
    ) -> list[tuple[Any, ...]]:
        """Run a statement as the owner, or as another role."""
        import psycopg

        with psycopg.connect(
            self.address(database, role),
            password=self._logins[role],
            autocommit=True,
            connect_timeout=5,
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which libpq finds the passwords."""
        return {"PGPASSFILE": str(self.passfile)}

    def _run(self, command: Sequence[str]) -> None:
        _quiet([str(self._bin / command[0]), *command[1:]], **self._user())

    def _user(self) -> dict[str, Any]:
        """Return who runs the server: never the superuser, whom it refuses."""
        library = self._bin.parents[2] / f"{os.uname().machine}-linux-gnu"
        environment = {**os.environ, "LD_LIBRARY_PATH": str(library)}
        found: dict[str, Any] = {"env": environment, "cwd": "/"}
        return {**found, "user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else found


@contextlib.contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that the server's user can enter; pytest closes its own to others."""
    folder = Path(tempfile.mkdtemp(prefix="edgewright-postgres-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(bin_folder: Path, folder: Path) -> Iterator[PostgresServer]:
    """A server for the time of a test."""
    with _reachable(bin_folder) as programs:
        server = PostgresServer(programs, folder)
        server.make()
        server.write_passfile()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def _reachable(bin_folder: Path) -> Iterator[Path]:
    """The programs where the server's user can enter, which a superuser's home may not allow."""
    if os.geteuid() != 0 or all(one.stat().st_mode & 1 for one in bin_folder.parents):
        yield bin_folder
        return
    unpacked = bin_folder.parents[4]
    with public_folder() as folder:
        shutil.copytree(unpacked, folder / "programs", symlinks=True, copy_function=_linked)
        yield folder / "programs" / bin_folder.relative_to(unpacked)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
