"""Real clients of OpenAI's interface, and messages of OpenTelemetry, in an environment."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

_PACKAGES = ("openai==2.*", "langchain-openai==1.*", "opentelemetry-proto==1.*")
_LIMIT = 900


class Clients:
    """An interpreter with the clients, and an endpoint to ask.

    Attributes:
        url: Of the server, without ``/v1``.
    """

    def __init__(self, python: Path, url: str, token: str, model: str) -> None:
        self._python = python
        self.url = url
        self._variables = {
            "OPENAI_BASE_URL": f"{url}/v1",
            "OPENAI_API_KEY": token or "none",
            "MODEL": model,
            "NO_PROXY": "*",
        }

    def run(self, script: str, seconds: float = 300) -> object:
        """Run a script; return the JSON that it printed last."""
        command = [str(self._python), "-c", script]
        variables = {**os.environ, **self._variables}
        variables.pop("PYTHONPATH", None)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=variables, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found: object = json.loads(done.stdout.splitlines()[-1])
        return found


def client_python(rigs: Path) -> Path:
    """Return the interpreter of the clients' environment, made when its packages are others."""
    digest = hashlib.sha256(" ".join(_PACKAGES).encode()).hexdigest()[:12]
    folder = rigs / "language" / f"clients-{digest}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=_LIMIT)
        install = [str(python), "-m", "pip", "install", "--quiet", *_PACKAGES]
        subprocess.run(install, check=True, timeout=_LIMIT, stdout=sys.stderr)
        ready.touch()
    return python
