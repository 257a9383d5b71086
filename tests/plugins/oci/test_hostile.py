"""Hostile OCI registries: each attempt ends in one sentence, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.api import Silent, StudioError, TargetError
from studio_oci.address import RegistryPlace
from studio_oci.client import OciClient
from studio_oci.registry import OciRegistry
from studio_oci.session import OciSession
from studio_oci.transport.channel import Channel
from studio_oci.transport.logins import Logins
from tests.rigs.oci.bundles import publication
from tests.rigs.oci.registry import Handler, digest_of, serving
from tests.rigs.oci.sessions import Rig, login_file, names, opened, options, pushed

ARTEFACT = "application/vnd.cncf.model.manifest.v1+json"
LAYER = "application/vnd.cncf.model.weight.v1.raw"


def on(part: str, answer: Callable[[Handler], None], method: str = "GET") -> Callable[..., bool]:
    """A fault for the requests whose path has a part."""

    def fault(handler: Handler) -> bool:
        fits = part in handler.path and handler.command == method
        if fits:
            answer(handler)
        return fits

    return fault


def refused(rig: Rig, tmp_path: Path, text: str) -> None:
    """Check that a pull ends in one sentence and that no wrong file is left."""
    session = opened(rig)
    with pytest.raises(StudioError, match=text) as caught:
        session.pull(session.find("digits", version="1"), tmp_path / "out", Silent())
    assert caught.value.message.count("\n") == 0
    assert "model.onnx" not in names(tmp_path / "out")


def test_another_manifest_than_the_digest_says(rig: Rig, tmp_path: Path) -> None:
    version = pushed(rig, tmp_path)
    other = json.dumps({"schemaVersion": 2, "layers": []}).encode()
    rig[1].fault = on("/manifests/sha256:", lambda handler: handler.reply(200, other))
    with pytest.raises(TargetError, match="sent another manifest"):
        opened(rig).pull(version, tmp_path / "out", Silent())


def test_a_digest_that_its_own_manifest_does_not_have(rig: Rig, tmp_path: Path) -> None:
    pushed(rig, tmp_path)
    wrong = f"sha256:{'0' * 64}"
    rig[1].fault = on(
        "/manifests/1", lambda handler: handler.reply(200, b"{}", Docker_Content_Digest=wrong)
    )
    refused(rig, tmp_path, "sent another manifest")


@pytest.mark.parametrize("content", [b"", b"x" * 5000, b"w" * 4999, b"w" * 5001])
def test_another_blob_than_the_digest_says(rig: Rig, tmp_path: Path, content: bytes) -> None:
    pushed(rig, tmp_path)
    digest = digest_of(b"w" * 5000)
    rig[1].fault = on(digest, lambda handler: handler.reply(200, content))
    refused(rig, tmp_path, "sent another content")


def endless(handler: Handler) -> None:
    """An answer that never ends."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass


def test_a_blob_without_end(rig: Rig, tmp_path: Path) -> None:
    pushed(rig, tmp_path)
    rig[1].fault = on(digest_of(b"w" * 5000), endless)
    refused(rig, tmp_path, "sent another content")


@pytest.mark.parametrize("part", ["/manifests/1", "/tags/list", "/referrers/"])
def test_a_document_without_end(rig: Rig, tmp_path: Path, part: str) -> None:
    pushed(rig, tmp_path)
    rig[1].fault = on(part, endless)
    session = opened(rig)
    with pytest.raises(TargetError, match="is too large"):
        session.pull(session.find("digits", version="1"), tmp_path / "out", Silent())


def test_a_document_that_trickles(rig: Rig) -> None:
    def trickle(handler: Handler) -> None:
        handler.close_connection = True

    rig[1].fault = on("/tags/list", trickle)
    place = RegistryPlace.of(f"oci://{rig[0]}/models")
    session = OciSession(place, OciClient(Channel(place, Logins({}), patience_s=0.2)))
    with pytest.raises(TargetError, match=r"cannot be reached|did not answer"):
        session.versions("digits")


def test_a_blob_that_was_forgotten(rig: Rig, tmp_path: Path) -> None:
    pushed(rig, tmp_path)
    del rig[1].blobs["models/digits", digest_of(b"w" * 5000)]
    refused(rig, tmp_path, "has lost the blob")


def test_a_manifest_elsewhere_is_not_followed(rig: Rig, tmp_path: Path) -> None:
    pushed(rig, tmp_path)
    with serving() as other:
        away = f"http://{other[0]}/v2/x/manifests/1"
        rig[1].fault = on("/manifests/1", lambda handler: handler.reply(307, Location=away))
        refused(rig, tmp_path, "where no login may go")
        assert other[1].requests == []


def test_a_blob_elsewhere_gets_no_login(rig: Rig, tmp_path: Path) -> None:
    pushed(rig, tmp_path)
    rig[1].basic = "Basic YW5uOnNlY3JldA=="
    login_file(tmp_path, rig[0])
    digest = digest_of(b"w" * 5000)
    with serving() as other:
        other[1].blobs["x", digest] = b"w" * 5000
        away = f"http://{other[0]}/v2/x/blobs/{digest}"
        rig[1].fault = on(digest, lambda handler: handler.reply(307, Location=away))
        session = opened(rig)
        path = session.pull(session.find("digits"), tmp_path / "out", Silent())
        assert (path / "model.onnx").stat().st_size == 5000
        assert other[1].logins == [""]


def test_redirects_without_end(rig: Rig, tmp_path: Path) -> None:
    pushed(rig, tmp_path)
    digest = digest_of(b"w" * 5000)
    rig[1].fault = on(digest, lambda handler: handler.reply(307, Location=handler.path))
    refused(rig, tmp_path, "refused: HTTP status 307")


def test_an_upload_elsewhere_is_not_followed(rig: Rig, tmp_path: Path) -> None:
    with serving() as other:
        away = f"http://{other[0]}/v2/x/blobs/uploads/1"
        rig[1].fault = on("/uploads/", lambda one: one.reply(202, Location=away), "POST")
        with pytest.raises(TargetError, match="to another server"):
            pushed(rig, tmp_path)
        assert other[1].requests == []


def test_an_upload_without_a_place(rig: Rig, tmp_path: Path) -> None:
    rig[1].fault = on("/uploads/", lambda handler: handler.reply(202), "POST")
    with pytest.raises(TargetError, match="no place for an upload"):
        pushed(rig, tmp_path)


def artefact(rig: Rig, *layers: Any) -> None:
    """Put an artefact with these layers under the tag 1."""
    content = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": ARTEFACT,
            "layers": layers,
        }
    ).encode()
    rig[1].manifests["models/digits", digest_of(content)] = content
    rig[1].media[digest_of(content)] = "application/vnd.oci.image.manifest.v1+json"
    rig[1].tags["models/digits"] = {"1": digest_of(content)}


def layer(name: str, media: str = LAYER, **more: Any) -> dict[str, Any]:
    """A layer of one byte."""
    notes = {"org.cncf.model.filepath": name}
    return {
        "mediaType": media,
        "digest": digest_of(b"x"),
        "size": 1,
        "annotations": notes,
        **more,
    }


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "/etc/x", "a/../../x", "", ".", "a//b", "a\\b", "a\nb", "a\0b", "x" * 300),
        *("manifest.json.sig", "/".join("a" * 20), "golden/.."),
    ],
)
def test_a_name_that_leads_out_of_the_folder(rig: Rig, tmp_path: Path, name: str) -> None:
    rig[1].blobs["models/digits", digest_of(b"x")] = b"x"
    artefact(rig, layer(name))
    refused(rig, tmp_path, "names a file that cannot be fetched")
    assert not (tmp_path / "x").exists()


def test_two_files_of_one_name(rig: Rig, tmp_path: Path) -> None:
    artefact(rig, layer("model.ONNX"), layer("MODEL.onnx"))
    refused(rig, tmp_path, "names a file that cannot be fetched")


def test_a_file_in_the_place_of_a_folder(rig: Rig, tmp_path: Path) -> None:
    rig[1].blobs["models/digits", digest_of(b"x")] = b"x"
    artefact(rig, layer("a"), layer("a/b"))
    refused(rig, tmp_path, "cannot be written")


def test_files_in_archives(rig: Rig, tmp_path: Path) -> None:
    artefact(rig, layer("m", "application/vnd.cncf.model.weight.v1.tar"))
    refused(rig, tmp_path, "has its files in archives")


def test_more_than_the_disk_holds(rig: Rig, tmp_path: Path) -> None:
    artefact(rig, layer("model.onnx", size=1 << 43))
    refused(rig, tmp_path, "of the disk are free")


@pytest.mark.parametrize(
    "wrong",
    [{"size": -1}, {"size": "1"}, {"size": 1 << 60}, {"digest": "md5:1"}, {"digest": 5}],
)
def test_layers_that_cannot_be(rig: Rig, tmp_path: Path, wrong: dict[str, Any]) -> None:
    artefact(rig, layer("model.onnx", **wrong))
    refused(rig, tmp_path, "has a manifest that cannot be read")


@pytest.mark.parametrize("content", [b"", b"[]", b"<html>", b"[" * 100_000, b'{"layers": 3}'])
def test_manifests_that_cannot_be_read(rig: Rig, tmp_path: Path, content: bytes) -> None:
    rig[1].fault = on("/manifests/1", lambda handler: handler.reply(200, content))
    refused(rig, tmp_path, "has a manifest that cannot be read")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"[" * 100_000, b'{"tags": {}}'])
def test_what_is_no_registry(rig: Rig, content: bytes) -> None:
    rig[1].fault = on("/tags/list", lambda handler: handler.reply(200, content))
    if content == b'{"tags": {}}':
        content = b""
    with pytest.raises(StudioError, match=r"is not an OCI registry|has no model"):
        opened(rig).versions("digits")


def test_a_list_without_end(rig: Rig) -> None:
    def more(handler: Handler) -> None:
        start = int(handler.query.get("last", "t0")[1:])
        tags = [f"t{number}" for number in range(start + 1, start + 1001)]
        body = json.dumps({"tags": tags}).encode()
        handler.reply(200, body, Link='</v2/x>; rel="next"')

    rig[1].fault = on("/tags/list", more)
    with pytest.raises(TargetError, match="too many names"):
        opened(rig).versions("digits")


def test_a_signature_of_another_artefact_is_left_out(rig: Rig, tmp_path: Path) -> None:
    session = opened(rig)
    session.push(publication(tmp_path / "1", 1, signed=True), options(), Silent())
    version = session.push(publication(tmp_path / "2", 2), options(), Silent())
    foreign = next(
        digest
        for (_, digest), text in rig[1].manifests.items()
        if "signature" in json.loads(text).get("artifactType", "")
    )
    kind = "application/vnd.edgewright.bundle.signature.v1"
    entry = {"mediaType": "m", "digest": foreign, "size": 1, "artifactType": kind}
    body = json.dumps({"manifests": [entry]}).encode()
    rig[1].fault = on("/referrers/", lambda handler: handler.reply(200, body))
    path = session.pull(version, tmp_path / "out", Silent())
    assert "manifest.json.sig" not in names(path)


def test_a_registry_that_is_away() -> None:
    session = OciRegistry().open("oci://127.0.0.1:1/models", Silent())
    with pytest.raises(TargetError, match="cannot be reached"):
        session.versions("digits")


def test_what_a_registry_says_is_cut(rig: Rig) -> None:
    text = json.dumps({"errors": [{"code": "X", "message": "\x1b[31m" + "y" * 9000}]}).encode()
    rig[1].fault = on("/tags/list", lambda handler: handler.reply(400, text))
    with pytest.raises(TargetError) as caught:
        opened(rig).versions("digits")
    assert len(caught.value.message) < 400
    assert "\x1b" not in caught.value.message
