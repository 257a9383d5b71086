"""Clients that ask a served model without a pause."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable, Mapping

from tests.rigs.boards import until


def _body(draws: random.Random) -> bytes:
    data = [round(draws.random(), 3) for _ in range(768)]
    tensor = {"name": "image", "shape": [1, 3, 16, 16], "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


_BODIES = [_body(random.Random(seed)) for seed in range(64)]
"""Pictures unlike each other: what is asked again and again counts once in a trial."""


class Load:
    """Asks from several threads; every answer must be good.

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
    ) -> None:
        """Begin with the context.

        Args:
            connect: Makes connections; to the port, in plain HTTP, by default.
            headers: Asked before each request.
            fresh: A connection for each request.
        """
        self._connect = connect or (
            lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        )
        self._headers = headers
        self._fresh = fresh
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
        draws = random.Random(threading.get_ident())
        while not self._stop.is_set():
            try:
                link.request("POST", self._path, draws.choice(_BODIES), dict(self._headers()))
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
        link.close()
