"""TLS of OCI registries: who is trusted, and that nothing leaves it."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Silent, TargetError
from studio_oci.registry import OciRegistry
from tests.rigs.oci.bundles import publication
from tests.rigs.oci.registry import Handler, Store, digest_of, serving
from tests.rigs.oci.sessions import options

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost with its key, signed by itself."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", "-"]
    done = subprocess.run(make, check=True, timeout=30, capture_output=True)
    with path.open("ab") as file:
        file.write(done.stdout)
    return path


@pytest.fixture
def served(certificate: Path) -> Iterator[tuple[str, Store]]:
    """The port of a registry with TLS, and its store."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as (host, store):
        yield f"oci+https://localhost:{host.rpartition(':')[2]}/models", store


def test_a_trusted_registry(
    served: tuple[str, Store], certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    session = OciRegistry().open(served[0], Silent())
    version = session.push(publication(tmp_path / "bundle"), options(), Silent())
    assert session.pull(version, tmp_path / "out", Silent()).is_dir()


def test_a_registry_that_nothing_vouches_for(served: tuple[str, Store]) -> None:
    with pytest.raises(TargetError, match="cannot be reached") as caught:
        OciRegistry().open(served[0], Silent()).versions("digits")
    assert "SSL_CERT_FILE" in caught.value.hint
    assert served[1].requests == []


def test_a_blob_without_tls_is_not_followed(
    served: tuple[str, Store], certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    session = OciRegistry().open(served[0], Silent())
    version = session.push(publication(tmp_path / "bundle"), options(), Silent())
    digest = digest_of(b"w" * 5000)
    with serving() as (other, store):

        def away(handler: Handler) -> bool:
            fits = digest in handler.path
            if fits:
                handler.reply(307, Location=f"http://{other}/v2/x/blobs/{digest}")
            return fits

        served[1].fault = away
        with pytest.raises(TargetError, match="to a server without TLS"):
            session.pull(version, tmp_path / "out", Silent())
        assert store.requests == []


def test_a_registry_without_tls_where_it_is_wanted(tmp_path: Path) -> None:
    with serving() as (host, store):
        address = f"oci+https://localhost:{host.rpartition(':')[2]}/models"
        with pytest.raises(TargetError, match="cannot be reached") as caught:
            OciRegistry().open(address, Silent()).versions("digits")
        assert "oci+http://" in caught.value.hint
        assert store.logins == []
