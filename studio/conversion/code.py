"""Models that run code as they are read: consent, a sandbox, and an untouched result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from studio.api import Refused
from studio.conversion.step import ConvertOptions
from studio.jobs.sandbox.environment import is_closed
from studio.models.source_formats import SourceFormat


def check_consent(form: SourceFormat, options: ConvertOptions) -> None:
    """Refuse a model that runs code, unless the user allows it and this worker is in a sandbox.

    Raises:
        Refused: with the option that allows it, or what the machine lacks.
    """
    if not form.runs_code:
        return
    name = options.source.name
    if not options.run_code:
        raise Refused(
            f"{name} is {form.title}.",
            hint="The option --run-code runs that code in a sandbox without network.",
        )
    if not is_closed():
        raise Refused(
            f"{name} runs code as it is read, and this machine has no sandbox for it.",
            hint="studio doctor shows what is missing. Install bubblewrap, or turn the setting "
            "sandbox on.",
        )


class Seal:
    """The digests of a converted model, which its source's code might change after the check."""

    def __init__(self, output: Path) -> None:
        self._folder = output.parent
        self._digests = self._now()

    def check(self) -> None:
        """Raise when a file was changed.

        Raises:
            Refused: in one sentence.
        """
        if self._now() != self._digests:
            raise Refused("The converted model was changed while it was compared.")

    def _now(self) -> Mapping[str, str]:
        found = {}
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    found[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
        return found
