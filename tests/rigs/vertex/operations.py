"""Long-running operations that take a few questions, and refusals in Google's form."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.rigs.loopback import Answer

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, reason: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.headers = headers or {}

    def answer(self) -> Answer:
        """As HTTP has it."""
        error = {"code": self.status, "status": self.reason, "message": self.message}
        return Answer(self.status, {"error": error}, self.headers)


class Operations:
    """All operations of a region.

    Attributes:
        steps: How often each is asked for before it is done.
        fail: Kind -> errors (google.rpc.Status) with which its next operations end.
    """

    def __init__(self, parent: str) -> None:
        self.steps = 1
        self.fail: dict[str, list[Json]] = {}
        self._known: dict[str, tuple[Json, str, Callable[[], None]]] = {}
        self._left: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def start(self, kind: str, resource: str, done: Callable[[], None]) -> Json:
        """Begin one that does something at its end."""
        number = str(next(self._numbers))
        operation: Json = {"name": f"{resource}/operations/{number}"}
        self._known[number] = (operation, kind, done)
        self._left[number] = self.steps
        return dict(operation)

    def ask(self, number: str) -> Json:
        """How far it is; each question brings it on."""
        operation, kind, done = self._known[number]
        if operation.get("done"):
            return operation
        self._left[number] -= 1
        if self._left[number] <= 0:
            operation["done"] = True
            try:
                if self.fail.get(kind):
                    operation["error"] = self.fail[kind].pop(0)
                else:
                    done()
                    operation["response"] = {"@type": "type.googleapis.com/google.protobuf.Empty"}
            except Refusal as error:
                operation["error"] = {"code": 9, "message": error.message}
        return operation

    def of(self, resource: str) -> list[Json]:
        """Those of one resource."""
        prefix = f"{resource}/operations/"
        return [one for one, _, _ in self._known.values() if one["name"].startswith(prefix)]
