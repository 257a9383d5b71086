"""The fake itself: resources of one workspace, their slow changes, and a layer of failures."""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.rigs.azureml.models import Misfit, check
from tests.rigs.loopback import Answer, Asked, ContractServer, Loopback

Json = dict[str, Any]
SUBSCRIPTION, GROUP, WORKSPACE = "00000000-1111-2222-3333-444444444444", "lab", "studio-ws"
WHO = "ann@example.org"
_ROOT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
_PARENT = f"{_ROOT}/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
_KINDS = (
    (r"/environments/[\w-]+/versions/[\w-]+", "EnvironmentVersion"),
    (r"/environments/[\w-]+", "EnvironmentContainer"),
    (r"/onlineEndpoints/[\w-]+/deployments/[\w-]+", "OnlineDeployment"),
    (r"/onlineEndpoints/[\w-]+", "OnlineEndpoint"),
)


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, retry: str = "") -> None:
        super().__init__(message)
        error = {"error": {"code": code, "message": message}}
        self.answer = Answer(status, error, {"Retry-After": retry} if retry else {})


class FakeAzure:
    """One workspace.

    Attributes:
        images: Image with its tag -> bundle; what is not there cannot be pulled.
        fail: "PUT OnlineDeployment" -> refusals that its next calls get.
        fail_later: "PUT OnlineDeployment" -> errors with which its next operations end.
        steps: How often an operation is asked for before it is done.
        expired: Whether tokens are refused.
    """

    def __init__(self, folder: Path, images: Mapping[str, Path], runtime: Path) -> None:
        self.images, self._runtime, self._folder = dict(images), runtime, folder
        self.resources: dict[str, Json] = {}
        self.settings: dict[str, Json] = {}
        self.fail: dict[str, list[Refusal]] = {}
        self.fail_later: dict[str, list[Json]] = {}
        self.steps, self.expired, self.predictions = 1, False, 0
        self.misfits: list[str] = []
        self._operations: dict[str, Json] = {}
        self._numbers, self._turn = itertools.count(1), itertools.count()
        self._servers: dict[str, ContractServer] = {}
        self._http = Loopback(self._answer)
        self.url, self.asked = self._http.url, self._http.asked

    def __enter__(self) -> FakeAzure:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()
        for server in self._servers.values():
            server.stop()
        assert not self._http.errors, self._http.errors
        assert not self.misfits, self.misfits

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "/identity":
            return self._token(asked)
        try:
            authorization = asked.headers.get("Authorization", "")
            if asked.path.startswith("/scored/"):
                return self._score(asked, authorization)
            if self.expired or not authorization.endswith(".management"):
                raise Refusal(401, "ExpiredAuthenticationToken", "The access token has expired.")
            return self._called(asked)
        except Misfit as error:
            self.misfits.append(f"{asked.method} {asked.path}: {error}")
            return Refusal(400, "ValidationError", str(error)).answer
        except Refusal as error:
            return error.answer

    def _token(self, asked: Asked) -> Answer:
        """As the identity endpoint of App Service gives it."""
        assert asked.headers["X-Identity-Header"] == "secret"
        claims = base64.urlsafe_b64encode(json.dumps({"upn": WHO}).encode()).decode().rstrip("=")
        kind = "management" if "management" in asked.query["resource"] else "endpoint"
        later = str(int(time.time()) + 86400)
        body = {"access_token": f"h.{claims}.{kind}", "expires_on": later, "token_type": "Bearer"}
        return Answer(200, {**body, "resource": asked.query["resource"]})

    def _called(self, asked: Asked) -> Answer:
        path, method = asked.path, asked.method
        if path.startswith("/operations/"):
            return Answer(200, self._step(path.rpartition("/")[2]))
        if "/Microsoft.Insights/autoscalesettings/" in path:
            return self._setting(asked)
        if path.endswith("/Microsoft.Insights/metrics"):
            return Answer(200, self._metrics(asked))
        assert asked.query["api-version"] == "2023-04-01"
        if path == _PARENT:
            return Answer(200, {"name": WORKSPACE, "location": "eastus"})
        if not path.startswith(_PARENT):
            raise Refusal(403, "AuthorizationFailed", "The client has no authorization.")
        if path.endswith(("/getLogs", "/listKeys")):
            return self._verb(asked)
        if path.endswith(("/versions", "/deployments")):
            return Answer(200, self._list(asked))
        kind = _kind(path)
        if self.fail.get(f"{method} {kind}"):
            raise self.fail[f"{method} {kind}"].pop(0)
        found: Answer = getattr(self, f"_{method.lower()}")(asked, kind)
        return found

    def _get(self, asked: Asked, kind: str) -> Answer:
        if asked.path not in self.resources:
            raise Refusal(404, "ResourceNotFound", f"{asked.path} was not found.")
        found = self.resources[asked.path]
        check(found, kind, kind, answer=True)
        return Answer(200, found)

    def _put(self, asked: Asked, kind: str) -> Answer:
        body = asked.json
        check(body, kind, kind)
        path, before = asked.path, self.resources.get(asked.path)
        if kind == "OnlineEndpoint":
            self._check_traffic(path, body["properties"])
        if before and kind == "EnvironmentVersion":
            assert before["properties"]["image"] == body["properties"]["image"], "immutable"
        created = (before or {}).get("systemData") or {
            "createdAt": f"2026-01-01T00:00:00.{len(self.asked):06d}Z"
        }
        resource = {"id": path, "name": path.rpartition("/")[2], "systemData": created, **body}
        self.resources[path] = resource
        if kind == "EnvironmentVersion":
            container = path.rpartition("/versions/")[0]
            self.resources.setdefault(container, {"id": container, "properties": {}})
            return Answer(201, resource)
        properties = resource["properties"] = dict(body["properties"])
        if kind == "OnlineEndpoint":
            properties["scoringUri"] = f"{self.url}/scored/{resource['name']}"
        properties["provisioningState"] = "Updating" if before else "Creating"
        return self._begin("PUT", kind, path, 201)

    def _delete(self, asked: Asked, kind: str) -> Answer:
        path = asked.path
        if path not in self.resources:
            return Answer(204, b"")
        if kind.startswith("Environment"):
            del self.resources[path]
            return Answer(200)
        if kind == "OnlineDeployment":
            endpoint = self.resources[path.rpartition("/deployments/")[0]]
            if (endpoint["properties"].get("traffic") or {}).get(path.rpartition("/")[2]):
                raise Refusal(400, "BadArgument", "The deployment has traffic.")
        self.resources[path]["properties"]["provisioningState"] = "Deleting"
        return self._begin("DELETE", kind, path, 202)

    def _begin(self, method: str, kind: str, path: str, status: int) -> Answer:
        number = str(next(self._numbers))
        self._operations[number] = {
            "left": self.steps,
            "method": method,
            "kind": kind,
            "path": path,
            "status": "InProgress",
        }
        address = f"{self.url}/operations/{number}"
        return Answer(status, self.resources[path], {"Azure-AsyncOperation": address})

    def _step(self, number: str) -> Json:
        operation = self._operations[number]
        operation["left"] -= 1
        if operation["left"] <= 0 and operation["status"] == "InProgress":
            self._finish(operation)
        return {key: operation[key] for key in ("status", "error") if key in operation}

    def finish_all(self) -> None:
        """Time passes: every operation comes to its end."""
        for operation in self._operations.values():
            if operation["status"] == "InProgress":
                self._finish(operation)

    def _finish(self, operation: Json) -> None:
        method, kind, path = operation["method"], operation["kind"], operation["path"]
        later = self.fail_later.get(f"{method} {kind}")
        error = later.pop(0) if later else None
        if error is None and method == "DELETE":
            for name in [one for one in self.resources if f"{one}/".startswith(f"{path}/")]:
                del self.resources[name]
        elif error is None and kind == "OnlineDeployment":
            error = self._start(path)
        operation["status"] = "Failed" if error else "Succeeded"
        if error:
            operation["error"] = error
        if path in self.resources:
            self.resources[path]["properties"]["provisioningState"] = operation["status"]

    def _start(self, path: str) -> Json | None:
        """Run a deployment's image by the routes of its environment."""
        properties = self.resources[path]["properties"]
        environment = self.resources[properties["environmentId"]]["properties"]
        image, routes = environment["image"], environment["inferenceConfig"]
        if image not in self.images:
            return {"code": "ImagePullFailure", "message": f"{image} cannot be pulled"}
        assert {route["port"] for route in routes.values()} == {8477}, "the port of our images"
        log = self._folder / f"{next(self._numbers)}.log"
        if path in self._servers:
            self._servers[path].stop()
        arguments = ("--host", "0.0.0.0", "--port", "{port}")
        bundle = self.images[image]
        server = self._servers[path] = ContractServer(self._runtime, bundle, log, {}, arguments)
        if server.wait(routes["readinessRoute"]["path"]):
            return None
        return {"code": "ResourceNotReady", "message": "The container never became ready"}

    def _check_traffic(self, path: str, properties: Json) -> None:
        traffic, mirror = (properties.get(key) or {} for key in ("traffic", "mirrorTraffic"))
        names = {p.rpartition("/")[2] for p in self.resources if p.startswith(f"{path}/depl")}
        if not {*traffic, *mirror} <= names or (traffic and sum(traffic.values()) != 100):
            raise Refusal(400, "BadArgument", f"The traffic {traffic} {mirror} is not valid.")
        if any(share > 50 for share in mirror.values()) or len(mirror) > 1:
            raise Refusal(400, "BadArgument", "At most 50 % can be mirrored, to one deployment.")

    def _list(self, asked: Asked) -> Json:
        """In pages of one, so that paging is always asked for."""
        found = [self.resources[p] for p in self.resources if p.startswith(f"{asked.path}/")]
        start = int(asked.query.get("skip") or 0)
        link = f"{self.url}{asked.path}?api-version=2023-04-01&skip={start + 1}"
        more = {"nextLink": link} if len(found) > start + 1 else {}
        return {"value": found[start : start + 1], **more}

    def _verb(self, asked: Asked) -> Answer:
        if asked.path.endswith("/listKeys"):
            return Answer(200, {"primaryKey": "k1", "secondaryKey": "k2"})
        check(asked.json, "DeploymentLogsRequest")
        server = self._servers[asked.path.rpartition("/")[0]]
        return Answer(200, {"content": server.log.read_text(errors="replace")})

    def _setting(self, asked: Asked) -> Answer:
        name = asked.path.rpartition("/")[2]
        if asked.method == "DELETE":
            return Answer(200 if self.settings.pop(name, None) else 404)
        profile = asked.json["properties"]["profiles"][0]
        assert set(profile["capacity"]) == {"minimum", "maximum", "default"}
        assert asked.json["properties"]["targetResourceUri"] in self.resources
        self.settings[name] = asked.json
        return Answer(200, asked.json)

    def _metrics(self, asked: Asked) -> Json:
        if not self.predictions:
            return {"value": []}
        kind, key = asked.query["metricnames"], asked.query["aggregation"].lower()
        value = self.predictions if kind == "RequestsPerMinute" else 7.5
        series = {"metadatavalues": [{"value": "2xx"}], "data": [{key: value}]}
        return {"value": [{"timeseries": [series]}]}

    def _score(self, asked: Asked, authorization: str) -> Answer:
        path = f"{_PARENT}/onlineEndpoints/{asked.path.rpartition('/')[2]}"
        properties = self.resources[path]["properties"]
        wanted = "k1" if properties["authMode"] == "Key" else ".endpoint"
        if not authorization.endswith(wanted):
            raise Refusal(401, "AuthenticationFailed", "The token is not for this endpoint.")
        slots = [n for n, share in (properties.get("traffic") or {}).items() for _ in range(share)]
        if not slots:
            raise Refusal(404, "NotFound", "There is no deployment with traffic.")
        server = self._servers[f"{path}/deployments/{slots[next(self._turn) % 100]}"]
        headers = {"Content-Type": asked.headers["Content-Type"]}
        status, body, found = server.ask("POST", "/score", asked.body, headers)
        self.predictions += 1
        kept = ("content-type", "inference-header-content-length")
        return Answer(status, body, {n.title(): t for n, t in found.items() if n in kept})


def _kind(path: str) -> str:
    for pattern, kind in _KINDS:
        if re.fullmatch(pattern, path.removeprefix(_PARENT)):
            return kind
    raise Misfit("There is no such kind of resource.")
