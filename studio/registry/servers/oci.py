"""A repository of an OCI registry as the common place of files.

Each file is a blob, and the only layer of a manifest whose tag is the key. So a registry that
removes blobs without a manifest keeps it (OCI distribution specification 1.1).
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from studio.api import StudioError

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_ARTIFACT = "application/vnd.edgewright.registry.file.v1"
_EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_TIMEOUT_S = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ABSENT = 404
_REFUSED = (401, 403)
_FULL = (413, 507)


class OciRepository:
    """A repository, with the login that ``docker login`` has stored.

    Args:
        address: ``oci://HOST:PORT/REPOSITORY``; without TLS on the loopback alone.
    """

    def __init__(self, address: str) -> None:
        parts = urllib.parse.urlsplit(address)
        scheme = "http" if parts.hostname in _LOOPBACK else "https"
        self._address = address
        self._base = f"{scheme}://{parts.netloc}/v2/{parts.path.strip('/')}"
        self._root = f"{scheme}://{parts.netloc}/v2/"
        self._login = _login_of(parts.netloc)
        self._opener = urllib.request.build_opener(_OwnHostAlone)

    def require(self) -> None:
        """Ask for the registry; a repository begins with its first file."""
        with self._asked("GET", self._root):
            pass

    def has(self, key: str) -> bool:
        """Return whether an object exists."""
        found = self._found("HEAD", f"{self._base}/manifests/{_tag(key)}", {"Accept": _MANIFEST})
        if found is not None:
            found.close()
        return found is not None

    def put(self, key: str, source: Path) -> None:
        """Store a file as a blob, then the manifest that names it."""
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._push_blob(digest, source if _size(source) else b"")
        self._push_blob(hashlib.sha256(_EMPTY).hexdigest(), _EMPTY)
        layer = {"mediaType": _ARTIFACT, "digest": f"sha256:{digest}", "size": _size(source)}
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "artifactType": _ARTIFACT,
            "config": {
                "mediaType": _EMPTY_TYPE,
                "digest": f"sha256:{hashlib.sha256(_EMPTY).hexdigest()}",
                "size": len(_EMPTY),
            },
            "layers": [layer],
        }
        where, text = f"{self._base}/manifests/{_tag(key)}", json.dumps(manifest).encode()
        with self._asked("PUT", where, {"Content-Type": _MANIFEST}, text):
            pass

    def get(self, key: str, target: Path) -> bool:
        """Write an object to a new file; return False if it does not exist."""
        if not self.has(key):
            return False
        found = self._found("GET", f"{self._base}/blobs/sha256:{key.rpartition('/')[2]}")
        if found is None:
            return False
        with found, target.open("wb") as file:
            shutil.copyfileobj(found, file, 1 << 20)
        return True

    def describe(self) -> str:
        """Return its address, for people."""
        return self._address

    def _push_blob(self, digest: str, source: Path | bytes) -> None:
        found = self._found("HEAD", f"{self._base}/blobs/sha256:{digest}")
        if found is not None:
            found.close()
            return
        with self._asked("POST", f"{self._base}/blobs/uploads/", data=b"") as begun:
            place = urllib.parse.urljoin(self._base, begun.headers["Location"])
        where = f"{place}{'&' if '?' in place else '?'}digest=sha256:{digest}"
        headers = {"Content-Type": "application/octet-stream"}
        if isinstance(source, bytes):
            with self._asked("PUT", where, headers, source):
                return
        with source.open("rb") as file:
            sized = {**headers, "Content-Length": str(_size(source))}
            with self._asked("PUT", where, sized, file):
                pass

    def _found(
        self, method: str, url: str, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse | None:
        """Return an answer; None for something that does not exist."""
        with self._errors_reported():
            try:
                return self._open(method, url, headers or {}, None)
            except urllib.error.HTTPError as error:
                if error.code == _ABSENT:
                    error.close()
                    return None
                raise

    @contextmanager
    def _asked(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        data: bytes | IO[bytes] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        with self._errors_reported(), self._open(method, url, headers or {}, data) as answer:
            yield answer

    def _open(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | IO[bytes] | None
    ) -> http.client.HTTPResponse:
        login = {"Authorization": self._login} if self._login else {}
        request = urllib.request.Request(
            url, data=data, headers={**headers, **login}, method=method
        )
        answer: http.client.HTTPResponse = self._opener.open(request, timeout=_TIMEOUT_S)
        return answer

    @contextmanager
    def _errors_reported(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.HTTPError as error:
            raise self._sentence(error.code, str(error)) from None
        except OSError as error:
            raise self._sentence(0, str(error)) from None

    def _sentence(self, code: int, detail: str) -> StudioError:
        if code in _REFUSED:
            hint = "Log in with: docker login, or look at the repository's permissions."
            return StudioError("The shared store refused the login.", hint=hint, detail=detail)
        if code in _FULL:
            hint = "Free space there, then try again."
            return StudioError("The shared store is full.", hint=hint, detail=detail)
        if "CERTIFICATE_VERIFY_FAILED" in detail:
            text = "The certificate of the shared store has ended, or is not trusted."
            hint = "Its owner renews it. SSL_CERT_FILE names a file with authorities."
            return StudioError(text, hint=hint, detail=detail)
        return StudioError(
            f"The shared store {self._address} cannot be reached.",
            hint="Check the network and the address: studio registry use",
            detail=detail,
        )


class _OwnHostAlone(urllib.request.HTTPRedirectHandler):
    """Redirects that hand the login to no other host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the next request, without the login where the host differs."""
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is not None and found.host != req.host:
            found.remove_header("Authorization")
        return found


def _tag(key: str) -> str:
    return key.replace("/", "-")


def _size(path: Path) -> int:
    return path.stat().st_size


def _login_of(host: str) -> str:
    """Return the header of the login that ``docker login`` has stored; empty without one."""
    try:
        text = (Path.home() / ".docker" / "config.json").read_text(encoding="utf-8")
        known = str(json.loads(text)["auths"][host]["auth"])
        base64.b64decode(known, validate=True)
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f"Basic {known}"
