"""A model loaded by a runner in an environment, used through files of arrays."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Array, Feeds, InvalidData, InvalidModel, StudioError
from studio.runtime.bench.answers import FirstInference, Loaded
from studio.runtime.bench.config import Candidate
from studio.runtime.bench.errors import CandidateError
from studio.runtime.bench.process import CancelWatch, CandidateProcess

_LOAD_S, _RUN_S = 300.0, 120.0


class RemoteSession:
    """A session whose model is in another process.

    It writes a file for the inputs and one for the outputs of each run, so it is for inspecting
    outputs; what is measured is measured by the bench, inside that process.
    """

    def __init__(self, python: Path, runner: Path, model: Path, options: Mapping[str, Any]) -> None:
        self._name = model.name
        self._folder = Path(tempfile.mkdtemp(prefix="edgewright-session-"))
        candidate = Candidate(model.name, str(model), str(runner), options, str(python))
        try:
            self._process = CandidateProcess(candidate, CancelWatch(None))
            loaded = self._process.call(
                "cannot load", _LOAD_S, Loaded, do="load", model=str(model), runner=str(runner),
                options=dict(options),
            )  # fmt: skip
        except CandidateError as failure:
            self.close()
            raise InvalidModel(f"{model.name} cannot be loaded: {failure.reason}") from None
        self.input_names = tuple(str(each["name"]) for each in loaded.inputs)
        self.output_names = tuple(str(name) for name in loaded.describe.get("outputs", ()))

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Run once.

        Raises:
            InvalidData: when the runtime refuses the arrays or fails on them.
        """
        from studio.runtime.bench.arrays import load_arrays, save_arrays  # numpy comes with it

        if not self._folder.is_dir():
            raise StudioError(f"{self._name} was closed.")
        given, made = self._folder / "feeds.npz", self._folder / "outputs.npz"
        save_arrays(str(given), feeds)
        try:
            request = {"feeds": str(given), "outputs": str(made)}
            self._process.call("cannot run", _RUN_S, FirstInference, do="check", **request)
        except CandidateError as failure:
            raise InvalidData(f"{self._name} cannot be run: {failure.reason}") from None
        found = load_arrays(str(made))
        return {name: found[name] for name in (outputs if outputs is not None else found)}

    def close(self) -> None:
        """End the process."""
        if hasattr(self, "_process"):
            self._process.close()
        shutil.rmtree(self._folder, ignore_errors=True)
