"""Certificates that end in the middle: a sentence, and nothing is lost."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.registry import Registry
from studio.registry.servers.address import SharedAddress, use
from studio.registry.servers.oci import OciRepository
from studio.registry.servers.s3 import Bucket
from tests.integration.registry.conftest import missing
from tests.rigs import postgres as postgres_rig
from tests.rigs import s3 as s3_rig
from tests.rigs.postgres import PostgresServer
from tests.rigs.pull.tls import certificate
from tests.rigs.s3 import BUCKET

ENDED = "certificate of the {} has ended, or is not trusted"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)


class Papers:
    """A certificate that is valid, one that has ended, and the trust in both."""

    def __init__(self, folder: Path) -> None:
        self.valid = certificate(folder / "valid.pem")
        self.ended = certificate(folder / "ended.pem", days=-1)
        self.trusted = folder / "trusted.pem"
        both = (_CERTIFICATE.findall(one.read_text())[0] for one in (self.valid, self.ended))
        self.trusted.write_text("".join(both))


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    """The certificates of a test."""
    return Papers(tmp_path)


@pytest.fixture
def secured(
    rigs: Path, driver_folder: Path, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresServer]:
    """A server of its own, with TLS."""
    programs = postgres_rig.programs(rigs)
    if programs is None:
        missing(postgres_rig.NEEDED)
    with (
        postgres_rig.public_folder() as folder,
        postgres_rig.running(programs, folder / "cluster") as server,
    ):
        server.show(papers.valid)
        monkeypatch.setenv("PGPASSFILE", str(server.passfile))
        yield server


def open_registry(folder: Path, server: PostgresServer, *parameters: str) -> Registry:
    """Open a registry on a server whose certificate is checked."""
    (folder / "blobs").mkdir()
    words = "&".join(("sslmode=verify-full", *parameters))
    address = server.address().replace("127.0.0.1", "localhost")
    use(folder / "registry", SharedAddress.of(f"{address}?{words}", str(folder / "blobs")))
    return Registry.open(folder / "registry")


def disconnect(server: PostgresServer) -> None:
    """Break the connections of all studios, as a network does."""
    ours = "application_name LIKE 'edgewright%'"
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")


def digests(registry: Registry) -> list[str]:
    """Return the releases of the one target, the oldest first."""
    return [one.digest for one in registry.releases("pi")][::-1]


def test_the_certificate_of_the_database_ends(
    secured: PostgresServer, papers: Papers, tmp_path: Path
) -> None:
    registry = open_registry(tmp_path, secured, f"sslrootcert={papers.trusted}")
    registry.add_release("pi", None, "before", "serving", {})
    secured.show(papers.ended)
    registry.add_release("pi", None, "on the open connection", "serving", {})
    disconnect(secured)
    with pytest.raises(StudioError, match=ENDED.format("database server")):
        registry.add_release("pi", None, "lost", "serving", {})
    secured.show(papers.valid)
    registry.add_release("pi", None, "after", "serving", {})
    assert digests(registry) == ["before", "on the open connection", "after"]
    registry.close()


def test_the_certificate_of_a_studio_ends(
    secured: PostgresServer, papers: Papers, tmp_path: Path
) -> None:
    own = tmp_path / "own.pem"
    own.write_bytes(papers.valid.read_bytes())
    own.chmod(0o600)
    secured.trust(papers.trusted, "postgres")
    given = (f"sslrootcert={papers.trusted}", f"sslcert={own}", f"sslkey={own}")
    registry = open_registry(tmp_path, secured, *given)
    registry.add_release("pi", None, "before", "serving", {})
    own.write_bytes(papers.ended.read_bytes())
    disconnect(secured)
    with pytest.raises(StudioError, match="refused your certificate, which may have ended"):
        registry.add_release("pi", None, "lost", "serving", {})
    own.write_bytes(papers.valid.read_bytes())
    registry.add_release("pi", None, "after", "serving", {})
    assert digests(registry) == ["before", "after"]
    registry.close()


def test_the_certificate_of_the_bucket_ends(
    rigs: Path, papers: Papers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rclone = s3_rig.program(rigs)
    if rclone is None:
        missing(s3_rig.NEEDED)
    file = tmp_path / "model.onnx"
    file.write_bytes(b"weights")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(papers.trusted))
    server = s3_rig.ObjectServer(rclone, tmp_path / "s3")
    server.shown = papers.valid
    place = Bucket(f"s3://{BUCKET}", server.endpoint)
    server.start()
    try:
        place.put("files/one", file)
        server.stop()
        server.shown = papers.ended
        server.start()
        with pytest.raises(StudioError, match=ENDED.format("shared store")):
            place.put("files/two", file)
        server.stop()
        server.shown = papers.valid
        server.start()
        place.put("files/two", file)
        assert place.has("files/one")
        assert place.has("files/two")
    finally:
        server.stop()


@pytest.fixture
def ended_host(papers: Papers) -> Iterator[str]:
    """A host, other than the loopback's own, that shows a certificate which has ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.ended)
    listener = socket.create_server(("127.0.0.2", 0))

    def answer() -> None:
        while True:
            try:
                one, _address = listener.accept()
            except OSError:  # closed at the end
                return
            with one:
                try:
                    context.wrap_socket(one, server_side=True).close()
                except OSError:
                    continue  # the client has gone, as it should

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"127.0.0.2:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_the_certificate_of_the_oci_registry_has_ended(
    ended_host: str, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(papers.trusted))
    with pytest.raises(StudioError, match=ENDED.format("shared store")):
        OciRepository(f"oci://{ended_host}/models").require()
