"""VERIFY and STAGE: assembly of a release's folder from blobs, its check and installation."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ...shared import manifest
from ...shared.errors import ReleaseError
from ...shared.files import digest_of, link_or_copy, remove, sync, write_atomically
from ...shared.manifest import Manifest
from ...shared.records import read
from ..board import Board
from ..runtime_parts import check_parts
from ..store import state
from ..store.latest_releases import check_unused, is_older, order_of, reason_of
from ..store.layout import MARKER, Layout


class StageRequest(NamedTuple):
    """Release that is to be staged.

    Attributes:
        manifest: Text of its manifest.
        runtime: SHA-256 of the zip application.
        signature: SSHSIG of the manifest; empty if unsigned.
        env: Digest of an environment; empty where ``python`` has all.
        python: An interpreter that has all.
        replace: Whether it may replace another model; earlier studios do not send it.
    """

    manifest: str
    runtime: str
    signature: str = ""
    env: str = ""
    python: str = ""
    replace: bool = True


class DowngradeOrder(NamedTuple):
    """Reason for an older release, and its signature for targets that require one."""

    downgrade: str = ""
    order: str = ""


def stage(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Stage a release next to the existing ones; the served release does not change.

    Args:
        request: A ``StageRequest`` and a ``DowngradeOrder`` in JSON form.

    Raises:
        ReleaseError: when a file is missing or altered, the counter goes back, another model is
            served, or no signer that the target trusts has signed it.
    """
    layout, asked = board.layout, read(StageRequest, request)
    content = asked.manifest.encode()
    what = manifest.parse(content)
    board.save(board.state.at(state.VERIFY, what.digest))
    check_counter(board, what, request)
    check_model(board, what, replace=asked.replace)
    signature = asked.signature
    signer = _signer(layout, content, signature)
    binding = _binding(board, asked)
    check_parts(layout, asked.runtime, what)
    board.save(board.state.at(state.STAGE, what.digest))
    final = layout.release(what.digest)
    if not final.is_dir():
        _assemble(board, what, content, final)
    else:
        _repair(board, what, content, final)
    if signature:
        write_atomically(final / manifest.SIGNATURE, signature.encode("utf-8"))
    write_atomically(layout.binding(what.digest), json.dumps(binding, sort_keys=True).encode())
    board.save(board.state.at(state.IDLE, what.digest))
    return {
        "release": what.digest,
        "version": what.version,
        "name": what.name,
        "signer": signer,
    }


def check_counter(board: Board, what: Manifest, request: Mapping[str, object]) -> str:
    """Return the reason for going back to an older release; empty for a newer one.

    Raises:
        ReleaseError: when it precedes the last release of its model here without a reason.
            Where the target requires signatures, also without a signed order.
    """
    now = board.state
    if not is_older(now.lines, what.name, what.counter, what.digest):
        return ""
    order = read(DowngradeOrder, request)
    reason = reason_of(order.downgrade)
    if reason:
        _check_order(board, what, reason, order.order)
        return reason
    raise ReleaseError(
        "counter-back",
        "Version {} of {} is older than the last release on this target (counter {} "
        "after {}).".format(what.version, what.name, what.counter, now.lines[what.name].counter),
        'To downgrade, pass --downgrade "REASON". The history stores the reason.',
    )


def _check_order(board: Board, what: Manifest, reason: str, signature: str) -> None:
    if board.layout.allowed_signers() is None:
        return
    from .signature import check_downgrade

    order = order_of(board.state.lines, what.name, what.digest, reason)
    check_downgrade(board.layout, order, signature)
    check_unused(board.state.lines, what.name, order)


def check_model(board: Board, what: Manifest, *, replace: bool) -> None:
    """Raise ReleaseError if another model is served and must not be replaced.

    The studio has checked before; another operator may have deployed since.
    """
    if replace or not board.state.current:
        return
    served = board.manifest(board.state.current).name
    if served != what.name:
        raise ReleaseError(
            "another-model",
            "This target already serves {}, not {}.".format(served, what.name),
            "Serve both with --endpoint NAME, or replace the model with --replace.",
        )


def _signer(layout: Layout, content: bytes, signature: str) -> str:
    if layout.allowed_signers() is None:
        return ""
    from .signature import check

    return check(layout, content, signature)


def _binding(board: Board, asked: StageRequest) -> dict[str, str]:
    layout = board.layout
    runtime = layout.runtime(asked.runtime)
    if not runtime.is_file() or digest_of(runtime) != asked.runtime:
        raise ReleaseError("no-runtime", "The studio's runtime on this target is damaged.")
    if not asked.env:
        return {"runtime": runtime.name, "env": "", "python": asked.python}
    from . import environment

    folder = layout.environment(asked.env)
    if not (folder / MARKER).is_file():
        raise ReleaseError("no-environment", "The Python environment of this release is missing.")
    python = environment.interpreter(folder).relative_to(layout.root)
    return {"runtime": runtime.name, "env": folder.name, "python": str(python)}


def _assemble(board: Board, what: Manifest, content: bytes, final: Path) -> None:
    aside = final.with_name(final.name + ".tmp")
    remove(aside)
    try:
        aside.mkdir()
        for entry in what.files:
            _place(board, entry, aside)
        write_atomically(aside / manifest.NAME, content)
        _sync_folders(aside)
        os.replace(str(aside), str(final))
        sync(final.parent)
    finally:
        remove(aside)


def _repair(board: Board, what: Manifest, content: bytes, folder: Path) -> None:
    """Repair a present release to match its manifest, file by file.

    Each file changes whole, so that this may be the release that is served.
    """
    mended = []
    for entry in what.files:
        try:
            manifest.verify_file(folder / entry.name, entry)
        except ReleaseError:
            aside = folder / ".{}.tmp".format(entry.digest)
            remove(aside)
            _place(board, entry._replace(name=aside.name), folder)
            (folder / entry.name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(str(aside), str(folder / entry.name))
            mended.append(entry.name)
    if digest_of(folder / manifest.NAME) != what.digest:
        write_atomically(folder / manifest.NAME, content)
        mended.append(manifest.NAME)
    for name in manifest.foreign(folder, what):
        remove(folder / name)
        mended.append(name)
    if mended:
        _sync_folders(folder)
        board.journal.append("repaired", release=what.digest, files=mended, owner=board.owner)


def _place(board: Board, entry: manifest.ManifestFile, folder: Path) -> None:
    blob = board.layout.blob(entry.digest)
    if not blob.is_file():
        raise ReleaseError("not-received", "The file {} has not arrived.".format(entry.name))
    target = folder / entry.name
    target.parent.mkdir(parents=True, exist_ok=True)
    link_or_copy(blob, target)
    try:
        manifest.verify_file(target, entry)
    except ReleaseError:
        remove(blob)  # so that the repeated deploy sends it again
        raise


def _sync_folders(folder: Path) -> None:
    for base, _, _ in os.walk(str(folder)):
        sync(Path(base))
