"""The licence of a model from a file next to it: recognised, or its first line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.projects.licence import licence_file, licence_in
from studio.settings import resource


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Apache License\n   Version 2.0, January 2004", "Apache-2.0"),
        ("MIT License\n\nCopyright", "MIT"),
        ("Permission is hereby granted, free of charge, to any person", "MIT"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\n  Version 3, 19 November 2007", "AGPL-3.0"),
        ("GNU GENERAL PUBLIC LICENSE\n  Version 2, June 1991", "GPL-2.0"),
        ("BSD 3-Clause License", "BSD"),
        ("Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
        ("For research of ACME only.\nMore", "For research of ACME only. More"),
        ("\n\n", ""),
        ("x" * 500, "x" * 60 + "…"),
        ("a\x1b[31mb\x00", "a[31mb"),
    ],
)
def test_a_licence_is_recognised(text: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text(text)
    assert licence_in(tmp_path / "LICENSE") == name


def test_our_own_is_recognised() -> None:
    assert licence_in(resource("..").resolve() / "LICENSE") == "Apache-2.0"


def test_only_a_file_of_the_folder_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    assert licence_file(folder) is None
    (tmp_path / "secret").write_text("secret")
    (folder / "LICENSE").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "LICENCE")
    (folder / "COPYING").mkdir()
    assert licence_file(folder) is None
    (folder / "license.txt").write_text("MIT License")
    assert licence_file(folder) == folder / "license.txt"
    (folder / "raw").write_bytes(b"\xff\xfe\x00")
    assert licence_in(folder / "raw").isprintable()
    assert licence_in(folder / "gone") == ""
