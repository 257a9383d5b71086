"""A server with hawkBit's Management API (v1) on the loopback, as far as the plugin uses it.

It is a fake, written from the published contract. It was never compared with hawkBit itself.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class HawkbitFake:
    """What the server keeps.

    Attributes:
        artifacts: Content of each artefact by its module.
        login: User and password that it accepts.
        installed: Version of the distribution set that each board has installed.
        creating: Polls for which a new rollout is not ready.
    """

    def __init__(self, login: str = "DEFAULT\\ann:secret") -> None:
        self.login = login
        self.modules: list[dict[str, Any]] = []
        self.sets: list[dict[str, Any]] = []
        self.rollouts: list[dict[str, Any]] = []
        self.targets: list[dict[str, Any]] = []
        self.artifacts: dict[int, dict[str, bytes]] = {}
        self.installed: dict[str, str] = {}
        self.creating = 1
        self.asked: list[str] = []
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> HawkbitFake:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def board(self, name: str, status: str, **attributes: str) -> None:
        """Add a board or change it."""
        self.targets = [one for one in self.targets if one["controllerId"] != name]
        seen = int(time.time() * 1000)
        row = {"controllerId": name, "updateStatus": status, "lastControllerRequestAt": seen}
        self.targets.append({**row, "attributes": attributes})


class _Handler(BaseHTTPRequestHandler):
    """The routes."""

    owner: HawkbitFake
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nobody reads."""

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def do_DELETE(self) -> None:
        self._route()

    def _route(self) -> None:
        owner, parts = self.owner, urlsplit(self.path)
        owner.asked.append(f"{self.command} {parts.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wanted = "Basic " + base64.b64encode(owner.login.encode()).decode()
        if self.headers.get("Authorization") != wanted:
            self._send({}, 401)
            return
        names = parts.path.removeprefix("/rest/v1/").split("/")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        kind = self.headers.get("Content-Type", "")
        answer, status = self._answer(self.command, names, query, body, kind)
        self._send(answer, status)

    def _answer(
        self, method: str, names: list[str], query: dict[str, str], body: bytes, kind: str
    ) -> tuple[Any, int]:
        owner = self.owner
        lists = {
            "softwaremodules": owner.modules,
            "distributionsets": owner.sets,
            "rollouts": owner.rollouts,
            "targets": owner.targets,
        }
        rows = lists[names[0]]
        if names[0] == "softwaremodules" and len(names) == 3:
            return self._artifacts(method, int(names[1]), body, kind)
        if names[0] == "targets" and len(names) > 1:
            return self._actions(names, body)
        if len(names) == 1 and method == "GET":
            found = [one for one in rows if _matches(one, query.get("q", ""))]
            start, limit = int(query.get("offset", 0)), int(query.get("limit", 50))
            return {"content": found[start : start + limit], "total": len(found)}, 200
        if len(names) == 1:
            return self._made(names[0], rows, json.loads(body))
        row = next(one for one in rows if one["id"] == int(names[1]))
        if method == "DELETE":
            rows.remove(row)
            return None, 200
        if len(names) == 2:
            if row["status"] == "creating":
                owner.creating -= 1
                row["status"] = "creating" if owner.creating > 0 else "ready"
            return row, 200
        wanted = {"start": ("ready", "running"), "pause": ("running", "paused")}[names[2]]
        if row["status"] != wanted[0]:
            return {"message": f"the rollout is {row['status']}"}, 409
        row["status"] = wanted[1]
        return None, 200

    def _made(self, kind: str, rows: list[dict[str, Any]], given: Any) -> tuple[Any, int]:
        made = []
        for one in given if isinstance(given, list) else [given]:
            names = [(row.get("name"), row.get("version")) for row in rows]
            if (one.get("name"), one.get("version")) in names:
                return {"message": "The entity exists already."}, 409
            row = {**one, "id": len(rows) + 1, "createdAt": int(time.time() * 1000)}
            if kind == "rollouts":
                row.update(status="creating", deleted=False, totalTargetsPerStatus={})
            rows.append(row)
            made.append(row)
        return (made if isinstance(given, list) else made[0]), 201

    def _artifacts(self, method: str, module: int, body: bytes, kind: str) -> tuple[Any, int]:
        kept = self.owner.artifacts.setdefault(module, {})
        if method == "GET":
            rows = [{"id": 1, "providedFilename": one, "size": len(kept[one])} for one in kept]
            return rows, 200
        whole = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        part: Any = whole.get_payload(0)
        assert part.get_param("name", header="content-disposition") == "file"
        kept[str(part.get_filename())] = bytes(part.get_payload(decode=True))
        return {"id": 1}, 201

    def _actions(self, names: list[str], body: bytes) -> tuple[Any, int]:
        if names[-1] == "installedDS":
            return {"version": self.owner.installed.get(names[1], "")}, 200
        if names[-1] == "status":
            return {"content": [{"messages": ["The release serves."]}]}, 200
        return {"content": [{"id": 5, "status": "finished"}]}, 200

    def _send(self, document: Any, status: int = 200) -> None:
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _matches(row: dict[str, Any], query: str) -> bool:
    """Whether a row fits a query of FIQL: terms joined by semicolons, all equal."""
    for term in filter(None, query.split(";")):
        found = re.fullmatch(r'([\w.]+)=="?([^"]*)"?', term)
        assert found, f"the query {query!r} is not understood"
        name, text = found[1], found[2]
        value = row.get("attributes", {}).get(name.removeprefix("attribute."))
        if not name.startswith("attribute."):
            value = row.get(name)
        if str(value) != text:
            return False
    return True
