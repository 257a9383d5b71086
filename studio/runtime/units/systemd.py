"""The verbs for a unit: install, enable, start, stop, look, remove."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional

_PATIENCE_S = 240.0
_RUNNING = Path("/run/systemd/system")


class UnitError(Exception):
    """What systemd refused, in one sentence, with its own words as detail."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail


class UnitState(NamedTuple):
    """How a unit is doing.

    Attributes:
        active: ``active``, ``activating``, ``reloading``, ``inactive``, ``failed`` ...
        result: Why it ended: ``success``, ``watchdog``, ``oom-kill``, ``start-limit-hit`` ...
        pid: Of the supervisor; 0 where none runs.
        restarts: By systemd, since it was last started by hand.
    """

    active: str
    enabled: str
    result: str
    pid: int
    restarts: int


class Systemd:
    """The system's systemd, or that of the user."""

    def __init__(self, program: str, folder: Path, *, system: bool) -> None:
        self._program = program
        self._folder = folder
        self.system = system

    @staticmethod
    def found(
        environment: Mapping[str, str], *, euid: Optional[int] = None, running: Path = _RUNNING
    ) -> Optional[Systemd]:
        """The systemd that this user may give units to; None where there is none.

        Args:
            running: There while systemd is what started this machine.
        """
        program = shutil.which("systemctl", path=environment.get("PATH"))
        if program is None or not running.is_dir():
            return None
        if (os.geteuid() if euid is None else euid) == 0:
            return Systemd(program, Path("/etc/systemd/system"), system=True)
        own = Path(environment.get("XDG_RUNTIME_DIR") or "/nowhere", "systemd", "private")
        if not own.exists():  # no systemd of the user: a login without a session
            return None
        home = Path(environment.get("HOME") or "/nowhere")
        base = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        return Systemd(program, base / "systemd" / "user", system=False)

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
        temporary = path.with_name(name + ".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(str(temporary), str(path))
        except OSError as error:
            sentence = "The unit {} cannot be written: {}.".format(path, error.strerror)
            raise UnitError(sentence) from None
        self._do("daemon-reload")
        return True

    def enable(self, name: str) -> None:
        """Start it whenever the machine (or the user's session) starts."""
        self._do("enable", name)

    def start(self, name: str) -> None:
        """Start it and wait until it says that it is ready."""
        self._do("reset-failed", name, must=False)  # earlier failures must not count any more
        self._do("start", name)

    def restart(self, name: str) -> None:
        """Stop it if it runs, and start it."""
        self._do("reset-failed", name, must=False)
        self._do("restart", name)

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
        wanted = "ActiveState,UnitFileState,Result,MainPID,NRestarts"
        text = self._do("show", "--property=" + wanted, name)
        found: Dict[str, str] = dict(
            line.split("=", 1) for line in text.splitlines() if "=" in line
        )
        return UnitState(
            active=found.get("ActiveState", ""),
            enabled=found.get("UnitFileState", ""),
            result=found.get("Result", ""),
            pid=int(found.get("MainPID") or 0),
            restarts=int(found.get("NRestarts") or 0),
        )

    def _do(self, *arguments: str, must: bool = True) -> str:
        scope: List[str] = [] if self.system else ["--user"]
        try:
            done = subprocess.run(
                [self._program, *scope, "--no-pager", "--no-ask-password", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnitError("systemd did not {} in time.".format(arguments[0])) from None
        except OSError as error:
            raise UnitError("systemctl cannot be run: {}.".format(error.strerror)) from None
        if must and done.returncode != 0:
            sentence = "systemd could not {} {}.".format(arguments[0], " ".join(arguments[1:]))
            raise UnitError(sentence.replace(" .", "."), done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "replace")
