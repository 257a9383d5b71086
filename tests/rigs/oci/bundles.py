"""A bundle for registries, as far as they look into it: made without a model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from studio.api import Publication

SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nnot checked here\n-----END SSH SIGNATURE-----\n"


def publication(
    folder: Path, version: int = 1, *, weights: bytes = b"w" * 5000, signed: bool = False
) -> Publication:
    """A bundle with four files, ready to be pushed."""
    contents = {
        "model.onnx": weights,
        "labels.txt": b"zero\none\n",
        "golden/0.npz": b"golden",
        "README.md": b"# Digits\n",
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    manifest = {
        "format": 1,
        "name": "digits",
        "version": version,
        "counter": version,
        "created": f"2026-12-0{version}T10:00:00+00:00",
        "model": {"file": "model.onnx", "format": "onnx", "precision": "fp32"},
        "golden": {},
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in contents.items()
        },
    }
    text = json.dumps(manifest, sort_keys=True).encode()
    (folder / "manifest.json").write_bytes(text)
    if signed:
        (folder / "manifest.json.sig").write_text(SIGNATURE)
    return Publication(folder, hashlib.sha256(text).hexdigest(), manifest, "digits")
