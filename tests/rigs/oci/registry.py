"""A registry after OCI's distribution specification 1.1, in this process and in memory.

Written from the text of the specification. Each test may replace the answer to a request.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Fault = Callable[["Handler"], bool]
"""Answers a request in place of the registry, and returns whether it did."""

_NAME = r"(?P<name>[a-z0-9._/-]+?)"
_ROUTES = (
    ("uploads", re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<reference>[0-9]*)")),
    ("blobs", re.compile(rf"/v2/{_NAME}/blobs/(?P<reference>[^/]+)")),
    ("manifests", re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)")),
    ("tags", re.compile(rf"/v2/{_NAME}/tags/list(?P<reference>)")),
    ("referrers", re.compile(rf"/v2/{_NAME}/referrers/(?P<reference>[^/]+)")),
)


@dataclass
class Store:
    """Everything that the registry holds, and what it was sent."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    fault: Fault | None = None
    lists_referrers: bool = True
    token: str = ""
    basic: str = ""
    page: int = 1000
    break_after: int = 0

    def sent(self, method: str = "") -> int:
        """Bytes of the bodies that arrived."""
        return sum(size for one, _, size in self.requests if method in ("", one))


def digest_of(content: bytes) -> str:
    """SHA-256 as OCI documents write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    store: Store

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send an answer."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        """Send an error in the form of the specification."""
        errors = {"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}
        self.reply(status, json.dumps(errors).encode())

    def answer(self) -> None:
        """Find the route of a request."""
        size = int(self.headers.get("Content-Length") or 0)
        self.content = self.rfile.read(size)
        self.parts = urlsplit(self.path)
        self.query = {key: value[0] for key, value in parse_qs(self.parts.query).items()}
        self.store.requests.append((self.command, self.path, size))
        self.store.logins.append(self.headers.get("Authorization") or "")
        if self.store.fault is not None and self.store.fault(self):
            return
        if self.parts.path == "/token":
            self._give_token()
        elif self._allowed():
            self._route()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def _allowed(self) -> bool:
        login = self.headers.get("Authorization") or ""
        if self.store.token and login != f"Bearer {self.store.token}":
            host = self.headers["Host"]
            challenge = f'Bearer realm="http://{host}/token",service="rig"'
        elif self.store.basic and not self.store.token and login != self.store.basic:
            challenge = 'Basic realm="rig"'
        else:
            return True
        self.reply(401, WWW_Authenticate=challenge)
        return False

    def _give_token(self) -> None:
        if self.headers.get("Authorization") != self.store.basic:
            self.refuse(401, "DENIED")
            return
        self.reply(200, json.dumps({"token": self.store.token}).encode())

    def _route(self) -> None:
        if self.parts.path == "/v2/_catalog":
            self._list("repositories", sorted(self.store.tags))
            return
        for kind, pattern in _ROUTES:
            if found := pattern.fullmatch(self.parts.path):
                getattr(self, f"_{kind}")(found["name"], found["reference"])
                return
        self.refuse(404, "NAME_UNKNOWN")

    def _list(self, key: str, names: list[str]) -> None:
        page = min(self.store.page, int(self.query.get("n") or self.store.page))
        rest = [name for name in names if name > self.query.get("last", "")]
        more = {"Link": f'<{self.parts.path}>; rel="next"'} if len(rest) > page else {}
        self.reply(200, json.dumps({key: rest[:page]}).encode(), **more)

    def _tags(self, name: str, _: str) -> None:
        if name not in self.store.tags:
            self.refuse(404, "NAME_UNKNOWN")
        else:
            self._list("tags", sorted(self.store.tags[name]))

    def _blobs(self, name: str, digest: str) -> None:
        content = self.store.blobs.get((name, digest))
        if content is None:
            self.refuse(404, "BLOB_UNKNOWN")
        else:
            self.reply(200, content, Docker_Content_Digest=digest)

    def _uploads(self, name: str, session: str) -> None:
        store = self.store
        place = {"Location": f"/v2/{name}/blobs/uploads/{session}"}
        if self.command == "POST":
            digest = self.query.get("mount", "")
            if content := store.blobs.get((self.query.get("from", ""), digest)):
                store.blobs[name, digest] = content
                self.reply(201, Location=f"/v2/{name}/blobs/{digest}")
                return
            session = str(len(store.uploads) + 1)
            store.uploads[session] = b""
            self.reply(202, Location=f"/v2/{name}/blobs/uploads/{session}")
        elif self.command == "PATCH":
            start = (self.headers.get("Content-Range") or "0-").partition("-")[0]
            if int(start) != len(store.uploads[session]):
                self.reply(416, **place)
                return
            store.uploads[session] += self.content
            if store.break_after:
                store.break_after -= 1
                self.close_connection = True
                self.connection.close()
                return
            self.reply(202, Range=f"0-{len(store.uploads[session]) - 1}", **place)
        elif self.command == "GET":
            self.reply(204, Range=f"0-{len(store.uploads[session]) - 1}", **place)
        else:
            content = store.uploads.pop(session) + self.content
            if digest_of(content) != self.query["digest"]:
                self.refuse(400, "DIGEST_INVALID")
                return
            store.blobs[name, self.query["digest"]] = content
            self.reply(201, Location=f"/v2/{name}/blobs/{self.query['digest']}")

    def _manifests(self, name: str, reference: str) -> None:
        store = self.store
        tags = (
            store.tags.setdefault(name, {}) if self.command == "PUT" else store.tags.get(name, {})
        )
        if self.command == "PUT":
            self._put_manifest(name, reference, tags)
            return
        if self.command == "DELETE":
            self.reply(202) if tags.pop(reference, None) else self.refuse(404, "MANIFEST_UNKNOWN")
            return
        digest = tags.get(reference, reference)
        content = store.manifests.get((name, digest))
        if content is None:
            self.refuse(404, "MANIFEST_UNKNOWN")
            return
        self.reply(200, content, Content_Type=store.media[digest], Docker_Content_Digest=digest)

    def _put_manifest(self, name: str, reference: str, tags: dict[str, str]) -> None:
        store, digest = self.store, digest_of(self.content)
        found = json.loads(self.content)
        needed = [one["digest"] for one in (*found.get("layers", ()), found.get("config")) if one]
        if any((name, one) not in store.blobs for one in needed):
            self.refuse(404, "MANIFEST_BLOB_UNKNOWN")
            return
        store.manifests[name, digest] = self.content
        store.media[digest] = self.headers.get("Content-Type") or ""
        if not reference.startswith("sha256:"):
            tags[reference] = digest
        subject = found.get("subject")
        more = {"OCI_Subject": subject["digest"]} if subject and store.lists_referrers else {}
        self.reply(201, Docker_Content_Digest=digest, Location=self.path, **more)

    def _referrers(self, name: str, subject: str) -> None:
        if not self.store.lists_referrers:
            self.refuse(404, "NOT_FOUND")
            return
        found = []
        for (place, digest), content in self.store.manifests.items():
            one = json.loads(content)
            if place == name and (one.get("subject") or {}).get("digest") == subject:
                about = {"mediaType": one["mediaType"], "digest": digest, "size": len(content)}
                found.append({**about, "artifactType": one.get("artifactType", "")})
        self.reply(200, json.dumps({"schemaVersion": 2, "manifests": found}).encode())


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[tuple[str, Store]]:
    """Run a registry, with TLS on request; yields its host with the port, and its store."""
    store = Store()
    handler = type("RigHandler", (Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
