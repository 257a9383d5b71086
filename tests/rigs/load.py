"""Clients that ask a served model hundreds of times a second."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tests.rigs.boards import until


def _body(data: Sequence[float]) -> str:
    tensor = {"name": "image", "shape": [1, 3, 16, 16], "datatype": "FP32", "data": list(data)}
    return json.dumps({"inputs": [tensor]})


_PAUSE_S = 0.005
"""Without it four clients take two processors from what they are a load for."""

_BODY = _body([0.5] * 768)


def varied(count: int = 64) -> Sequence[str]:
    """Requests that differ from each other, each of which is an observation for a trial."""
    draws = np.random.default_rng(1)
    return [_body(row.round(3).tolist()) for row in draws.random((count, 768))]


class Load:
    """Asks from several threads, some hundred times a second; every answer must be good.

    Attributes:
        failures: What went wrong, in words.
        answers: How many were good.
    """

    def __init__(
        self,
        port: int,
        clients: int = 4,
        model: str = "cnn",
        connect: Callable[[], http.client.HTTPConnection] | None = None,
        headers: Callable[[], Mapping[str, str]] = dict,
        fresh: bool = False,
        bodies: Sequence[str] = (_BODY,),
    ) -> None:
        """Begin with the context.

        Args:
            connect: Makes connections; to the port, in plain HTTP, by default.
            headers: Asked before each request.
            fresh: A connection for each request.
            bodies: Asked in turns.
        """
        self._connect = connect or (
            lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        )
        self._headers = headers
        self._fresh = fresh
        self._bodies: Sequence[str | bytes] = bodies
        self._path = f"/v2/models/{model}/infer"
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        self._lock = threading.Lock()
        self.failures: list[str] = []
        self.answers = 0

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Wait for so many more answers."""
        goal = self.answers + count
        until(lambda: self.answers >= goal or bool(self.failures), f"{count} answers", 60.0)

    def _ask(self) -> None:
        link = self._connect()
        for body in itertools.cycle(self._bodies):
            if self._stop.is_set():
                break
            try:
                link.request("POST", self._path, body, dict(self._headers()))
                answer = link.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                return
            if answer.status != 200:
                self.failures.append(f"{answer.status}: {content[:200]!r}")
                link.close()
                return
            if self._fresh:
                link.close()
            with self._lock:
                self.answers += 1
            self._stop.wait(_PAUSE_S)
        link.close()
