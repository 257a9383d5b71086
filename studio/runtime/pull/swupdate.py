"""SWUpdate as the client of a board: this service configures it, runs it, and takes its artefact.

SWUpdate polls the server, downloads, and verifies its own signature. Its artefact has ours in it,
and a script that hands ours to ``pull take``. SWUpdate reports a success only after a restart with
the option ``-c 2``, as it would be after a restart of the board.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Dict, List

from ..release.store.layout import Layout
from ..shared.errors import ReleaseError
from ..shared.files import remove, write_atomically
from ..units.notify import Notifier
from .container import Container
from .errors import PullError
from .facts import facts_of
from .installation import Installation, failure_sentences
from .release_machine import ReleaseMachine, own_application
from .service import say, single
from .settings import TARGET, PullFolder, PullSettings

PROGRAM = "swupdate"
_USUAL_S = 300.0
_LOG_LEVEL = 5
"""What a script prints is reported to the server at this level alone."""
_LOOK_S = 0.5
_END_S = 30.0
_AGAIN_S = 10.0
_NOTHING, _SUCCESS = "0", "2"
"""SWUpdate's words for nothing to report, and for a release that was tested."""


class SwupdateFiles:
    """Files of SWUpdate below the folder of the pull client."""

    def __init__(self, folder: PullFolder) -> None:
        self.configuration = folder.folder / "swupdate.cfg"
        self.certificate = folder.folder / "swupdate.pem"
        self.restart = folder.folder / "swupdate.restart"
        self.taken = folder.folder / "swupdate.taken"
        self.sockets = folder.folder / "swupdate.run"


def configuration(folder: PullFolder, settings: PullSettings) -> str:
    """Return SWUpdate's configuration in libconfig's syntax; the secret is in it."""
    files, facts = SwupdateFiles(folder), facts_of(Layout(folder.root), settings)
    word = "targettoken" if settings.token_kind == TARGET else "gatewaytoken"
    token = folder.secret()
    suricatta = {
        "tenant": settings.tenant,
        "id": settings.id,
        "url": settings.server,
        "polldelay": int(settings.poll_s or _USUAL_S),
        "retry": 3,
        "retrywait": 5,
        "loglevel": 3,  # at a higher one the token is in the journal
    }
    if token:
        suricatta[word] = token
    if settings.ca:
        suricatta["cafile"] = str(folder.authority)
    general = {
        "loglevel": _LOG_LEVEL,
        "public-key-file": str(files.certificate),
        "postupdatecmd": "/bin/touch {}".format(shlex.quote(str(files.restart))),
    }
    rows = ["  {{ name = {}; value = {}; }}".format(_text(n), _text(v)) for n, v in facts.items()]
    parts = [_group("globals", general), _group("suricatta", suricatta)]
    return "\n".join([*parts, "identify = (\n{}\n);\n".format(",\n".join(rows))])


class SwupdateService:
    """Runs SWUpdate until it is ended, and again after each update."""

    def __init__(self, root: Path) -> None:
        self._folder = PullFolder(root)
        self._files = SwupdateFiles(self._folder)
        self._over = threading.Event()
        self._notifier = Notifier.of(os.environ)

    def run(self) -> int:
        """Run until a signal arrives; return the exit status.

        Raises:
            PullError: when SWUpdate is not on this board, or another client works here.
        """
        if shutil.which(PROGRAM) is None:
            raise PullError("The program swupdate is not on this board: apt install swupdate")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._over.set())
        with single(self._folder.root):
            self._notifier.ready("SWUpdate polls")
            while not self._over.is_set():
                if not self._serve():
                    self._over.wait(_AGAIN_S)
        return 0

    def _serve(self) -> bool:
        """Run SWUpdate once; return whether it was ended by this service."""
        settings, files = self._folder.load(), self._files
        text = configuration(self._folder, settings)
        write_atomically(files.configuration, text.encode(), 0o600)
        files.sockets.mkdir(mode=0o700, exist_ok=True)
        command = self._command(settings)
        remove(files.restart)
        environment = {**os.environ, "TMPDIR": str(files.sockets)}
        environment.pop("NOTIFY_SOCKET", None)
        environment.pop("RUNTIME_DIRECTORY", None)
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        try:
            return self._watch(process)
        finally:
            _end(process)

    def _command(self, settings: PullSettings) -> List[str]:
        hardware = "{}:{}".format(settings.hardware, settings.revision)
        state = _NOTHING
        if self._files.taken.exists():
            state = _SUCCESS
            remove(self._files.taken)
        words = [PROGRAM, "-f", str(self._files.configuration), "-H", hardware]
        return [*words, "-m", "-M", "-u", "-S hawkbit -c " + state]

    def _watch(self, process: subprocess.Popen[bytes]) -> bool:
        while not self._over.wait(_LOOK_S):
            self._notifier.beat()
            if self._files.restart.exists():
                return True
            if process.poll() is not None:
                say("SWUpdate has ended with status {}.".format(process.returncode))
                return False
        return True


def take(root: Path, artefact: Path) -> Dict[str, object]:
    """Hand an artefact that SWUpdate has delivered to the release machine.

    Raises:
        PullError: why it was not taken; the release before serves.
        TryLater: when another operator works on this board.
    """
    folder = PullFolder(root)
    settings, files = folder.load(), SwupdateFiles(folder)
    owner = "pull:{}".format(settings.id)
    machine = ReleaseMachine(root, owner, own_application())
    try:
        container = Container(artefact)
        installation = Installation(Layout(root), settings, machine, owner)
        done = installation.run(container, lambda _, sentence: print(sentence, flush=True))
    except ReleaseError as error:
        raise PullError(" ".join(failure_sentences(error))) from None
    finally:
        remove(artefact)
    for line in done.details:
        print(line, flush=True)
    mark = json.dumps({"release": container.manifest.digest})
    write_atomically(files.taken, mark.encode(), 0o600)
    return {"state": done.state, "release": container.manifest.digest}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End SWUpdate with its own processes."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _group(name: str, values: Dict[str, object]) -> str:
    lines = ["  {} = {};".format(key, _value(found)) for key, found in values.items()]
    return "{}:\n{{\n{}\n}};".format(name, "\n".join(lines))


def _value(found: object) -> str:
    return str(found) if isinstance(found, int) else _text(str(found))


def _text(text: str) -> str:
    """Return a string of libconfig; other characters than printable ones are left out."""
    kept = "".join(one for one in text if " " <= one <= "~")
    return '"{}"'.format(kept.replace("\\", "\\\\").replace('"', '\\"'))
