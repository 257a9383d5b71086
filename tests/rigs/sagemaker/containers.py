"""A container of SageMaker's as a process: the real runtime with the model unpacked for it."""

from __future__ import annotations

import http.client
import io
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from tests.rigs.patience import patience

ROOT = Path(__file__).parents[3]
_START_S = 60.0


class NoPing(Exception):
    """It never answered /ping."""


class Container:
    """One instance of a variant.

    Args:
        archive: ``model.tar.gz``.
        environment: As the model has it; its ``/opt/ml/model`` is where it was unpacked here.
    """

    def __init__(
        self, folder: Path, archive: bytes, environment: dict[str, str], port: int
    ) -> None:
        self.port = port
        self._model = folder / "opt" / "ml" / "model"
        self._model.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
            packed.extractall(self._model, filter="data")
        places = {k: v.replace("/opt/ml/model", str(self._model)) for k, v in environment.items()}
        self._log = (folder / "log").open("w+b")
        self._told = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "studio.runtime", "serve", "--host", "127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, **places, "SAGEMAKER_BIND_TO_PORT": str(port)},
            stdout=self._log,
            stderr=self._log,
        )

    def wait(self) -> None:
        """Until it answers /ping; raises NoPing."""
        end = time.monotonic() + patience(_START_S)
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if self._ask("GET", "/ping")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise NoPing("\n".join(self.new_lines()))

    def invoke(self, body: bytes, kind: str, accept: str) -> tuple[int, bytes, str]:
        """Status, content and type of an answer; no other header passes."""
        return self._ask("POST", "/invocations", body, {"Content-Type": kind, "Accept": accept})

    def new_lines(self) -> list[str]:
        """What it logged since it was last asked."""
        self._log.seek(self._told)
        text = self._log.read()
        self._told += len(text)
        return text.decode("utf-8", "replace").splitlines()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._log.close()

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Content-Type") or ""
        finally:
            connection.close()
