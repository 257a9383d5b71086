"""Small wheels and base images for the tests of images."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path


def make_wheel(folder: Path, name: str) -> Path:
    """A wheel with what a server needs, and with what it does not."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    files = {
        f"{name}/__init__.py": "VERSION = 1\n",
        f"{name}/__init__.pyi": "VERSION: int\n",
        f"{name}/tests/test_it.py": "assert False\n",
        f"{name}/core/include/it.h": "int it;\n",
        f"{name}-1.0.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense-Expression: MIT\n"
        ),
        f"{name}-1.0.dist-info/licenses/LICENSE": "As you like.\n",
        f"{name}-1.0.dist-info/RECORD": "",
        f"{name}-1.0.data/scripts/{name}": "#!python\n",
        f"{name}-1.0.data/purelib/{name}/more.py": "MORE = 1\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in files.items():
            archive.writestr(place, text)
    return path


def make_base(path: Path, architecture: str = "") -> Path:
    """A root file system with a Python, or with an architecture an image of it."""
    root = path.with_suffix(".rootfs")
    with tarfile.open(root, "w") as archive:
        for name, target in (("usr/bin/python3", "python3.12"), ("lib64", "usr/lib64")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    if not architecture:
        return root.rename(path)
    layer = root.read_bytes()
    settings = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin"], "Labels": {"vendor": "them"}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    entry = [{"Config": "c.json", "RepoTags": None, "Layers": ["l.tar"]}]
    documents = {"c.json": settings, "manifest.json": entry}
    with tarfile.open(path, "w") as archive:
        for name, content in (
            ("l.tar", layer),
            *((name, json.dumps(value).encode()) for name, value in documents.items()),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path
