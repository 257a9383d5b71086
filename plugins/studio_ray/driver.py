"""The program that speaks with the cluster: requests and answers, a line of JSON each.

It runs in the Python that has Ray, which must be of the cluster's version. That may be another
one than the studio's, so this program needs Ray and the standard library alone. The content of
files follows the line that gives its size. Ray unpickles answers of nodes before anything can
look at them, so this program is started in a sandbox.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any, BinaryIO

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayTaskError

from studio_ray.actor import TaskActor

_PART = 32 << 20
"""Bytes of an input or output that travel at once."""

_TRIES, _PAUSE_S = 5, 3.0
"""The head starts a process for each connection. Where many come at once, some do not start in
time, and Ray gives up on them."""


class RayTask:
    """One task, from here.

    Attributes:
        actor: Its actor.
        started: Becomes the node's name.
    """

    def __init__(self, actor: Any, started: Any) -> None:
        self.actor, self.started = actor, started
        self.node = ""
        self.read = 0
        self.pending: Any = None


class Cluster:
    """The connection to a cluster."""

    def __init__(self, address: str, cpus: float) -> None:
        _connect(address)
        self._actor = ray.remote(TaskActor).options(num_cpus=cpus, max_restarts=0)
        self._tasks: dict[str, RayTask] = {}
        self._inputs: dict[str, list[Any]] = {}

    def store(self, digest: str, content: bytes = b"") -> dict[str, Any]:
        """Put the next part of an input into the cluster's store."""
        self._inputs.setdefault(digest, []).append(ray.put(content))
        return {}

    def submit(self, task: str, document: str, inputs: list[str]) -> dict[str, Any]:
        """Queue a task, whose inputs are in the store."""
        actor = self._actor.remote()
        for digest in inputs:
            for part in self._inputs[digest]:
                actor.append.remote(digest, part)
        self._tasks[task] = RayTask(actor, actor.start.remote(document.encode(), ""))
        return {}

    def look(self, task: str) -> dict[str, Any]:
        """Return what is known of a task, without waiting for it."""
        found = self._tasks[task]
        try:
            return self._look(found)
        except ActorUnavailableError:  # for a moment; another look follows
            found.pending = None
            return {"phase": "running", "node": found.node}
        except RayTaskError as error:
            return self._lost(found, str(error.cause or error).strip().splitlines()[-1])
        except RayActorError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            died = [line for line in lines if "died" in line.lower() or "Error" in line]
            return self._lost(found, (died or lines or ["it died"])[-1][:300])

    def _look(self, found: RayTask) -> dict[str, Any]:
        if not found.node:
            if not _is_ready(found.started):
                return {"phase": "waiting"}
            found.node = ray.get(found.started)
        if found.pending is None:
            found.pending = found.actor.look.remote(found.read)
        if not _is_ready(found.pending):
            return {"phase": "running", "node": found.node}
        events, ended, words = ray.get(found.pending)
        found.pending = None
        found.read += len(events)
        if ended:
            return self._lost(found, words or "its program ended")
        return {"phase": "running", "node": found.node, "events": events.decode("utf-8", "replace")}

    @staticmethod
    def _lost(found: RayTask, reason: str) -> dict[str, Any]:
        return {"phase": "lost", "node": found.node, "reason": reason}

    def cancel(self, task: str) -> dict[str, Any]:
        """End a task; one that has no node yet leaves the queue."""
        found = self._tasks[task]
        if found.node:
            found.actor.cancel.remote()
        else:
            ray.kill(found.actor)
        return {}

    def output(self, task: str, begin: int) -> bytes:
        """Return the next part of the output; empty at its end."""
        part: bytes = ray.get(self._tasks[task].actor.output.remote(begin, _PART))
        return part

    def forget(self, task: str) -> dict[str, Any]:
        """Remove what the node keeps, and give its place back."""
        found = self._tasks.pop(task, None)
        if found is not None:
            if found.node:
                ray.wait([found.actor.remove.remote()], timeout=5)
            ray.kill(found.actor)
        return {}


def _connect(address: str) -> None:
    for left in reversed(range(_TRIES)):
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
            return
        except ConnectionAbortedError:
            if not left:
                raise
            time.sleep(_PAUSE_S)


def _is_ready(reference: Any) -> bool:
    ready, _ = ray.wait([reference], timeout=0)
    return bool(ready)


def main() -> int:
    """Connect, then answer requests until the end of input."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        cluster = Cluster(sys.argv[1], float(sys.argv[2]))
    except Exception as error:  # passed to the studio, whatever Ray raises
        _answer(out, {"error": _sentence(error)})
        return 1
    _answer(out, {})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        content = sys.stdin.buffer.read(request.pop("size"))
        more = {"content": content} if content else {}
        try:
            _answer(out, getattr(cluster, request.pop("verb"))(**request, **more))
        except Exception as error:  # the head sends pickled errors of any class
            _answer(out, {"error": _sentence(error)})
    ray.shutdown()
    return 0


def _answer(out: BinaryIO, answer: dict[str, Any] | bytes) -> None:
    content = answer if isinstance(answer, bytes) else b""
    document = {"size": len(content)} if isinstance(answer, bytes) else answer
    out.write(json.dumps(document).encode() + b"\n" + content)
    out.flush()


def _sentence(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else "no reason given")[:500]


if __name__ == "__main__":
    sys.exit(main())
