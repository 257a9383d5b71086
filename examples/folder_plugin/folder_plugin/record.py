"""What was deployed to a folder: one JSON file in it, so that two studios see the same."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from studio.api import PlatformRelease, TargetError


@dataclass
class Record:
    """The releases of a folder.

    Attributes:
        releases: By digest, in the order in which they were served last.
        serving: Digest of the one that serves; empty for none.
        server: Its ``pid``, ``started`` (see ``server.started``) and ``port``.
        starting: The server of a release that is not served yet, to be ended if nobody does.
    """

    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    serving: str = ""
    server: dict[str, Any] = field(default_factory=dict)
    starting: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record of a folder; an empty one where there is none."""
        try:
            return cls(**json.loads((folder / "record.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError) as error:
            raise TargetError(f"The record in {folder} cannot be read: {error}.") from None

    def write(self, folder: Path) -> None:
        """Write it whole or not at all."""
        new = folder / "record.json.new"
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump(asdict(self), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(folder / "record.json")
        except OSError as error:
            raise TargetError(f"{folder} cannot be written: {error.strerror}.") from None

    def serve(self, digest: str, server: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Note that a release serves from now on."""
        known = self.releases.pop(digest, {})
        self.releases[digest] = {**known, **facts}
        self.serving, self.server, self.starting = digest, dict(server), {}

    def rows(self) -> list[PlatformRelease]:
        """The releases as the studio lists them, the newest first."""
        return [
            PlatformRelease(
                release=digest,
                name=facts["name"],
                version=facts["version"],
                state="serving" if digest == self.serving else "replaced",
                traffic=100 if digest == self.serving else 0,
                at=facts["at"],
                by=facts["by"],
            )
            for digest, facts in reversed(self.releases.items())
        ]
