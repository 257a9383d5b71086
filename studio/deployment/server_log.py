"""The last lines that a target's server logged, wherever it logs to."""

from __future__ import annotations

from studio.api import Channel, TargetError

SCRIPT = """\
cd "$1" 2>/dev/null || exit 0
for one in run/server.log.1 run/server.log; do
  if [ -s "$one" ]; then tail -n "$2" "$one" || exit 1; fi
done
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
