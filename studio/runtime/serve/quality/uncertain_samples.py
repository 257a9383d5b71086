"""Samples of the least certain requests, stored for labelling where that is allowed.

A request pays for one read of a clock, and some a second for a copy of one row. All else is done
by a thread of low priority, and a full or slow disk delays only that thread.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import (
    Callable,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
)

import numpy as np

from ...backends.failure import first_line
from ...shared.sampling_config import SamplingConfig, sampling_for
from ...shared.threads import guarded_thread, yield_to_requests
from ..engine.observer import RequestSampler
from ..engine.served_model import ServedModel
from ..outputs.uncertainty import Uncertainty
from .first_row import Arrays, first_row, takes_rows

PERIOD_S = 86_400.0
"""Samples of an earlier day give way to those of this one, whatever they are."""
EVERY_S = 0.1
"""From one request that is looked at to the next."""
APART_S = 1.0
"""From one that is kept to the next: neighbours in a film say the same."""
LARGEST = 16 << 20
"""Bytes of a request, and of its answer, that are larger than all that is worth a copy."""
_SMALL = 1 << 16
"""Bytes of an output that is kept beside the inputs; tables of all places are not."""
_STRANGE = 20
"""Answers that tell no doubt, one after the other, after which no other is waited for."""
_NAMED_S = 0.02
"""In which the id of the request is heard, if it had one."""
_NO_DOUBT = (
    "No output of this model is one of classes, of boxes with scores, or a map of likelihoods, so "
    "nothing tells doubt."
)
_SUFFIX = ".npz"
_PART = ".part"
_NICE = 15


class StoredSample(NamedTuple):
    """Sample on the disk; its name contains all facts, so that a restart finds it again."""

    period: int
    doubt: float
    size: int
    name: str

    @classmethod
    def of(cls, path: Path) -> Optional[StoredSample]:
        """Read it from a file's name; return None for other files."""
        parts = path.name[: -len(_SUFFIX)].split("-") if path.name.endswith(_SUFFIX) else []
        try:
            period, doubt = int(parts[0], 10), int(parts[1], 10) / 1e4
            return cls(period, doubt, path.stat().st_size, path.name)
        except (IndexError, ValueError, OSError):
            return None


class SampleStore:
    """Folder with a limited number of samples and bytes.

    Attributes:
        kept: Those that are there.
        dropped: That gave way to others since the start.
    """

    def __init__(self, folder: Path, most: int, size: int) -> None:
        self._folder = folder
        self._most, self._size = most, size
        self.dropped = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(str(folder), 0o700)
        for path in folder.glob("*" + _PART):
            path.unlink()
        self.kept = self._there()
        self.period = max((one.period for one in self.kept), default=0)

    def _there(self) -> List[StoredSample]:
        found = (StoredSample.of(path) for path in self._folder.iterdir())
        return [one for one in found if one is not None]

    @property
    def bytes(self) -> int:
        """Of all samples."""
        return sum(one.size for one in self.kept)

    def wants(self, doubt: float) -> bool:
        """Return whether a sample would be kept."""
        if len(self.kept) < self._most:
            return True
        first = min(self.kept)
        return first.period < self.period or doubt > first.doubt

    def add(self, doubt: float, identifier: str, arrays: Mapping[str, np.ndarray]) -> bool:
        """Keep a sample, and let older or more certain ones go; False where it does not fit.

        Raises:
            OSError: when the disk takes none.
        """
        size = sum(array.nbytes for array in arrays.values()) + 4096
        leaving, count, held = [], len(self.kept), self.bytes
        for first in sorted(self.kept):
            if count < self._most and held + size <= self._size:
                break
            if first.period == self.period and first.doubt >= doubt:
                return False
            leaving.append(first)
            count, held = count - 1, held - first.size
        if held + size > self._size:
            return False  # so nothing gives way in vain
        for first in leaving:
            self._remove(first)
        digest = hashlib.sha256(identifier.encode("utf-8", "replace")).hexdigest()[:16]
        name = "{:06d}-{:05d}-{}{}".format(self.period, int(1e4 * doubt), digest, _SUFFIX)
        path = self._folder / name
        part = self._folder / (name + _PART)
        try:
            descriptor = os.open(str(part), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type, unused-ignore]
            os.replace(str(part), str(path))
        except OSError:
            part.unlink() if part.exists() else None
            raise
        self.kept = [one for one in self.kept if one.name != name]
        self.kept.append(StoredSample(self.period, doubt, path.stat().st_size, name))
        return True

    def _remove(self, one: StoredSample) -> None:
        path = self._folder / one.name
        if path.exists():
            path.unlink()
        self.kept.remove(one)
        self.dropped += 1

    def refresh(self) -> None:
        """List the folder again: the studio may have fetched and deleted samples."""
        self.kept = self._there()


class Sampler:
    """Looks at some of the requests of one served model, and keeps the least certain.

    Args:
        clock: Seconds that never go back.

    Attributes:
        fault: Why nothing is kept; empty while something may be.
    """

    def __init__(
        self,
        model: ServedModel,
        wish: SamplingConfig,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wish = wish
        self.fault = ""
        self.looked = 0
        self._model = model
        self._folder = folder
        self._clock = clock
        self._store: Optional[SampleStore] = None
        self._doubt = Uncertainty()
        self._in_rows = takes_rows(model.session)
        self._strange = 0
        self._next = clock()
        self._sample: Optional[Tuple[Arrays, Arrays]] = None
        self._seen: Optional[Mapping[str, np.ndarray]] = None
        self._name = ""
        self._lost = ""
        self._came = threading.Event()
        self._ended = False
        self._thread = guarded_thread("samples", self._work, self._failed, lasts=False)
        self._thread.start()

    # In the path of a request

    def observe(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        """Take a copy of a request's first row, when it is its turn; never fails, never waits."""
        now = self._clock()
        if now < self._next or self._sample is not None or self.fault:
            return
        self._next = now + EVERY_S
        for arrays in (inputs, outputs):
            size = sum(array.nbytes for array in arrays.values())
            if size > LARGEST:
                self._lost = "Requests or answers of {:.0f} MB are not kept.".format(size / 1e6)
                return
        try:
            copied = first_row(inputs, outputs, self._in_rows)
        except MemoryError:
            return
        if copied is not None:
            self._name = ""
            self._seen = inputs
            self._sample = copied
            self._came.set()

    def named(self, identifier: str, inputs: Mapping[str, np.ndarray]) -> None:
        """The request that was just seen has this id: labels will come under it."""
        if self._seen is inputs:
            self._name = identifier

    # On the thread of the sampler

    def end(self) -> None:
        """Stop storing samples; the stored ones stay until they are deleted."""
        self._ended = True
        self._came.set()

    def _work(self) -> None:
        yield_to_requests(_NICE)
        try:
            self._store = store = SampleStore(self._folder, self.wish.most, self.wish.room)
            began, apart = self._clock(), -APART_S
            while True:
                self._came.wait()
                self._came.clear()
                if self._ended:
                    return
                time.sleep(_NAMED_S)
                sample, self._seen = self._sample, None
                now = self._clock()
                if now - began >= PERIOD_S:
                    began = now
                    store.period += 1
                if (
                    sample is not None
                    and now - apart >= APART_S
                    and self._add_sample(store, self._name, *sample)
                ):
                    apart = now
                self._sample = None
        except OSError as error:
            self.fault = "Samples cannot be kept: {}.".format(error.strerror or error)
        finally:
            self._sample = None

    def _failed(self, error: BaseException) -> None:
        self.fault = "Samples are not kept any more: {}".format(first_line(error))

    def _add_sample(
        self, store: SampleStore, identifier: str, inputs: Arrays, outputs: Arrays
    ) -> bool:
        self.looked += 1
        doubt = self._doubt.of(outputs)
        if doubt is None:
            self._strange += 1
            if self._strange >= _STRANGE:
                self.fault = _NO_DOUBT
            return False
        self._strange = 0
        store.refresh()
        if not store.wants(doubt):
            return False
        name = identifier or _identifier(inputs)
        facts = {
            "id": name,
            "doubt": round(doubt, 4),
            "kind": self._doubt.kind,
            "at": round(time.time(), 3),
            "model": self._model.name,
            "version": self._model.version,
            "digest": self._model.source.digest,
        }
        arrays = {"in." + key: array for key, array in inputs.items() if array.dtype != object}
        small = (key for key, a in outputs.items() if a.dtype != object and a.nbytes <= _SMALL)
        arrays.update({"out." + key: outputs[key] for key in small})
        arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        try:
            done = store.add(doubt, name, arrays)
        except OSError as error:
            # A disk that is full now may have room later.
            self._next = self._clock() + 60.0
            self._lost = "Samples were lost: {}.".format(error.strerror or error)
            return False
        if done and not identifier:
            self._model.answers.store(name, list(outputs.values()))
        return done

    def status(self) -> Dict[str, object]:
        """How many are kept, as plain data."""
        store = self._store
        return {
            "kept": 0 if store is None else len(store.kept),
            "bytes": 0 if store is None else store.bytes,
            "most": self.wish.most,
            "most_bytes": self.wish.room,
            "looked": self.looked,
            "kind": self._doubt.kind,
            "fault": self.fault or self._lost,
        }


def _identifier(inputs: Arrays) -> str:
    """Return a name for a request without an id: a hash, the same for the same content."""
    digest = hashlib.sha256()
    for name in sorted(inputs):
        digest.update(np.ascontiguousarray(inputs[name]).tobytes())
    return "sample-" + digest.hexdigest()[:16]


def follow_samples(model: ServedModel) -> Optional[RequestSampler]:
    """Start, continue or end the storing of samples, as the file allows now."""
    found = sampling_for(model.source.path, model.source.digest)
    sampler = model.sampler
    if sampler is not None and (found is None or found[0] != sampler.wish):
        sampler.end()
        model.session.sampler = model.sampler = sampler = None
    if sampler is None and found is not None:
        model.session.sampler = model.sampler = sampler = Sampler(model, *found)
    return sampler
