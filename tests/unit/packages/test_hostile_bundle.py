"""Bundles of a stranger: signatures that lead elsewhere, manifests that lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.packages.bundle import Bundle
from studio.runtime.shared import manifest
from studio.runtime.shared.errors import ReleaseError
from tests.rigs.bundles import make_bundle


@pytest.mark.parametrize(
    "plant",
    [
        lambda path, secret: path.symlink_to(secret),
        lambda path, secret: path.symlink_to("/dev/zero"),
        lambda path, secret: os.mkfifo(path),
        lambda path, secret: path.write_bytes(bytes(2 << 20)),
        lambda path, secret: path.mkdir(),
    ],
    ids=["link", "device", "pipe", "large", "folder"],
)
def test_no_signature_is_read_through_a_link_or_waited_for(
    tmp_path: Path, plant: Callable[[Path, Path], object]
) -> None:
    (tmp_path / "secret").write_text("a secret")
    folder = make_bundle(tmp_path / "bundle").folder
    plant(folder / manifest.SIGNATURE, tmp_path / "secret")
    with pytest.raises(StudioError, match="signature cannot be read"):
        Bundle.open(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" * 200_000, "it is not valid JSON"),
        (b"\xff", "it is not valid JSON"),
        (b"[]", "a value in it has a wrong type or size"),
        (b"{}", "it lacks the key 'format'"),
        (b'{"format": 1, "name": [], "version": "x"}', "a value in it has a wrong type or size"),
        (bytes(17 << 20), "it is too large"),
    ],
)
def test_a_damaged_manifest_is_described_in_words(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / manifest.NAME).write_bytes(content)
    with pytest.raises(ReleaseError, match=reason):
        manifest.read(tmp_path)
