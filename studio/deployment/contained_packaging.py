"""Bundles that are packaged on the way to a target, signed where a key is named."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from studio.jobs import Job
from studio.packages import Bundle
from studio.packages.results import PackageResult
from studio.packages.signing import signature_of, write_signature


def opened(packaged: PackageResult | Path, key: Path | None, job: Job) -> Bundle:
    """Return the bundle that packaging made or found, or that was given; signed with the key.

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


def signed_copy(bundle: Bundle, key: Path, job: Job) -> Bundle:
    """A copy below the job's folder of a bundle that belongs to somebody else, signed.

    Raises:
        StudioError: when the key cannot be used.
    """
    text, folder = signature_of(bundle.text.encode(), key), job.folder / "signed"
    shutil.copytree(bundle.folder, folder)
    folder.chmod(folder.stat().st_mode | stat.S_IWUSR)  # the store's are read-only
    write_signature(folder, text)
    return Bundle.open(folder)
