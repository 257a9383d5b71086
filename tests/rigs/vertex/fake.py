"""The fake itself: endpoints, models, operations, a token server, and a layer of failures."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.rigs.loopback import Answer, Asked, ContractServer, Loopback
from tests.rigs.vertex.discovery import Misfit, method_of
from tests.rigs.vertex.operations import Operations, Refusal

Json = dict[str, Any]
PROJECT, NUMBER, REGION = "lab-project", "123456789", "us-central1"
ACCOUNT = f"studio@{PROJECT}.iam.gserviceaccount.com"
_PARENT = f"projects/{NUMBER}/locations/{REGION}"
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")


class FakeVertex:
    """One region of one project.

    Attributes:
        images: Image with its tag -> bundle; what is not there does not exist.
        fail: Method's ID -> refusals that its next calls get, in order.
        fail_operation: Kind (``deployModel``) -> errors with which its next operations end.
        steps: How often an operation is asked for before it is done.
        token_error: What the token server says instead of a token.
    """

    def __init__(self, folder: Path, images: Mapping[str, Path], runtime: Path) -> None:
        self.images, self._runtime, self._folder = dict(images), runtime, folder
        self.endpoints: dict[str, Json] = {}
        self.models: dict[str, Json] = {}
        self.fail: dict[str, list[Refusal]] = {}
        self.token_error: Json | None = None
        self.operations = Operations(_PARENT)
        self.predictions = 0
        self.misfits: list[str] = []
        self._servers: dict[str, ContractServer] = {}
        self._counter = itertools.count(1)
        self._turn = itertools.count()
        self._http = Loopback(self._answer)
        self.url, self.asked = self._http.url, self._http.asked

    def __enter__(self) -> FakeVertex:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()
        for server in self._servers.values():
            server.stop()
        assert not self._http.errors, self._http.errors
        assert not self.misfits, self.misfits

    def credentials(self, path: Path) -> Path:
        """A service account's key file whose tokens come from here."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        document = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1",
            "private_key": text,
            "client_email": ACCOUNT,
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(document))
        return path

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            if self.token_error is not None:
                return Answer(400, self.token_error)
            return Answer(200, {"access_token": "t0", "expires_in": 3600, "token_type": "Bearer"})
        try:
            if asked.headers.get("Authorization") != "Bearer t0":
                raise Refusal(401, "UNAUTHENTICATED", "Request had invalid credentials.")
            return self._called(asked)
        except Misfit as error:
            self.misfits.append(f"{asked.method} {asked.path}: {error}")
            return Refusal(400, "INVALID_ARGUMENT", str(error)).answer()
        except Refusal as error:
            return error.answer()

    def _called(self, asked: Asked) -> Answer:
        method = method_of(asked.method, asked.path)
        raw = method.id.endswith(".rawPredict")
        if not raw:
            method.check_request(asked.query, asked.json)
        if self.fail.get(method.id):
            raise self.fail[method.id].pop(0)
        if raw:
            return self._predict(asked)
        name = "_".join(method.id.split(".")[1:]).replace("projects_locations_", "")
        found = getattr(self, f"_{name}")(asked)
        method.check_answer(found)
        return Answer(200, found)

    def _endpoint(self, asked: Asked) -> Json:
        identifier = asked.path.split("/endpoints/")[1].split(":")[0].split("/")[0]
        if identifier not in self.endpoints:
            raise Refusal(404, "NOT_FOUND", f"Endpoint {identifier} is not found.")
        return self.endpoints[identifier]

    def _model(self, path: str) -> Json:
        identifier = path.split("/models/")[1].split(":")[0]
        if identifier not in self.models:
            raise Refusal(404, "NOT_FOUND", f"The Model {identifier} does not exist.")
        return self.models[identifier]

    def _now(self) -> str:
        return f"2026-01-01T00:00:{next(self._counter) % 60:02d}.{len(self.asked):06d}Z"

    def _endpoints_list(self, asked: Asked) -> Json:
        if f"projects/{PROJECT}/" not in asked.path:
            raise Refusal(403, "PERMISSION_DENIED", "Permission denied on the project.")
        return {"endpoints": list(self.endpoints.values())}

    def _endpoints_get(self, asked: Asked) -> Json:
        return self._endpoint(asked)

    def _endpoints_create(self, asked: Asked) -> Json:
        identifier = asked.query["endpointId"]
        if identifier in self.endpoints:
            raise Refusal(409, "ALREADY_EXISTS", "The endpoint exists.")
        _check_labels(asked.json)
        name = f"{_PARENT}/endpoints/{identifier}"
        self.endpoints[identifier] = {"name": name, "createTime": self._now(), **asked.json}
        return self.operations.start("create", f"{name}", lambda: None)

    def _endpoints_patch(self, asked: Asked) -> Json:
        endpoint = self._endpoint(asked)
        assert asked.query["updateMask"] == "trafficSplit"
        split = asked.json["trafficSplit"]
        known = {one["id"] for one in endpoint.get("deployedModels", [])}
        if sum(split.values()) != 100 or not set(split) <= known:
            raise Refusal(400, "INVALID_ARGUMENT", f"The traffic split {split} is not valid.")
        endpoint["trafficSplit"] = split
        return endpoint

    def _endpoints_delete(self, asked: Asked) -> Json:
        endpoint = self._endpoint(asked)
        if endpoint.get("deployedModels"):
            raise Refusal(400, "FAILED_PRECONDITION", "The endpoint has deployed models.")
        name = endpoint["name"]

        def gone() -> None:
            self.endpoints.pop(name.rpartition("/")[2], None)

        return self.operations.start("delete", name, gone)

    def _endpoints_deployModel(self, asked: Asked) -> Json:
        endpoint, deployed = self._endpoint(asked), dict(asked.json["deployedModel"])
        model = self._model("/" + deployed["model"])
        deployed["model"] = model["name"]
        deployed |= {"id": str(10**9 + next(self._counter)), "createTime": self._now()}
        deployed["modelVersionId"] = "1"

        def done() -> None:
            self._start(model)
            endpoint.setdefault("deployedModels", []).append(deployed)

        return self.operations.start("deployModel", endpoint["name"], done)

    def _endpoints_undeployModel(self, asked: Asked) -> Json:
        endpoint, body = self._endpoint(asked), asked.json
        split = body.get("trafficSplit") or endpoint.get("trafficSplit") or {}
        identifier = body["deployedModelId"]
        last = len(endpoint.get("deployedModels", [])) == 1
        if not last and split.get(identifier):
            raise Refusal(400, "FAILED_PRECONDITION", "The deployed model has traffic.")

        def done() -> None:
            kept = [one for one in endpoint["deployedModels"] if one["id"] != identifier]
            endpoint["deployedModels"] = kept
            endpoint["trafficSplit"] = {} if last else split

        return self.operations.start("undeployModel", endpoint["name"], done)

    def _endpoints_operations_list(self, asked: Asked) -> Json:
        return {"operations": self.operations.of(self._endpoint(asked)["name"])}

    def _endpoints_operations_get(self, asked: Asked) -> Json:
        return self.operations.ask(asked.path.rpartition("/")[2])

    _models_operations_get = _endpoints_operations_get

    def _models_upload(self, asked: Asked) -> Json:
        identifier, model = asked.json["modelId"], dict(asked.json["model"])
        if identifier in self.models:
            raise Refusal(409, "ALREADY_EXISTS", "The model exists.")
        _check_labels(model)
        name = f"{_PARENT}/models/{identifier}"

        def done() -> None:
            self.models[identifier] = {"name": name, "createTime": self._now(), **model}

        return self.operations.start("upload", name, done)

    def _models_get(self, asked: Asked) -> Json:
        return self._model(asked.path)

    def _models_list(self, asked: Asked) -> Json:
        """In pages of two, so that paging is always asked for."""
        match = re.fullmatch(r'labels\.([\w-]+)="([^"]*)"', asked.query["filter"])
        assert match, asked.query
        key, value = match.groups()
        found = [m for m in self.models.values() if m.get("labels", {}).get(key) == value]
        start = int(asked.query.get("pageToken") or 0)
        more = {"nextPageToken": str(start + 2)} if len(found) > start + 2 else {}
        return {"models": found[start : start + 2], **more}

    def _models_patch(self, asked: Asked) -> Json:
        model, body = self._model(asked.path), asked.json
        _check_labels(body)
        for field in asked.query["updateMask"].split(","):
            model[field] = body.get(field) or ({} if field == "labels" else "")
        return model

    def _models_delete(self, asked: Asked) -> Json:
        model = self._model(asked.path)
        name = model["name"]
        for endpoint in self.endpoints.values():
            if any(one["model"] == name for one in endpoint.get("deployedModels", [])):
                raise Refusal(400, "FAILED_PRECONDITION", "The model is deployed.")

        def gone() -> None:
            self.models.pop(name.rpartition("/")[2], None)

        return self.operations.start("delete", name, gone)

    def _repositories_packages_tags_get(self, asked: Asked) -> Json:
        parts = unquote(asked.path).split("/")
        package = unquote("/".join(parts[9:-2]))
        image = f"{parts[5]}-docker.pkg.dev/{parts[3]}/{parts[7]}/{package}:{parts[-1]}"
        if image not in self.images:
            raise Refusal(404, "NOT_FOUND", "Requested entity was not found.")
        return {"name": "/".join(parts[2:])}

    def _projects_timeSeries_list(self, asked: Asked) -> Json:
        latencies = "prediction_latencies" in asked.query["filter"]
        value: Json = {"int64Value": str(self.predictions)}
        if "error_count" in asked.query["filter"]:
            value = {"int64Value": "0"}
        if latencies:
            value = {"doubleValue": 7.5}
        return {"timeSeries": [{"points": [{"value": value}]}]} if self.predictions else {}

    def _entries_list(self, asked: Asked) -> Json:
        lines: list[str] = []
        for server in self._servers.values():
            lines += server.log.read_text(errors="replace").splitlines()
        newest = list(reversed(lines))[: asked.json["pageSize"]]
        entries = [{"textPayload": line, "timestamp": "2026-01-01T00:00:00Z"} for line in newest]
        return {"entries": entries}

    def _start(self, model: Json) -> None:
        """Run the image of a model as Vertex AI would; a server runs once for each."""
        container = model["containerSpec"]
        image, name = container["imageUri"], model["name"]
        if image not in self.images:
            raise Refusal(400, "FAILED_PRECONDITION", f"Image {image} cannot be pulled.")
        if name in self._servers:
            return
        variables = {
            "AIP_HTTP_PORT": "{port}",
            "AIP_PREDICT_ROUTE": container["predictRoute"],
            "AIP_HEALTH_ROUTE": container["healthRoute"],
        }
        log = self._folder / f"{len(self._servers)}.log"
        server = ContractServer(self._runtime, self.images[image], log, variables)
        self._servers[name] = server
        if not server.wait(container["healthRoute"]):
            raise Refusal(400, "INVALID_ARGUMENT", "Model server never became ready.")

    def _predict(self, asked: Asked) -> Answer:
        """Ask the model whose turn it is by the traffic split."""
        endpoint = self._endpoint(asked)
        split = endpoint.get("trafficSplit") or {}
        if not split:
            raise Refusal(400, "FAILED_PRECONDITION", "The endpoint has no deployed model.")
        slots = [identifier for identifier, share in split.items() for _ in range(share)]
        identifier = slots[next(self._turn) % 100]
        deployed = next(one for one in endpoint["deployedModels"] if one["id"] == identifier)
        route = self.models[deployed["model"].rpartition("/")[2]]["containerSpec"]["predictRoute"]
        headers = {"Content-Type": asked.headers["Content-Type"]}
        server = self._servers[deployed["model"]]
        status, body, found = server.ask("POST", route, asked.body, headers)
        self.predictions += 1
        kept = ("content-type", "inference-header-content-length")
        return Answer(status, body, {n.title(): t for n, t in found.items() if n in kept})


def _check_labels(body: Json) -> None:
    """What Google takes as labels."""
    for key, value in (body.get("labels") or {}).items():
        if not (_LABEL.fullmatch(key) and _LABEL.fullmatch(value) and key[0].isalpha()):
            raise Refusal(400, "INVALID_ARGUMENT", f"The label {key}={value} is not valid.")
