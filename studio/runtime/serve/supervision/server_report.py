"""``server.json``: report of a running server for the release machine."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ...shared.access_tokens import VARIABLE, fingerprint_of
from ...shared.files import write_atomically
from ...shared.process_identity import started
from ..options import Options


class ServerReport:
    """The file, replaced whole at each change; without a folder it is kept in memory alone."""

    def __init__(self, folder: Optional[Path]) -> None:
        self._path = folder / "server.json" if folder is not None else None
        self.values: Dict[str, Any] = {
            "pid": os.getpid(),
            "process": started(os.getpid()),  # which no other process has, whatever its number
            "host": "",
            "port": 0,
            "grpc_port": None,
            "scheme": "http",
            "fingerprint": "",
            "token_required": False,
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "digest": "",
            "name": "",
            "version": "",
            "generation": 0,
            "state": "starting",
            "error": "",
            "worker": 0,
        }

    def update(self, **values: object) -> None:
        """Change some values and write all."""
        self.values.update(values)
        if self._path is not None:
            content = json.dumps(self.values, sort_keys=True).encode("utf-8") + b"\n"
            write_atomically(self._path, content)


def print_json(document: Dict[str, object]) -> None:
    """Write a JSON line to standard output in one piece, also next to other writers."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def described(options: Options, environment: Mapping[str, str]) -> Dict[str, object]:
    """Return the facts for a client's connection: scheme, fingerprint, token required."""
    secure = options.certificate is not None
    return {
        "scheme": "https" if secure else "http",
        "fingerprint": fingerprint_of(options.certificate) if options.certificate else "",
        "token_required": options.token_file is not None or bool(environment.get(VARIABLE)),
    }


def endpoint(host: str, port: int, secure: bool = False) -> str:
    """Return the address that a client on the same machine uses."""
    if host in ("0.0.0.0", ""):
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    scheme = "https" if secure else "http"
    return "{}://{}:{}".format(scheme, "[{}]".format(host) if ":" in host else host, port)
