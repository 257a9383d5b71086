"""Bundles packaged during a deployment, signed if a key is given."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from pathlib import Path

from studio.jobs import Job
from studio.packages import Bundle
from studio.packages.results import PackageResult
from studio.packages.signing import signature_of, write_signature


def opened(packaged: PackageResult | Path, key: Path | None, job: Job) -> Bundle:
    """Return the given bundle, or the one that packaging made or found; signed with the key.

    Raises:
        StudioError: when the key cannot be used.
    """
    bundle = Bundle.open(packaged if isinstance(packaged, Path) else Path(packaged.bundle))
    if not key or bundle.signature:
        return bundle
    if isinstance(packaged, Path) or not packaged.new:
        return signed_copy(bundle, key, job)
    write_signature(bundle.folder, signature_of(bundle.text.encode(), key))
    return Bundle.open(bundle.folder)


def with_signature(bundle: Bundle, key: Path, _job: Job) -> Bundle:
    """Return a bundle with a signature, of which its folder has no copy."""
    return replace(bundle, signature=signature_of(bundle.text.encode(), key))


def signed_copy(bundle: Bundle, key: Path, job: Job) -> Bundle:
    """Return a signed copy, below the job's folder, of a bundle in a store or a user's folder.

    Raises:
        StudioError: when the key cannot be used.
    """
    text, folder = signature_of(bundle.text.encode(), key), job.folder / "signed"
    shutil.copytree(bundle.folder, folder)
    folder.chmod(folder.stat().st_mode | stat.S_IWUSR)  # the store's are read-only
    write_signature(folder, text)
    return Bundle.open(folder)
