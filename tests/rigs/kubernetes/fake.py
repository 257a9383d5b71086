"""The fake API server: HTTP on the loopback, bearer tokens, and switches for faults."""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.rigs.kubernetes import fields
from tests.rigs.kubernetes.admission import defaults, validate
from tests.rigs.kubernetes.controller import Controller
from tests.rigs.kubernetes.node import Node
from tests.rigs.kubernetes.portforward import forward
from tests.rigs.kubernetes.store import KINDS, ApiFailure, Key, Store, stamped

Json = dict[str, Any]

USERS = {"admin-token": "admin", "viewer-token": "viewer"}
_OBJECT = re.compile(
    r"/apis?/(?P<api>[^/]+(?:/v[^/]+)?)/namespaces/(?P<namespace>[^/]+)/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<part>[^/]+))?"
)


class FakeCluster:
    """A cluster; a context manager.

    Attributes:
        lacks: Kinds (plural) that it does not know.
        hangs: While it is set, nothing is answered.
        denied: ``(verb, plural)`` that nobody may do.
        object_quota: Objects of a kind that a namespace may have.
        before: Called with method and path before each request is answered.
    """

    def __init__(
        self, folder: Path, images: dict[str, Path] | None = None, runtime: Path | None = None
    ) -> None:
        self.store = Store()
        self.controller = Controller(self.store, Node(folder / "node", images or {}, runtime))
        self.lacks: set[str] = {"inferenceservices", "llminferenceservices"}
        self.hangs = threading.Event()
        self.denied: set[tuple[str, str]] = set()
        self.object_quota: dict[str, int] = {}
        self.requests: list[tuple[str, str]] = []
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> FakeCluster:
        self.listen()
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hangs.clear()
        self.stop_listening()
        self.controller.stop()

    @property
    def url(self) -> str:
        """Of the API."""
        return f"http://127.0.0.1:{self._port}"

    def listen(self) -> None:
        """Answer, at the same port as before."""
        handler = type("Handler", (_Handler,), {"cluster": self})
        self._server = _Server(("127.0.0.1", self._port), handler)
        self._port = self._server.server_address[1]
        serve = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        serve.start()

    def stop_listening(self) -> None:
        """Be away, as an API server is while it is upgraded."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    """Quiet about clients that leave."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nobody reads it."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    cluster: FakeCluster
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        self._answer("get")

    def do_POST(self) -> None:
        self._answer("create")

    def do_PATCH(self) -> None:
        self._answer("patch")

    def do_DELETE(self) -> None:
        self._answer("delete")

    def _answer(self, verb: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        while self.cluster.hangs.is_set():
            time.sleep(0.05)
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        self.cluster.requests.append((verb, parts.path))
        try:
            user = self._user()
            found = self._route(verb, parts.path, query, json.loads(body) if body else {}, user)
        except ApiFailure as failure:
            self._send(failure.code, failure.status)
        else:
            if found is not None:
                self._send(200, found)

    def _user(self) -> str:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in USERS:
            raise ApiFailure(401, "Unauthorized", "Unauthorized")
        return USERS[token]

    def _send(self, code: int, content: Json | str) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        data = text.encode()
        self.send_response(code)
        kind = "text/plain" if isinstance(content, str) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _route(
        self, verb: str, path: str, query: dict[str, str], body: Json, user: str
    ) -> Json | str | None:
        if path == "/version":
            return {"major": "1", "minor": "33", "gitVersion": "v1.33.0-fake"}
        if path.endswith("/selfsubjectreviews"):
            return {"status": {"userInfo": {"username": user}}}
        match = _OBJECT.fullmatch(path)
        if match is None:
            return self._discovery(path)
        plural, namespace = match["plural"], match["namespace"]
        name, part = match["name"] or "", match["part"] or ""
        if plural in self.cluster.lacks or KINDS.get(plural, ("",))[0] != match["api"]:
            raise ApiFailure(404, "NotFound", "the server could not find the requested resource")
        self._allow(verb, plural, name, namespace, user)
        if part in ("log", "portforward"):
            return self._pod((plural, namespace, name), part, query)
        if not name:
            return self._collection(plural, namespace, query)
        return self._object(verb, (plural, namespace, name), part, query, body)

    def _discovery(self, path: str) -> Json:
        api = re.sub(r"^/apis?/", "", path)
        names = [
            plural
            for plural, (known, _) in KINDS.items()
            if known == api and plural not in self.cluster.lacks
        ]
        if not names:
            raise ApiFailure(404, "NotFound", "the server could not find the requested resource")
        return {"kind": "APIResourceList", "resources": [{"name": name} for name in names]}

    def _allow(self, verb: str, plural: str, name: str, namespace: str, user: str) -> None:
        if (user == "viewer" and verb != "get") or (verb, plural) in self.cluster.denied:
            group = KINDS[plural][0].rpartition("/")[0].partition("/")[0]
            raise ApiFailure(
                403,
                "Forbidden",
                f'{plural} "{name}" is forbidden: User "{user}" cannot {verb} resource "{plural}" '
                f'in API group "{group}" in the namespace "{namespace}": the viewer may only read',
            )

    def _collection(self, plural: str, namespace: str, query: dict[str, str]) -> Json | None:
        store = self.cluster.store
        if query.get("watch") != "true":
            found = store.find(plural, namespace, query.get("labelSelector", ""))
            return {"metadata": {"resourceVersion": store.version}, "items": found}
        name = query.get("fieldSelector", "").removeprefix("metadata.name=")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        after, seconds = int(query.get("resourceVersion") or 0), float(query["timeoutSeconds"])
        try:
            for event in store.changes(plural, namespace, after, seconds):
                if not name or event["object"]["metadata"]["name"] == name:
                    line = json.dumps(event).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True  # the watcher has gone
        return None

    def _object(self, verb: str, key: Key, part: str, query: dict[str, str], body: Json) -> Json:
        with self.cluster.store.lock:
            live = self.cluster.store.get(key)
            if verb == "patch" and "apply-patch" in self.headers["Content-Type"]:
                return self._apply(key, live, query, body)
            if live is None:
                raise ApiFailure(404, "NotFound", f'{key[0]} "{key[2]}" not found')
            if verb == "patch":
                manager = query.get("fieldManager", "kubectl-edit")
                new = _merged(copy.deepcopy(live), body)
                stored = self.cluster.store.put(key, fields.written(live, new, manager))
                return {"kind": "Scale", "spec": body.get("spec")} if part == "scale" else stored
            if verb == "delete":
                self.cluster.store.delete(key)
                return {"kind": "Status", "status": "Success"}
            return live

    def _apply(self, key: Key, live: Json | None, query: dict[str, str], body: Json) -> Json:
        if key[1] not in self.cluster.store.namespaces:
            raise ApiFailure(404, "NotFound", f'namespaces "{key[1]}" not found')
        limit = self.cluster.object_quota.get(key[0])
        if live is None and limit is not None:
            used = len(self.cluster.store.find(key[0], key[1]))
            if used >= limit:
                raise ApiFailure(403, "Forbidden", _exceeded(key, used, limit))
        try:
            force = query.get("force") == "true"
            new = fields.apply(live, body, query["fieldManager"], force)
        except fields.Conflict as conflict:
            raise _conflict(conflict) from None
        new = defaults(new)
        validate(new, live)
        if query.get("dryRun") == "All":
            return stamped(new, live, key)
        return self.cluster.store.put(key, new)

    def _pod(self, key: Key, part: str, query: dict[str, str]) -> str | None:
        pod = self.cluster.store.get(key)
        if pod is None:
            raise ApiFailure(404, "NotFound", f'pods "{key[2]}" not found')
        if part == "log":
            lines = self.cluster.controller.log(pod).splitlines()
            return "\n".join(lines[-int(query.get("tailLines", 100)) :])
        server = self.cluster.controller.node.of(pod)
        if server is None:
            raise ApiFailure(500, "InternalError", "unable to upgrade connection")
        forward(self, int(query["ports"]), server.port)
        self.close_connection = True
        return None


def _exceeded(key: Key, used: int, limit: int) -> str:
    count = f"count/{key[0]}"
    return (
        f'{key[0]} "{key[2]}" is forbidden: exceeded quota: small, requested: {count}=1, '
        f"used: {count}={used}, limited: {count}={limit}"
    )


def _conflict(conflict: fields.Conflict) -> ApiFailure:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}"',
            "field": field,
        }
        for manager, field in conflict.causes
    ]
    text = f"Apply failed with {len(causes)} conflict"
    return ApiFailure(409, "Conflict", text, causes)


def _merged(value: Any, patch: Json) -> Any:
    """RFC 7396."""
    for key, one in patch.items():
        if one is None:
            value.pop(key, None)
        elif isinstance(one, dict) and isinstance(value.get(key), dict):
            _merged(value[key], one)
        else:
            value[key] = one
    return value


def kubeconfig(path: Path, server: str, certificate: Path | None = None) -> Path:
    """A kubeconfig with a user of all rights, one who may only read, and one whose time is up."""
    cluster: Json = {"server": server}
    if certificate is not None:
        cluster["certificate-authority"] = str(certificate)
    users = {"admin": "admin-token", "viewer": "viewer-token", "expired": "expired-token"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": text}} for name, text in users.items()],
        "contexts": [{"name": name, "context": {"cluster": "lab", "user": name}} for name in users],
        "current-context": "admin",
    }
    path.write_text(json.dumps(content))  # JSON is YAML
    return path
