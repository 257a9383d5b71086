"""A server of the Direct Device Integration API (v1) on the loopback, with faults on demand.

It is a fake, written from hawkBit's published contract. That a real server speaks so is shown by
``tests/integration/hawkbit`` against goosebit.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PATH = re.compile(r"/(?P<tenant>[^/]+)/controller/v1/(?P<id>[^/]+)(?P<rest>/.*)?")


@dataclass
class Offer:
    """An action that is offered.

    Attributes:
        announced: Parts of the artefact's description that differ from the truth.
        link: Address of the artefact where it differs.
    """

    action: str
    content: bytes
    update: str = "forced"
    announced: dict[str, Any] = field(default_factory=dict)
    link: str = ""
    algorithm: str = "sha1"


@dataclass
class Faults:
    """How the server misbehaves.

    Attributes:
        statuses: Statuses of the next answers; 0 answers as usual.
        headers: Headers of those answers.
        cut_after: Bytes of an artefact after which the connection is closed, once.
        no_ranges: Whether a Range header is passed over.
        deployment: Link of the action, where it differs.
        date: Value of the Date header.
        body: Body of every answer to a poll, where it differs.
    """

    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int = 0
    no_ranges: bool = False
    deployment: str = ""
    date: str = ""
    body: bytes = b""


class DdiServer:
    """One tenant with its boards.

    Attributes:
        asked: Method and path of each request.
        facts: Facts of each board, as last reported.
        feedback: Feedback of each board, in its order.
        ranges: Range headers of downloads.
    """

    def __init__(self, tenant: str = "DEFAULT", token: str = "", tls: Path | None = None) -> None:
        self.tenant, self.token = tenant, token
        self.offers: dict[str, Offer] = {}
        self.cancelled: dict[str, str] = {}
        self.facts: dict[str, dict[str, str]] = {}
        self.feedback: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.ranges: list[str] = []
        self.faults = Faults()
        self.sleep = "00:00:30"
        self.wants_facts = False
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._tls: ssl.SSLContext | None = None
        if tls is not None:
            self.show(tls)
            self.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> DdiServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def show(self, certificate: Path) -> None:
        """Show a certificate to clients, from their next connection on."""
        if self._tls is None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
            self._server.socket = self._tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._tls.load_cert_chain(certificate)

    def offer(self, board: str, offer: Offer) -> None:
        """Offer an action to a board."""
        self.offers[board] = offer

    def outcomes(self, board: str) -> list[str]:
        """The closed feedback of a board: ``success`` or ``failure``."""
        closed = [one["status"] for one in self.feedback.get(board, [])]
        return [one["result"]["finished"] for one in closed if one["execution"] == "closed"]

    def sentences(self, board: str) -> str:
        """All details of a board's feedback, a line each."""
        found = self.feedback.get(board, [])
        return "\n".join(line for one in found for line in one["status"].get("details", []))


class _Handler(BaseHTTPRequestHandler):
    """The routes."""

    owner: DdiServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nobody reads."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.owner.faults.date or super().date_time_string(timestamp)

    def do_GET(self) -> None:
        board, rest = self._place()
        if board is None:
            return
        if not rest:
            self._poll(board)
        elif rest.startswith("/deploymentBase/"):
            self._deployment(board)
        elif rest.startswith("/cancelAction/"):
            stop = self.owner.cancelled[board]
            self._json({"id": "77", "cancelAction": {"stopId": stop}})
        elif rest == "/download":
            self._download(board)
        else:
            self._json({"message": "no such place"}, 404)

    def do_PUT(self) -> None:
        board, _ = self._place()
        if board is not None:
            self.owner.facts[board] = self._body()["data"]
            self._json({})

    def do_POST(self) -> None:
        board, rest = self._place()
        if board is None:
            return
        document = self._body()
        if rest.startswith("/cancelAction/"):
            document["cancel"] = True
            del self.owner.cancelled[board]
        elif document["status"]["execution"] == "closed":
            self.owner.offers.pop(board, None)
        self.owner.feedback.setdefault(board, []).append(document)
        self._json({})

    def _place(self) -> tuple[str | None, str]:
        owner = self.owner
        owner.asked.append(f"{self.command} {self.path}")
        found = _PATH.fullmatch(self.path.partition("?")[0])
        if owner.faults.statuses:
            status = owner.faults.statuses.pop(0)
            if status:
                self._json({}, status, owner.faults.headers)
                return None, ""
        wanted = f"TargetToken {owner.token}"
        if owner.token and self.headers.get("Authorization") != wanted:
            self._json({}, 401)
            return None, ""
        if found is None or found["tenant"] != owner.tenant:
            self._json({}, 404)
            return None, ""
        return found["id"], found["rest"] or ""

    def _base(self, board: str) -> str:
        return f"{self.owner.url}/{self.owner.tenant}/controller/v1/{board}"

    def _poll(self, board: str) -> None:
        owner, links = self.owner, {}
        if owner.faults.body:
            self._send(200, owner.faults.body)
            return
        if owner.wants_facts or board not in owner.facts:
            links["configData"] = {"href": self._base(board) + "/configData"}
        if board in owner.cancelled:
            links["cancelAction"] = {"href": self._base(board) + "/cancelAction/77"}
        elif board in owner.offers:
            action = owner.offers[board].action
            place = f"{self._base(board)}/deploymentBase/{action}?c=-1"
            links["deploymentBase"] = {"href": owner.faults.deployment or place}
        self._json({"config": {"polling": {"sleep": owner.sleep}}, "_links": links})

    def _deployment(self, board: str) -> None:
        offer = self.owner.offers[board]
        digest = hashlib.new(offer.algorithm, offer.content).hexdigest()
        artifact = {
            "filename": "release.swu",
            "size": len(offer.content),
            "hashes": {offer.algorithm: digest},
            "_links": {"download": {"href": offer.link or self._base(board) + "/download"}},
            **offer.announced,
        }
        chunk = {"part": "bApp", "version": "1", "name": "model", "artifacts": [artifact]}
        deployment = {"download": "forced", "update": offer.update, "chunks": [chunk]}
        self._json({"id": offer.action, "deployment": deployment})

    def _download(self, board: str) -> None:
        content, faults = self.owner.offers[board].content, self.owner.faults
        given = self.headers.get("Range", "")
        start = 0
        if given:
            self.owner.ranges.append(given)
        if given and not faults.no_ranges:
            start = int(given.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if faults.cut_after:
            self.wfile.write(content[start : start + faults.cut_after])
            faults.cut_after = 0
            self.close_connection = True
            return
        self.wfile.write(content[start:])

    def _body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return found

    def _json(
        self, document: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self._send(status, json.dumps(document).encode(), headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
