"""The bucket: packed bundles under keys that name their content."""

from __future__ import annotations

import gzip
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from boto3.exceptions import Boto3Error, S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from studio.api import Parcel, Progress, TargetError
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.names import OWNER, RELEASE, TARGET, EndpointNames, tag_text
from studio_sagemaker.refusals import AwsRefusal, refusal


class Storage:
    """Objects of one target in S3."""

    def __init__(self, cloud: Cloud, place: EndpointNames) -> None:
        self._cloud = cloud
        self._place = place

    def has_bucket(self, bucket: str) -> bool:
        """Return whether a bucket is there; one that may not be looked at is taken to be."""
        try:
            found = self._cloud.find(
                "s3", "head_bucket", f"look at the bucket {bucket}", Bucket=bucket
            )
        except AwsRefusal as error:
            if error.forbidden:
                return True
            raise
        return found is not None

    def has(self, bucket: str, key: str) -> bool:
        """Return whether an object is there."""
        what = f"look at s3://{bucket}/{key}"
        return self._cloud.find("s3", "head_object", what, Bucket=bucket, Key=key) is not None

    def upload(self, parcel: Parcel, bucket: str, progress: Progress) -> int:
        """Send a release's archive, unless it is there.

        Returns:
            Bytes that were sent.
        """
        key = self._place.data_key(parcel.digest)
        if self.has(bucket, key):
            return 0
        with tempfile.TemporaryDirectory(prefix="edgewright-") as folder:
            file = Path(folder) / "model.tar.gz"
            size = write_archive(parcel.bundle, file, progress)
            self._send(file, size, bucket, key, self._tags(parcel), progress)
        return size

    def keys(self, bucket: str) -> Iterator[dict[str, Any]]:
        """Yield the target's objects, or none in a missing or unreadable bucket."""
        what = f"list the bucket {bucket}"
        try:
            yield from self._cloud.pages(
                "s3", "list_objects_v2", "Contents", what, Bucket=bucket, Prefix=self._place.prefix
            )
        except AwsRefusal as error:
            if not (error.missing or error.forbidden):
                raise

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; one that is gone is fine."""
        what = f"remove s3://{bucket}/{key}"
        self._cloud.find("s3", "delete_object", what, Bucket=bucket, Key=key)

    def _tags(self, parcel: Parcel) -> str:
        tags = {TARGET: self._place.endpoint, RELEASE: parcel.digest, OWNER: parcel.owner}
        return urlencode({key: tag_text(text) for key, text in tags.items() if text})

    def _send(
        self, file: Path, size: int, bucket: str, key: str, tags: str, progress: Progress
    ) -> None:
        sent = 0

        def count(more: int) -> None:
            nonlocal sent
            sent = min(sent + more, size)
            progress.progress(sent, size, "Uploading model.tar.gz")

        what = f"write s3://{bucket}/{key}"
        try:
            self._cloud.client("s3").upload_file(
                str(file),
                bucket,
                key,
                ExtraArgs={"Tagging": tags},
                Callback=count,
                # in this thread, so that a cancelled job ends the transfer
                Config=TransferConfig(use_threads=False),
            )
        except S3UploadFailedError as error:
            cause = error.__context__ or error
            raise refusal(cause, what, self._cloud.region) from None
        except (BotoCoreError, ClientError) as error:
            raise refusal(error, what, self._cloud.region) from None
        except Boto3Error as error:
            raise TargetError(f"AWS's library cannot {what}: {error}") from None


def split_url(url: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://BUCKET/KEY``."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.lstrip("/")


def write_archive(bundle: Path, target: Path, progress: Progress) -> int:
    """Pack a bundle; SageMaker unpacks it into ``/opt/ml/model``.

    Returns:
        Bytes of the archive.
    """
    paths = sorted(path for path in bundle.rglob("*") if path.is_file())
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for at, path in enumerate(paths):
            progress.progress(at, len(paths), f"Packing {path.name}")
            _add(archive, path, path.relative_to(bundle).as_posix())
    return target.stat().st_size


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mode = 0o644
    with path.open("rb") as content:
        archive.addfile(entry, content)
