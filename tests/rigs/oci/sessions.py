"""Sessions of the plugin with a registry in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.api import ModelVersion, Silent, validate
from studio_oci.registry import OciRegistry
from studio_oci.session import OciSession
from tests.rigs.oci.bundles import publication
from tests.rigs.oci.registry import Store

Rig = tuple[str, Store]


def opened(rig: Rig, prefix: str = "models") -> OciSession:
    """A session; nothing was asked yet."""
    return OciRegistry().open(f"oci://{rig[0]}/{prefix}", Silent())


def options(**given: Any) -> dict[str, Any]:
    """Checked options of a push."""
    return validate(OciRegistry.options, given)


def pushed(rig: Rig, folder: Path, version: int = 1, /, **given: Any) -> ModelVersion:
    """A bundle that was pushed."""
    one = publication(folder / f"bundle-{version}", version)
    return opened(rig).push(one, options(**given), Silent())


def names(folder: Path) -> set[str]:
    """The files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def login_file(tmp_path: Path, host: str, mode: int = 0o600) -> Path:
    """Docker's file with the login of ann."""
    path = tmp_path / "home" / ".docker" / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {host: {"auth": "YW5uOnNlY3JldA=="}}}))
    path.chmod(mode)
    return path
