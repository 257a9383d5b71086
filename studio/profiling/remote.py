"""The bench on another machine: shipped through a channel, run there, its events brought back."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from studio.api import (
    Channel,
    Connector,
    Extension,
    Progress,
    TargetError,
    TargetSpec,
    Unavailable,
)
from studio.plugin_host import PluginHost
from studio.profiling.command import run_bench
from studio.profiling.recording import Recording
from studio.runtime.archive import write_application

_FIND_ROOT = 'd=$1; case "$d" in "~") d=$HOME;; "~/"*) d=$HOME/${d#"~/"};; esac; printf %s "$d"'
_FIND_PYTHONS = 'ls -d "$1"/env/*/bin/python3 2>/dev/null; command -v python3'
_NEEDED = ("numpy", "onnxruntime")
_PROBE = """
import sys, importlib.util
lacking = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
print(" and ".join(["Python 3.8"] * (sys.version_info < (3, 8)) + lacking))
"""

ModelFiles = Callable[[Path], Sequence[Path]]
"""The files that make up a model, itself first."""


_APPLICATION = "edgewright.pyz"


def measure(
    host: PluginHost,
    target: TargetSpec,
    config: Mapping[str, Any],
    shipment: Shipment,
    on_event: Callable[[dict[str, Any]], None],
) -> Recording:
    """Run a bench on a target.

    Raises:
        Unavailable: when no connector answers for the target's URL.
        TargetError: when the connection is lost before the first round, or the target's Python
            lacks what is needed.
    """
    connector = connector_for(host, target)
    channel = connector.connect(target, shipment.job)
    try:
        return run_on(channel, connector.default_root(target), config, shipment, on_event)
    finally:
        channel.close()


def connector_for(host: PluginHost, target: TargetSpec) -> Connector:
    """The connector that answers for a target's URL.

    Raises:
        Unavailable: when there is none.
    """
    scheme = target.url.partition(":")[0]
    capability = host.answering(scheme)
    if capability is None or capability.extension is not Extension.TARGET:
        raise Unavailable(f"No plugin connects to {scheme} targets.")
    connector: Connector = host.create(capability)
    return connector


def run_on(
    channel: Channel,
    root: str,
    config: Mapping[str, Any],
    shipment: Shipment,
    on_event: Callable[[dict[str, Any]], None],
) -> Recording:
    """Ship what the bench needs, run it, and remove it again; see ``measure``."""
    root = _text(channel, ["sh", "-c", _FIND_ROOT, "sh", root])
    python = find_python(channel, root)
    folder = f"{root}/bench-{secrets.token_hex(6)}"
    with _folder(channel, folder):
        there = shipment.send(channel, folder, config)
        # A channel closes standard input at once, so that cannot mean "cancel" here; the bench
        # ends when its events can no longer be written.
        there["cancel_on_eof"] = False
        return run_bench(channel, [python, f"{folder}/{_APPLICATION}", "bench"], there, on_event)


def find_python(channel: Channel, root: str) -> str:
    """An interpreter with numpy and onnxruntime: that of a release, or the target's own.

    Raises:
        TargetError: in one sentence, when there is none.
    """
    listed = channel.run(["sh", "-c", _FIND_PYTHONS, "sh", root]).text.split("\n")
    pythons = [line.strip() for line in listed if line.strip()]
    lacking = ""
    for python in pythons:
        answer = channel.run([python, "-c", _PROBE, *_NEEDED])
        lacking = answer.text.strip()
        if answer.status == 0 and not lacking:
            return python
    if not pythons:
        raise TargetError("There is no python3 on the target.", hint="Install python3 there.")
    raise TargetError(
        f"Nothing can be measured on the target, because its python3 lacks {lacking or 'much'}.",
        hint="Deploy to the target once, which brings them along, or install them there.",
    )


class Shipment:
    """Copies the files that a bench's configuration names to a folder on a target."""

    def __init__(self, folder: Path, files: ModelFiles, job: Progress) -> None:
        """Prepare a shipment.

        Args:
            folder: For temporary files on this computer.
            files: Tells the files that make up a model.
            job: Told how far the copies are.
        """
        self.job = job
        self._local = folder
        self._files = files

    def send(self, channel: Channel, folder: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """Copy them; returns the configuration with the target's paths."""
        there: dict[str, Any] = json.loads(json.dumps(config))
        application = self._local / _APPLICATION
        write_application(str(application))
        channel.put(application, f"{folder}/{_APPLICATION}", self.job)
        sent: dict[str, str] = {}
        for candidate in there["candidates"]:
            for key, files in (("runner", _alone), ("model", self._files)):
                path = candidate[key]
                if path not in sent:
                    place = f"{folder}/{len(sent)}"
                    sent[path] = self._send(channel, files(Path(path)), place)
                candidate[key] = sent[path]
        if there.get("meter"):
            there["meter"] = self._send(channel, [Path(there["meter"])], f"{folder}/meter")
        npz = there["feeds"]["npz"]
        if npz:
            there["feeds"]["npz"] = self._send(channel, [Path(npz)], f"{folder}/feeds")
        return there

    def _send(self, channel: Channel, files: Sequence[Path], folder: str) -> str:
        """Copy files that lie together; returns the path of the first one there."""
        base = files[0].parent
        for file in files:
            self.job.check()
            place = f"{folder}/{file.relative_to(base).as_posix()}"
            _text(channel, ["mkdir", "-p", place.rpartition("/")[0]])
            channel.put(file, place, self.job)
        return f"{folder}/{files[0].name}"


def _alone(path: Path) -> Sequence[Path]:
    return [path]


@contextmanager
def _folder(channel: Channel, folder: str) -> Iterator[None]:
    """A folder on the target, removed in the end where the connection still stands."""
    _text(channel, ["mkdir", "-p", folder])
    try:
        yield
    finally:
        with suppress(TargetError):
            channel.run(["rm", "-rf", folder], timeout=30)


def _text(channel: Channel, argv: Sequence[str]) -> str:
    """What a command says.

    Raises:
        TargetError: when it fails, with what it complained about.
    """
    done = channel.run(argv)
    if done.status:
        complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = complaint[-1] if complaint else f"{argv[0]} failed with status {done.status}"
        raise TargetError(f"The target refused: {reason.rstrip('.')}.")
    return done.text.strip()
