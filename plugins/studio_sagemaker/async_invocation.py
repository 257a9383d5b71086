"""Requests of the Open Inference Protocol through InvokeEndpoint, or by way of the bucket."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from textwrap import shorten

from studio.api import TargetError, UsageError
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.names import EndpointNames
from studio_sagemaker.storage import split_url

JSON = "application/json"
BINARY = "application/vnd.sagemaker-triton.binary+json"
_SIZE = "json-header-size="
# SageMaker's limit of a real-time request.
_LARGEST = 6 * 1024 * 1024
_ASYNC_LIMIT_S = 900.0
_PAUSE_S = 0.5


def content_type(head_length: int) -> str:
    """Return a content type with the JSON's length, as SageMaker drops custom headers."""
    return f"{BINARY};{_SIZE}{head_length}" if head_length else JSON


def head_of(kind: str) -> int:
    """Return the length of a response's JSON head, or 0 if it is JSON alone."""
    digits = kind.partition(_SIZE)[2].partition(";")[0].strip()
    return int(digits) if digits.isdigit() else 0


def invoke(
    cloud: Cloud, place: EndpointNames, request: bytes, head_length: int
) -> tuple[bytes, int]:
    """Ask an endpoint that answers at once.

    Raises:
        UsageError: for more than SageMaker takes.
        TargetError: when the model or AWS refuses.
    """
    if len(request) > _LARGEST:
        raise UsageError(
            f"SageMaker takes requests up to 6 MB, not {len(request) / 1024 / 1024:.1f} MB.",
            hint="Send binary tensors, a smaller batch, or deploy with --set mode=async.",
        )
    kind = content_type(head_length)
    answer = cloud.call(
        "sagemaker-runtime",
        "invoke_endpoint",
        f"ask the endpoint {place.endpoint}",
        EndpointName=place.endpoint,
        ContentType=kind,
        Accept=kind.partition(";")[0],
        Body=request,
    )
    return answer["Body"].read(), head_of(str(answer.get("ContentType") or ""))


class AsyncInvocations:
    """Requests that go through the bucket, with their objects deleted afterwards."""

    def __init__(
        self,
        cloud: Cloud,
        place: EndpointNames,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cloud = cloud
        self._place = place
        self._clock = clock
        self._sleep = sleep

    def invoke(self, bucket: str, request: bytes, head_length: int) -> tuple[bytes, int]:
        """Put a request down, have it answered, and fetch the answer."""
        kind = content_type(head_length)
        key = f"{self._place.prefix}async/in/{uuid.uuid4().hex}"
        what = f"write s3://{bucket}/{key}"
        self._cloud.call(
            "s3", "put_object", what, Bucket=bucket, Key=key, Body=request, ContentType=kind
        )
        urls = [f"s3://{bucket}/{key}"]
        try:
            answer = self._cloud.call(
                "sagemaker-runtime",
                "invoke_endpoint_async",
                f"ask the endpoint {self._place.endpoint}",
                EndpointName=self._place.endpoint,
                ContentType=kind,
                InputLocation=urls[0],
            )
            urls += [answer["OutputLocation"], answer.get("FailureLocation") or ""]
            return self._await(urls[1], urls[2])
        finally:
            # Also after a failure or a cancel: each request leaves objects in the bucket.
            for url in filter(None, urls):
                self._delete(url)

    def _await(self, output: str, failure: str) -> tuple[bytes, int]:
        began = self._clock()
        while self._clock() - began < _ASYNC_LIMIT_S:
            if (found := self._fetch(output)) is not None:
                return found
            if failure and (said := self._fetch(failure)) is not None:
                text = shorten(said[0].decode("utf-8", "replace"), 300, placeholder=" ...")
                raise TargetError(f"The model refused the request: {text}")
            self._sleep(_PAUSE_S)
        raise TargetError(f"{self._place.endpoint} has not answered for {_ASYNC_LIMIT_S:.0f} s.")

    def _fetch(self, url: str) -> tuple[bytes, int] | None:
        bucket, key = split_url(url)
        found = self._cloud.find("s3", "get_object", f"read {url}", Bucket=bucket, Key=key)
        if found is None:
            return None
        return found["Body"].read(), head_of(str(found.get("ContentType") or ""))

    def _delete(self, url: str) -> None:
        bucket, key = split_url(url)
        self._cloud.find("s3", "delete_object", f"remove {url}", Bucket=bucket, Key=key)
