"""The server: moto behind a layer with endpoints, refusals on request and checks of requests."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from threading import RLock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tests.benchmarks.serve.peers import free_port
from tests.rigs.sagemaker import patches as patches
from tests.rigs.sagemaker.containers import Container
from tests.rigs.sagemaker.endpoints import Endpoints, Json, Refusal
from tests.rigs.sagemaker.shapes import problems

REGION = "us-east-1"
ACCOUNT = "123456789012"
BUCKET = f"sagemaker-{REGION}-{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMaker"
REPOSITORY = "edgewright"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}:1"
_OWN = "AKIAOWN"
_MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}'


class FakeAws:
    """Starts with a bucket and an image in ECR.

    Attributes:
        refusals: By operation (``CreateEndpoint``), what its next requests are answered with.
        calls: Every operation of SageMaker that was asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._lock = RLock()
        self.endpoints = Endpoints(self, folder)
        self.refusals: dict[str, list[Refusal]] = {}
        self.calls: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """What points the SDK here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAFAKE",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_CONFIG_FILE": "/nonexistent/config",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def __enter__(self) -> FakeAws:
        self._thread.start()
        self.client("s3").create_bucket(Bucket=BUCKET)
        ecr = self.client("ecr")
        ecr.create_repository(repositoryName=REPOSITORY)
        ecr.put_image(repositoryName=REPOSITORY, imageManifest=_MANIFEST, imageTag="1")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.endpoints.close()
        self._reset()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def client(self, service: str) -> Any:
        """A client of one's own, past the plugin."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=_OWN,
            aws_secret_access_key="not-a-secret",
        )

    def refuse(
        self, operation: str, code: str, message: str = "", times: int = 1, status: int = 400
    ) -> None:
        """Answer the next requests of an operation with an error."""
        rows = self.refusals.setdefault(operation, [])
        rows.extend(Refusal(code, message or code, status) for _ in range(times))

    def configuration(self, name: str) -> Json:
        found: Json = self.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
        return found

    def container(self, model: str, folder: Path) -> Container:
        """A container for a model, started."""
        found = self.client("sagemaker").describe_model(ModelName=model)["PrimaryContainer"]
        parts = urlsplit(found["ModelDataUrl"])
        s3 = self.client("s3")
        archive = s3.get_object(Bucket=parts.netloc, Key=parts.path[1:])["Body"].read()
        return Container(folder, archive, found["Environment"], free_port())

    def log(self, endpoint: str, variant: str, lines: list[str]) -> None:
        """Write a container's lines to CloudWatch Logs."""
        logs = self.client("logs")
        group, stream = f"/aws/sagemaker/Endpoints/{endpoint}", f"{variant}/i-0123456789"
        for call, more in (
            (logs.create_log_group, {}),
            (logs.create_log_stream, {"logStreamName": stream}),
        ):
            try:
                call(logGroupName=group, **more)
            except logs.exceptions.ResourceAlreadyExistsException:
                continue
        at = int(time.time() * 1000)
        events = [{"timestamp": at, "message": line or " "} for line in lines]
        if events:
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def check_alarms(self, rules: Json) -> None:
        """Alarms of a deployment must exist."""
        alarms = (rules.get("AutoRollbackConfiguration") or {}).get("Alarms") or ()
        names = [one["AlarmName"] for one in alarms]
        found = self.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        if names and len(found) != len(names):
            raise Refusal("ValidationException", "An alarm does not exist.")

    def is_scaled(self, endpoint: str, variant: str) -> bool:
        """Whether a variant is a scalable target."""
        found = self.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{endpoint}/variant/{variant}"]
        )
        return bool(found["ScalableTargets"])

    def _answer(self, environ: Json, start: Any) -> Iterable[bytes]:
        path, operation = environ["PATH_INFO"], _operation(environ)
        if _OWN in environ.get("HTTP_AUTHORIZATION", ""):  # the layer itself asks moto
            passed: Iterable[bytes] = self._moto(environ, start)
            return passed
        try:
            for refusal in self.refusals.get(operation, [])[:1]:
                self.refusals[operation].pop(0)
                raise refusal
            if path.startswith("/endpoints/"):
                return self._invocation(environ, start)
            if environ.get("HTTP_X_AMZ_TARGET", "").startswith("SageMaker."):
                return self._sagemaker(operation, environ, start)
        except Refusal as error:
            return _refused(error, start)
        passed = self._moto(environ, start)
        return passed

    def _sagemaker(self, operation: str, environ: Json, start: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = json.loads(body)
        self.calls.append(operation)
        if found := problems("sagemaker", operation, request):
            raise Refusal("ValidationException", "; ".join(found))
        environ["wsgi.input"] = _Again(body)
        with self._lock:
            return self._endpoint_call(operation, request, environ, start)

    def _endpoint_call(
        self, operation: str, request: Json, environ: Json, start: Any
    ) -> Iterable[bytes]:
        endpoints, name = self.endpoints, request.get("EndpointName", "")
        if operation == "CreateEndpoint":
            if name in endpoints.known:
                raise Refusal("ValidationException", "Cannot create already existing endpoint.")
            answer = b"".join(self._moto(environ, start))
            endpoints.create(request, json.loads(answer)["EndpointArn"])
            return [answer]
        if operation == "DescribeEndpoint":
            return _json(endpoints.describe(name), start)
        if operation == "UpdateEndpoint":
            return _json(endpoints.update(request), start)
        if operation == "UpdateEndpointWeightsAndCapacities":
            return _json(endpoints.weigh(request), start)
        if operation == "DeleteEndpoint":
            endpoints.delete(name)
        if operation == "DeleteEndpointConfig":
            used = {one.config for one in endpoints.known.values()}
            if request["EndpointConfigName"] in used:
                raise Refusal("ValidationException", "The configuration is in use.")
        if operation == "AddTags":  # moto would have a key twice
            keys = [one["Key"] for one in request["Tags"]]
            arn = request["ResourceArn"]
            self.client("sagemaker").delete_tags(ResourceArn=arn, TagKeys=keys)
        passed: Iterable[bytes] = self._moto(environ, start)
        return passed

    def _invocation(self, environ: Json, start: Any) -> Iterable[bytes]:
        _, _, name, kind = environ["PATH_INFO"].split("/")
        if kind == "async-invocations":
            return self._later(name, environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        accept = environ.get("HTTP_ACCEPT", "")
        with self._lock:
            variant, status, answer, answer_kind = self._forward(
                name, body, environ["CONTENT_TYPE"], accept
            )
        headers = [("Content-Type", answer_kind), ("x-Amzn-Invoked-Production-Variant", variant)]
        if status >= 400:
            error = {
                "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
                "OriginalStatusCode": status,
                "OriginalMessage": answer.decode(),
                "Message": f"Received client error ({status}) from {variant} with message "
                f'"{answer.decode()}".',
            }
            headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", "ModelError")]
            start("424 Failed Dependency", headers)
            return [json.dumps(error).encode()]
        start("200 OK", headers)
        return [answer]

    def _forward(
        self, name: str, body: bytes, kind: str, accept: str
    ) -> tuple[str, int, bytes, str]:
        variant, container = self.endpoints.choose(name)
        began = time.perf_counter()
        status, answer, answer_kind = container.invoke(body, kind, accept)
        self._measured(name, variant, status, (time.perf_counter() - began) * 1e6)
        self.log(name, variant, container.new_lines())
        return variant, status, answer, answer_kind

    def _measured(self, name: str, variant: str, status: int, latency: float) -> None:
        values = {
            "Invocations": 1.0,
            "Invocation4XXErrors": float(400 <= status < 500),
            "Invocation5XXErrors": float(status >= 500),
            "ModelLatency": latency,
        }
        dimensions = [
            {"Name": "EndpointName", "Value": name},
            {"Name": "VariantName", "Value": variant},
        ]
        rows = [
            {"MetricName": metric, "Dimensions": dimensions, "Value": value}
            for metric, value in values.items()
        ]
        self.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=rows)

    def _later(self, name: str, environ: Json, start: Any) -> Iterable[bytes]:
        parts = urlsplit(environ["HTTP_X_AMZN_SAGEMAKER_INPUTLOCATION"])
        config = self.configuration(self.endpoints.find(name).config)
        places = config["AsyncInferenceConfig"]["OutputConfig"]
        s3 = self.client("s3")
        body = s3.get_object(Bucket=parts.netloc, Key=parts.path[1:])["Body"].read()
        kind = environ.get("HTTP_X_AMZN_SAGEMAKER_CONTENT_TYPE", "")
        _, status, answer, answer_kind = self._forward(name, body, kind, "")
        urls = {key: f"{places[key]}/{uuid.uuid4()}.out" for key in places}
        used = urlsplit(urls["S3OutputPath" if status == 200 else "S3FailurePath"])
        s3.put_object(Bucket=used.netloc, Key=used.path[1:], Body=answer, ContentType=answer_kind)
        start(
            "202 Accepted",
            [
                ("Content-Type", "application/json"),
                ("X-Amzn-SageMaker-OutputLocation", urls["S3OutputPath"]),
                ("X-Amzn-SageMaker-FailureLocation", urls["S3FailurePath"]),
            ],
        )
        return [json.dumps({"InferenceId": str(uuid.uuid4())}).encode()]

    def _reset(self) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        connection.request("POST", "/moto-api/reset")
        connection.getresponse().read()
        connection.close()


class _Quiet(MotoRequestHandler):
    def log_request(self, *arguments: Any) -> None:
        """Nobody reads it."""


class _Again:
    """A body that was read, to be read again."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        taken = self._content if size < 0 else self._content[:size]
        self._content = self._content[len(taken) :]
        return taken


def _operation(environ: Json) -> str:
    """The operation's name where a header tells it; else the method and path."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target.rpartition(".")[2])
    path = environ["PATH_INFO"]
    if path.startswith("/endpoints/"):
        return "InvokeEndpoint"
    return f"{environ['REQUEST_METHOD']} {path}"


def _json(value: Json, start: Any) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
    return [json.dumps(value, default=str).encode()]


def _refused(error: Refusal, start: Any) -> Iterable[bytes]:
    start(
        f"{error.status} Refused",
        [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", error.code)],
    )
    return [json.dumps({"__type": error.code, "message": error.message}).encode()]
