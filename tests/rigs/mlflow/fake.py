"""A loopback server with MLflow's REST contract, in memory, with faults on demand.

It is a fake, written from MLflow's REST documentation; that the contract is MLflow's is shown by
``tests/integration/mlflow`` against MLflow's own server.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_API = "/api/2.0/mlflow/"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"


class Refusal(Exception):
    """An answer that is none of 200."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error_code": code, "message": message}


@dataclass
class State:
    """What the server keeps, and how it misbehaves.

    Attributes:
        asked: Verb and path of every request.
        refusals: The answer to each verb that is to be refused.
        delay_s: Before any answer.
        extra_bytes: Added to each size that a listing tells.
        authorization: The login that came last.
    """

    experiments: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    delay_s: float = 0.0
    extra_bytes: int = 0
    authorization: str = ""
    html: bool = False

    def gone(self, what: str) -> Refusal:
        """It is not there."""
        return Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"{what} not found")


class FakeMlflow:
    """The server's verbs, by their names in the API."""

    def __init__(self) -> None:
        self.state = State()

    def call(self, method: str, verb: str, given: dict[str, Any]) -> dict[str, Any]:
        """Answer one verb."""
        if verb in self.state.refusals:
            raise self.state.refusals[verb]
        name = f"{method}_{verb}".replace("/", "_").replace("-", "_").lower()
        found: dict[str, Any] = getattr(self, name)(given)
        return found

    def get_experiments_get_by_name(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["experiment_name"]
        if name not in self.state.experiments:
            raise self.state.gone("Experiment")
        return {"experiment": {"experiment_id": self.state.experiments[name]}}

    def post_experiments_create(self, given: dict[str, Any]) -> dict[str, Any]:
        number = str(len(self.state.experiments) + 1)
        self.state.experiments[given["name"]] = number
        return {"experiment_id": number}

    def post_runs_create(self, given: dict[str, Any]) -> dict[str, Any]:
        identifier = f"run{len(self.state.runs) + 1}"
        uri = f"mlflow-artifacts:/{given['experiment_id']}/{identifier}/artifacts"
        run = {"info": {"run_id": identifier, "artifact_uri": uri, "status": "RUNNING"}}
        self.state.runs[identifier] = {**run, "metrics": [], "params": [], "deleted": False}
        return {"run": run}

    def post_runs_log_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        run = self.state.runs[given["run_id"]]
        run["metrics"] += given["metrics"]
        run["params"] += given["params"]
        return {}

    def post_runs_update(self, given: dict[str, Any]) -> dict[str, Any]:
        run = self.state.runs[given["run_id"]]
        if run["deleted"]:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "The run is deleted")
        run["info"]["status"] = given["status"]
        return {}

    def post_runs_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        self.state.runs[given["run_id"]]["deleted"] = True
        return {}

    def post_registered_models_create(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["name"]
        if name in self.state.models:
            raise Refusal(400, "RESOURCE_ALREADY_EXISTS", f"{name} exists")
        self.state.models[name] = {"name": name, "aliases": {}}
        return {"registered_model": {"name": name}}

    def delete_registered_models_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        del self.state.models[given["name"]]
        return {}

    def get_registered_models_get(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"registered_model": self._model(given["name"])}

    def get_registered_models_search(self, given: dict[str, Any]) -> dict[str, Any]:
        """A page of one, so that whoever asks must follow the token."""
        names, at = sorted(self.state.models), int(given.get("page_token") or 0)
        token = str(at + 1) if at + 1 < len(names) else ""
        models = [self._model(name) for name in names[at : at + 1]]
        return {"registered_models": models, "next_page_token": token}

    def post_registered_models_alias(self, given: dict[str, Any]) -> dict[str, Any]:
        self.state.models[given["name"]]["aliases"][given["alias"]] = given["version"]
        return {}

    def delete_registered_models_alias(self, given: dict[str, Any]) -> dict[str, Any]:
        self.state.models[given["name"]]["aliases"].pop(given["alias"], None)
        return {}

    def post_model_versions_create(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["name"]
        number = str(sum(one == name for one, _ in self.state.versions) + 1)
        made = {**given, "version": number, "creation_timestamp": 1_700_000_000_000 + int(number)}
        self.state.versions[name, number] = made
        return {"model_version": made}

    def delete_model_versions_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        del self.state.versions[given["name"], given["version"]]
        return {}

    def post_model_versions_set_tag(self, given: dict[str, Any]) -> dict[str, Any]:
        tags = self._version(given)["tags"]
        tags[:] = [tag for tag in tags if tag["key"] != given["key"]]
        tags.append({"key": given["key"], "value": given["value"]})
        return {}

    def get_model_versions_get(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"model_version": self._version(given)}

    def get_model_versions_search(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["filter"].removeprefix("name=").strip("'\"")
        found = [one for (model, _), one in self.state.versions.items() if model == name]
        return {"model_versions": found}

    def get_model_versions_get_download_uri(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"artifact_uri": self._version(given)["source"]}

    def listing(self, folder: str) -> dict[str, Any]:
        """The files and folders right below a folder."""
        found: dict[str, dict[str, Any]] = {}
        for place, content in self.state.files.items():
            if place.startswith(f"{folder}/"):
                first, slash, _ = place.removeprefix(f"{folder}/").partition("/")
                size = len(content) + self.state.extra_bytes
                found[first] = {"path": first, "is_dir": bool(slash), "file_size": size}
        return {"files": list(found.values())}

    def _model(self, name: str) -> dict[str, Any]:
        if name not in self.state.models:
            raise self.state.gone(f"Registered Model with name={name}")
        aliases = self.state.models[name]["aliases"]
        numbers = [number for model, number in self.state.versions if model == name]
        return {
            "name": name,
            "aliases": [{"alias": a, "version": v} for a, v in aliases.items()],
            "latest_versions": [{"version": number} for number in numbers[-1:]],
        }

    def _version(self, given: dict[str, Any]) -> dict[str, Any]:
        key = (given["name"], given["version"])
        if key not in self.state.versions:
            raise self.state.gone("Model Version")
        return self.state.versions[key]


@contextmanager
def running() -> Iterator[tuple[FakeMlflow, str]]:
    """A fake and its address."""
    fake = FakeMlflow()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield fake, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(fake: FakeMlflow) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state, parts = fake.state, urlsplit(self.path)
            state.authorization = self.headers.get("Authorization", "")
            state.asked.append(f"{self.command} {parts.path}")
            time.sleep(state.delay_s)
            try:
                status, content = 200, self._content(parts.path, parts.query, body)
            except Refusal as refusal:
                status, content = refusal.status, json.dumps(refusal.body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _content(self, path: str, query: str, body: bytes) -> bytes:
            if fake.state.html:
                return b"<html>hello</html>"
            given = {key: values[0] for key, values in parse_qs(query).items()}
            if path == _FILES:
                return json.dumps(fake.listing(given["path"])).encode()
            if path.startswith(f"{_FILES}/"):
                return self._file(unquote(path.removeprefix(f"{_FILES}/")), body)
            given.update(json.loads(body or b"{}"))
            verb = path.removeprefix(_API)
            return json.dumps(fake.call(self.command, verb, given)).encode()

        def _file(self, place: str, body: bytes) -> bytes:
            refusal = fake.state.refusals.get(f"{self.command} file")
            if refusal is not None:
                raise refusal
            if self.command == "PUT":
                fake.state.files[place] = body
                return b"{}"
            if place not in fake.state.files:
                raise fake.state.gone(place)
            return fake.state.files[place]

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler
