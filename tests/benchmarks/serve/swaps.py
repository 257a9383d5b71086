"""Clients that know which version may answer them while versions are swapped."""

from __future__ import annotations

import http.client
import json
import threading
import time
from array import array
from typing import Any, NamedTuple

import numpy as np

from tests.unit.runtime.serve import rig

PATH = "/v2/models/answer"
VERSIONS = ("1", "2")


class State(NamedTuple):
    """What is served.

    Attributes:
        newest: Answers requests that name no version.
        served: All versions that are there.
    """

    newest: str
    served: frozenset[str]


class Moment(NamedTuple):
    """A time in which nothing changes, or one in which a swap is under way.

    Attributes:
        newest: Versions that may answer requests that name none.
        certain: Versions that are there.
        possible: Versions that may be there.
    """

    number: int
    newest: frozenset[str]
    certain: frozenset[str]
    possible: frozenset[str]


class Stage:
    """Which versions may answer now; changed by whoever swaps, read by the clients."""

    def __init__(self, state: State, digests: dict[str, str]) -> None:
        self.digests = digests
        self._state = self._wanted = state
        self.now = self._moment(0)

    def _moment(self, number: int) -> Moment:
        old, new = self._state, self._wanted
        newest = frozenset({old.newest, new.newest})
        return Moment(number, newest, old.served & new.served, old.served | new.served)

    def swap_to(self, state: State) -> None:
        """A swap begins: until it is acknowledged both may answer."""
        self._wanted = state
        self.now = self._moment(self.now.number + 1)

    def settle(self) -> None:
        """It was acknowledged: requests that begin from now on get the new version."""
        self._state = self._wanted
        self.now = self._moment(self.now.number + 1)


class Asker:
    """A client that asks without a pause: every third time for a version by name.

    Attributes:
        answers: That were as they should be.
        named: Of them, those to requests that named their version.
        settled: Of them, those to requests in whose time nothing changed.
        not_there: 404 for a version that was not there, or need not have been.
        latencies: In seconds.
        failed: What went wrong, in words.
        wrong: Answers of a version that should not have answered.
    """

    def __init__(self, server: rig.ServerProcess, stage: Stage, number: int) -> None:
        self._server, self._stage, self._number = server, stage, number
        self._end = threading.Event()
        self.answers = self.named = self.settled = self.not_there = 0
        self.latencies = array("d")
        self.failed: list[str] = []
        self.wrong: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        link = self._server.connect()
        count = self._number
        while not self._end.is_set():
            count += 1
            version = VERSIONS[count % 2] if count % 3 == 0 else ""
            try:
                self._ask(link, version, binary=count % 4 < 2)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.failed.append(repr(error))
                link.close()
        link.close()

    def _ask(self, link: http.client.HTTPConnection, version: str, binary: bool) -> None:
        path = f"{PATH}/versions/{version}/infer" if version else f"{PATH}/infer"
        body, headers = BINARY if binary else JSON
        before = self._stage.now
        start = time.perf_counter()
        link.request("POST", path, body, headers)
        response = link.getresponse()
        raw = response.read()
        self.latencies.append(time.perf_counter() - start)
        after = self._stage.now
        fault = self._judge(version, response, raw, before if before == after else None)
        self.settled += before == after and not fault
        self.named += bool(version) and not fault
        self.answers += not fault

    def _judge(
        self, asked: str, response: http.client.HTTPResponse, raw: bytes, moment: Moment | None
    ) -> bool:
        """Whether something is wrong with an answer.

        Args:
            moment: The one in which the request began and ended; None when there were several.
        """
        status = response.status
        if status == 404 and asked and not (moment and asked in moment.certain):
            self.not_there += 1
            return False
        if status != 200:
            self.failed.append(f"{status} {raw[:200]!r} (version {asked or 'not'} asked for)")
            return True
        said, number = _said(response, raw)
        allowed = {asked} if asked else set(moment.newest if moment else VERSIONS)
        if moment:
            allowed &= moment.possible
        headers = response.headers
        digest = self._stage.digests.get(said, headers["Edgewright-Model-Digest"])
        good = (
            said in allowed
            and number == float(said)
            and headers["Edgewright-Model-Version"] == said
            and headers["Edgewright-Model-Digest"] == digest
        )
        if not good:
            self.wrong.append(f"version {said} says {number}; asked for {asked!r}, {moment}")
        return not good


def _said(response: http.client.HTTPResponse, raw: bytes) -> tuple[str, float]:
    """The version that an answer names, and its number."""
    size = response.headers["Inference-Header-Content-Length"]
    document: dict[str, Any] = json.loads(raw[: int(size)] if size else raw)
    if size:
        values = np.frombuffer(raw[int(size) :], np.float32)
    else:
        values = np.float32(document["outputs"][0]["data"])
    (number,) = set(values.tolist())
    return document["model_version"], float(number)


def _binary() -> tuple[bytes, dict[str, str]]:
    sample = np.full((1, 4), 0.5, np.float32)
    entry = {"name": "x", "datatype": "FP32", "shape": [1, 4]}
    head = {
        "inputs": [{**entry, "parameters": {"binary_data_size": sample.nbytes}}],
        "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
    }
    text = json.dumps(head).encode()
    return text + sample.tobytes(), {"Inference-Header-Content-Length": str(len(text))}


BINARY = _binary()
JSON = (json.dumps(rig.question()).encode(), dict[str, str]())
