"""A systemctl that writes down what it is asked."""

from __future__ import annotations

from pathlib import Path


class Fake:
    """Notes its arguments, and fails for the verbs that it is told to.

    Attributes:
        shown: What ``show`` prints, a property a line.
    """

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "notes"
        self.failing = folder / "failing"
        self.shown = folder / "shown"
        self.program = folder / "systemctl"
        self.failing.write_text("")
        self.shown.write_text(
            "MainPID=7\nActiveState=active\nUnitFileState=enabled\nResult=success\nNRestarts=2\n"
        )
        self.program.write_text(
            "#!/bin/sh\n"
            f'echo "$@" >> {self.notes}\n'
            f"for verb in $(cat {self.failing}); do\n"
            '  case " $* " in *" $verb "*) echo "no $verb" >&2; exit 1;; esac\n'
            "done\n"
            f'case " $* " in *" show "*) cat {self.shown};; esac\n'
        )
        self.program.chmod(0o755)

    def asked(self) -> list[str]:
        """What it was asked since the last time."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return [line.replace("--no-pager --no-ask-password ", "") for line in lines]
