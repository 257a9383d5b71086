"""A model on this computer that records its decisions, and a client of it."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from studio.runtime.decisions.log import segments_of
from studio.workspace import Workspace
from tests.rigs.boards import until

INFER, OVERRIDE = "/v2/models/{}/infer", "/edgewright/models/{}/override"


class Served:
    """A model on this computer, its record, and a client of it."""

    def __init__(self, workspace: Workspace, path: Path, days: int | None = 30) -> None:
        done = workspace.run("deploy", model=str(path), soak_s=0, keep_decisions=days)
        assert done.ok, done.sentence
        self.workspace = workspace
        self.name = done.result.name
        self.endpoint = str(done.document["endpoint"])
        self.folder = workspace.paths.data / "releases" / "run" / "decisions"

    def post(self, path: str, body: bytes) -> tuple[str, Any]:
        """Id of the request, and the answer."""
        parts = urlsplit(self.endpoint)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        link.request("POST", path.format(self.name), body, {"Content-Type": "application/json"})
        answer = link.getresponse()
        content = answer.read()
        link.close()
        assert answer.status == 200, content
        return answer.getheader("Edgewright-Request") or "", json.loads(content)

    def body(self, seed: int) -> bytes:
        """A request that no other seed gives."""
        return json.dumps({"inputs": [self._tensor(seed)]}).encode()

    def _tensor(self, seed: int) -> dict[str, Any]:
        parts = urlsplit(self.endpoint)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        link.request("GET", f"/v2/models/{self.name}")
        (given,) = json.loads(link.getresponse().read())["inputs"]
        link.close()
        shape = [max(1, size) for size in given["shape"]]
        values = np.random.default_rng(seed).random(int(np.prod(shape))).round(3)
        tensor = {"name": given["name"], "datatype": given["datatype"], "shape": shape}
        return {**tensor, "data": values.tolist()}

    def ask(self, seed: int) -> str:
        """Send a request; return its id once it is on the disk."""
        request, _ = self.post(INFER, self.body(seed))
        assert request
        until(lambda: request in self.text(), "the decision is on the disk")
        return request

    def text(self) -> str:
        """All that the record has."""
        return "".join(one.path.read_text() for one in segments_of(self.folder))
