"""The last lines that a target's server logged, wherever it logs to."""

from __future__ import annotations

from studio.api import Channel, TargetError

SCRIPT = """\
cd "$1" 2>/dev/null || exit 0
if [ -s run/server.log ]; then tail -n "$2" run/server.log; fi
"""


def tail(channel: Channel, root: str, lines: int) -> list[str]:
    """The last lines, the oldest first; empty where nothing was served yet.

    Raises:
        TargetError: when the log cannot be read.
    """
    done = channel.run(["sh", "-c", SCRIPT, "sh", root, str(lines)], timeout=60)
    if done.status:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise TargetError("The server's log cannot be read.", detail=reason)
    return done.text.splitlines()[-lines:]
