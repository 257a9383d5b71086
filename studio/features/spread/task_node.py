"""The program of a node: the work of one step, done there for another computer.

``python -m studio.steps.task_node FOLDER INPUTS`` reads ``task.json`` in the folder, and takes the
inputs by their SHA-256. The work is done in a worker behind the node's own walls. What happens is
appended to ``events.jsonl``. The document names a step, and the function is that of the node's own
catalogue. Nothing that comes from outside is imported or executed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from studio.api import InvalidData, StudioError, UsageError
from studio.api.tasks.executors import DOCUMENT, EVENTS, OUTPUT
from studio.documents.dataclass_json import from_json, to_json
from studio.features.spread.archive import pack, unpack
from studio.features.spread.document import (
    CRASHED,
    FOLDER,
    INPUT,
    LAST,
    STALLED,
    TIMED_OUT,
    TaskDocument,
    TaskInput,
    renamed,
    replaced,
)
from studio.jobs.memory import TOGETHER
from studio.jobs.outcome import signal_name
from studio.jobs.process import TooMuchMemory, WorkerProcess, WorkerStalled
from studio.jobs.sandbox import NONE, Sandbox, containment
from studio.jobs.spec import JobSpec, class_path
from studio.jobs.step import AnyStep
from studio.jobs.worker import describe
from studio.plugin_host import PluginHost
from studio.plugin_host.environments.environment import interpreters
from studio.plugin_host.tool_versions import tools
from studio.settings import Paths, Settings
from studio.steps.catalogue import step as step_named
from studio.steps.portable import spreads


def why_not_there(document: TaskDocument, step: AnyStep, here: Mapping[str, str]) -> str:
    """Return why a node may not do a task; empty when it may.

    Args:
        here: Versions of what computes on the node.
    """
    if not spreads(step):
        return f"A node does not do the step {document.step}."
    wanted = document.tools
    for name in ("edgewright", "python", *wanted):
        there, own = wanted.get(name, ""), here.get(name, "")
        if name == "python":
            there, own = (".".join(text.split(".")[:2]) for text in (there, own))
        if there != own:
            return _differs("Edgewright" if name == "edgewright" else name, own, there)
    return ""


def _differs(name: str, own: str, wanted: str) -> str:
    has = f"has {name} {own}" if own else f"has no {name}"
    return f"The node {has}, but this computer {wanted}: install the same version there."


_ENOUGH_S = 8.0
"""For a worker to end, and for its folder to be removed."""


def main(words: list[str] | None = None) -> int:
    """Do the task of a folder; the exit code is 0 also for work that failed."""
    parser = argparse.ArgumentParser(prog="task_node", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("inputs", type=Path)
    parser.add_argument("--leash", action="store_true", help="end with standard input")
    arguments = parser.parse_args(words)
    if arguments.leash:
        threading.Thread(target=_leash, daemon=True).start()
    scratch = Path(tempfile.mkdtemp(prefix="edgewright-task-"))
    try:
        with (arguments.folder / EVENTS).open("ab", buffering=0) as events:
            NodeTask(arguments.folder, arguments.inputs, scratch, events).run()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def _leash() -> None:
    """End this process when what has started it is gone."""
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ENOUGH_S)
    os._exit(1)


class NodeTask:
    """One task on its node.

    Args:
        folder: With the document; its events and its output go there.
        inputs: With the inputs, named by their SHA-256.
        scratch: For the inputs in their places, and for the folder of the work.
    """

    def __init__(self, folder: Path, inputs: Path, scratch: Path, events: BinaryIO) -> None:
        self._folder, self._inputs, self._scratch = folder, inputs, scratch
        self._events = events
        self._work = scratch / "work"
        self._there = {str(self._work): FOLDER}

    def run(self) -> None:
        """Do it; whatever happens, the last line is about its end."""
        try:
            document = self._document()
            step = step_named(document.step)
            reason = why_not_there(document, step, tools(PluginHost.discover()))
            if reason:
                raise UsageError(reason)
            last = self._done(self._spec(document, step))
        except StudioError as error:
            last = {"event": "error", **describe(error)}
        except OSError as error:
            last = {"event": "error", "message": f"{error.strerror or error}: {error.filename}."}
        self._write(last)

    def _document(self) -> TaskDocument:
        try:
            return from_json(TaskDocument, json.loads((self._folder / DOCUMENT).read_bytes()))
        except ValueError as error:
            raise InvalidData(f"The document of the task cannot be read: {error}.") from error

    def _spec(self, document: TaskDocument, step: AnyStep) -> JobSpec:
        """Return the job as this node knows it, after its inputs have been put in place."""
        here = {}
        for one in document.inputs:
            place = self._put(one)
            here[INPUT + one.place] = str(place)
            self._there[str(place)] = INPUT + one.place
        arguments = replaced(document.arguments, renamed(here))
        return JobSpec(
            id=self._folder.name,
            title=document.title,
            entry=step.work,
            arguments=arguments,
            reads=(self._scratch / "inputs",),
            limits=document.limits,
            options=class_path(step.options),
            step=step.name,
            preprocess=Path(here[document.preprocess]) if document.preprocess else None,
        )

    def _put(self, one: TaskInput) -> Path:
        """Put an input in its place, if its digest is right."""
        number, _, name = one.place.partition("/")
        source = self._inputs / one.digest
        if not (number.isdigit() and name and name not in (".", "..") and "/" not in name):
            raise InvalidData(f"The task has an input with an impossible name: {one.place!r}.")
        if len(one.digest) != 64 or not one.digest.isalnum():
            raise InvalidData(f"The task has an input with an impossible digest: {one.place!r}.")
        place = self._scratch / "inputs" / number / name
        place.parent.mkdir(parents=True, exist_ok=True)
        # The copy is hashed: the input itself may change after it was read.
        copy = self._scratch / one.digest if one.folder else place
        shutil.copyfile(source, copy)
        with copy.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != one.digest:
                raise InvalidData(f"The input {name} of the task was changed on its way.")
        if one.folder:
            unpack(copy, place)
            copy.unlink()
        return place

    def _done(self, spec: JobSpec) -> dict[str, Any]:
        """Return the last event of the work, with its files packed."""
        worker = self._worker(spec)
        signal.signal(signal.SIGTERM, lambda *_: worker.cancel())
        try:
            worker.send(spec)
            last = self._followed(worker, spec)
            number = worker.finish()
            if last.get("event") == "result":
                pack(worker.folder, self._folder / f".{OUTPUT}")
                os.replace(self._folder / f".{OUTPUT}", self._folder / OUTPUT)
            if last:
                return dict(replaced(last, renamed(self._there)))
            if worker.cancel_requested:
                return {"event": "cancelled"}
            log = f"{signal_name(number)}\n{worker.last_words()}"
            return {"event": CRASHED, "exit_code": number, "detail": log}
        finally:
            worker.remove()

    def _followed(self, worker: WorkerProcess, spec: JobSpec) -> dict[str, Any]:
        limits = spec.limits
        try:
            memory = limits.memory_mb * TOGETHER
            for event in worker.events(limits.seconds, limits.silence, memory):
                if event.event in LAST:
                    return _without_defaults(to_json(event))
                if event.event != "ready":
                    self._write(_without_defaults(to_json(event)))
        except (TimeoutError, WorkerStalled, TooMuchMemory) as end:
            worker.finish()
            kinds = {TimeoutError: TIMED_OUT, WorkerStalled: STALLED, TooMuchMemory: "memory"}
            return {"event": kinds[type(end)]}
        return {}

    def _worker(self, spec: JobSpec) -> WorkerProcess:
        paths = Paths.of()
        level = containment() if Settings(paths.settings)["sandbox"] else NONE
        always = (paths.plugins, paths.trust, paths.samples, *interpreters(paths.environments))
        linked = [path.resolve() for path in paths.plugins.glob("*") if path.is_symlink()]
        there = [path for path in (*always, *linked, *spec.reads) if path.exists()]
        return WorkerProcess(paths, Sandbox(level, self._work, tuple(there), spec.needs))

    def _write(self, event: Mapping[str, Any]) -> None:
        text = json.dumps(replaced(event, renamed(self._there)), default=str)
        self._events.write(text.encode() + b"\n")


def _without_defaults(event: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in event.items() if v not in ("", 0.0, None, {}) or k == "event"}
