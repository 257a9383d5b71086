"""The verbs for a unit: install, enable, start, stop, look, remove."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional

from ..shared.files import write_atomically

_PATIENCE_S = 240.0
_RUNNING = Path("/run/systemd/system")
_LINGERING = Path("/var/lib/systemd/linger")
"""Has a file for each user whose systemd is started at boot (``loginctl enable-linger``)."""


class UnitError(Exception):
    """Refusal by systemd, in one sentence, with its own output as detail."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail


class UnitState(NamedTuple):
    """State of a unit as systemd reports it.

    Attributes:
        active: ``active``, ``activating``, ``reloading``, ``inactive``, ``failed`` ...
        result: Why it ended: ``success``, ``watchdog``, ``oom-kill``, ``start-limit-hit`` ...
        pid: Of the supervisor; 0 where none runs.
        restarts: By systemd, since it was last started by hand.
        waits: A job of systemd for it is pending.
    """

    active: str
    enabled: str
    result: str
    pid: int
    restarts: int
    waits: bool = False

    @property
    def alive(self) -> bool:
        """Whether it runs or is about to; not while it waits to be tried again."""
        starting = self.active == "activating" and self.result == "success"
        return self.waits or starting or self.active in ("active", "reloading", "deactivating")


class Systemd:
    """The system's systemd, or that of the user."""

    def __init__(
        self, program: str, folder: Path, *, system: bool, runtime: Optional[Path] = None
    ) -> None:
        self._program = program
        self._folder = folder
        self._environment = dict(os.environ)
        if runtime is not None:
            self._environment["XDG_RUNTIME_DIR"] = str(runtime)
        self.system = system

    @staticmethod
    def detect(
        environment: Mapping[str, str], *, euid: Optional[int] = None, running: Path = _RUNNING
    ) -> Optional[Systemd]:
        """Return the systemd instance that this user may install units in, or None.

        Args:
            running: Folder that exists while systemd is the machine's init.
        """
        program = shutil.which("systemctl", path=environment.get("PATH"))
        if program is None or not running.is_dir():
            return None
        user = os.geteuid() if euid is None else euid
        if user == 0:
            return Systemd(program, Path("/etc/systemd/system"), system=True)
        # A command over SSH may have no session of its own, while the user's systemd runs.
        runtime = Path(environment.get("XDG_RUNTIME_DIR") or "/run/user/{}".format(user))
        if not (runtime / "systemd" / "private").exists():
            return None
        home = Path(environment.get("HOME") or "/nowhere")
        base = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        return Systemd(program, base / "systemd" / "user", system=False, runtime=runtime)

    def starts_at_boot(self, lingering: Path = _LINGERING) -> bool:
        """Return whether its units run without a login session."""
        return self.system or (lingering / _user_name()).exists()

    def has(self, name: str) -> bool:
        """Return whether a unit of this name is installed."""
        return (self._folder / name).exists()

    def install(self, name: str, text: str) -> bool:
        """Write a unit and let systemd read it; False when it was there already.

        Raises:
            UnitError: when it cannot be written or read.
        """
        path = self._folder / name
        try:
            if path.read_text("utf-8") == text:
                return False
        except (OSError, ValueError):
            pass
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode("utf-8"))
        except OSError as error:
            sentence = "The unit {} cannot be written: {}.".format(path, error.strerror)
            raise UnitError(sentence) from None
        self._do("daemon-reload")
        return True

    def enable(self, name: str) -> None:
        """Start it whenever the machine (or the user's session) starts."""
        self._do("enable", name)

    def start(self, name: str) -> None:
        """Start it and wait until it reports that it is ready."""
        self._do("reset-failed", name, must=False)  # earlier failures must not count any more
        self._do("start", name)

    def restart(self, name: str, *, wait: bool = True) -> None:
        """Stop it if it runs, and start it.

        Args:
            wait: Until it reports that it is ready.
        """
        self._do("reset-failed", name, must=False)
        self._do("restart", *([] if wait else ["--no-block"]), name)

    def reload(self, name: str) -> None:
        """Let it serve what is current now."""
        self._do("reload", name)

    def stop(self, name: str) -> None:
        """Let it finish its requests and end; without effect when it does not run."""
        self._do("stop", name)

    def remove(self, name: str) -> None:
        """Stop it and forget it."""
        path = self._folder / name
        if not path.exists():
            return
        self._do("disable", "--now", name)
        try:
            path.unlink()
        except OSError as error:
            sentence = "The unit {} cannot be removed: {}.".format(path, error.strerror)
            raise UnitError(sentence) from None
        self._do("daemon-reload")
        self._do("reset-failed", name, must=False)

    def state(self, name: str) -> UnitState:
        """How it is doing; ``inactive`` for a unit that does not exist."""
        wanted = "ActiveState,UnitFileState,Result,MainPID,NRestarts,Job"
        text = self._do("show", "--property=" + wanted, name)
        found: Dict[str, str] = dict(
            line.split("=", 1) for line in text.splitlines() if "=" in line
        )
        active, enabled, result, pid, restarts, job = (
            found.get(key, "") for key in wanted.split(",")
        )
        waits = job not in ("", "0")
        return UnitState(active, enabled, result, int(pid or 0), int(restarts or 0), waits)

    def journal(self, name: str, lines: int) -> str:
        """Return the last lines that it has written; empty where they cannot be read."""
        program = shutil.which("journalctl", path=self._environment.get("PATH"))
        words = ["--no-pager", "--output=cat", "--lines={}".format(lines), "--unit=" + name]
        try:
            done = self._run(program or "", *words)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.decode("utf-8", "replace")

    def _run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        scope: List[str] = [] if self.system else ["--user"]
        return subprocess.run(
            [program, *scope, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            timeout=_PATIENCE_S,
            check=False,
        )

    def _do(self, *arguments: str, must: bool = True) -> str:
        try:
            done = self._run(self._program, "--no-pager", "--no-ask-password", *arguments)
        except subprocess.TimeoutExpired:
            raise UnitError("systemd did not {} in time.".format(arguments[0])) from None
        except OSError as error:
            raise UnitError("systemctl cannot be run: {}.".format(error.strerror)) from None
        if must and done.returncode != 0:
            sentence = "systemd could not {} {}.".format(arguments[0], " ".join(arguments[1:]))
            raise UnitError(sentence.replace(" .", "."), done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "replace")


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user without an entry
        return str(os.geteuid())
