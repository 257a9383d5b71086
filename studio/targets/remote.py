"""Work on a target within a job: its interpreter, a temporary folder, and output of commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from studio.api import Channel, Connector, Extension, TargetError, TargetSpec, Unavailable
from studio.plugin_host import PluginHost
from studio.runtime.backends.catalog import ONNX_RUNTIME, ServingBackend
from studio.runtime.release.store.layout import ENDPOINTS
from studio.settings.interpreter import FIRST

_FIND_ROOT = 'd=$1; case "$d" in "~") d=$HOME;; "~/"*) d=$HOME/${d#"~/"};; esac; printf %s "$d"'
_FIND_PYTHONS = (
    f'ls -d "$1"/env/*/bin/python3 "$1"/{ENDPOINTS}/*/env/*/bin/python3 2>/dev/null; '
    "command -v python3"
)
_PROBE = f"""
{FIRST}
import importlib.util
lacking = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
if sys.version_info < (3, 8):
    print("is %d.%d, and 3.8 is needed" % tuple(sys.version_info[:2]))
elif lacking:
    print("lacks " + " and ".join(lacking))
"""


def connector_for(host: PluginHost, target: TargetSpec) -> Connector:
    """Return the connector for a target's URL.

    Raises:
        Unavailable: when no plugin has one.
    """
    scheme = target.url.partition(":")[0]
    capability = host.answering(scheme)
    if capability is None or capability.extension is not Extension.TARGET:
        raise Unavailable(f"No plugin connects to {scheme} targets.")
    connector: Connector = host.create(capability)
    return connector


def root_of(channel: Channel, connector: Connector, target: TargetSpec) -> str:
    """Return the absolute path of the studio's folder on a target."""
    return absolute(channel, connector.default_root(target))


def absolute(channel: Channel, root: str) -> str:
    """Return a path on the target with ``~`` replaced by its home folder."""
    return check_output(channel, ["sh", "-c", _FIND_ROOT, "sh", root])


def find_python(channel: Channel, root: str, backend: ServingBackend = ONNX_RUNTIME) -> str:
    """Return an interpreter with numpy and a backend: of a release, or the target's own.

    Raises:
        TargetError: when no interpreter has them, with the missing packages.
    """
    listed = channel.run(["sh", "-c", _FIND_PYTHONS, "sh", root]).text.split("\n")
    pythons = [line.strip() for line in listed if line.strip()]
    lacking = ""
    for python in pythons:
        answer = channel.run([python, "-c", _PROBE, "numpy", backend.module])
        lacking = answer.text.strip()
        if answer.status == 0 and not lacking:
            return python
    if not pythons:
        raise TargetError(
            "The target has no python3.", hint="Install it on the target: apt install python3"
        )
    raise TargetError(
        f"The target cannot run the benchmark: its python3 {lacking or 'does not start'}.",
        hint=f"Deploy a model that {backend.title} serves to the target once, or install "
        f"{backend.distribution} with pip there.",
    )


@contextmanager
def folder_on(channel: Channel, folder: str) -> Iterator[None]:
    """Create a folder on the target, and remove it at the end if the connection is alive."""
    check_output(channel, ["mkdir", "-p", folder])
    try:
        yield
    finally:
        with suppress(TargetError):
            channel.run(["rm", "-rf", folder], timeout=30)


def check_output(channel: Channel, argv: Sequence[str]) -> str:
    """Run a command, and return its output.

    Raises:
        TargetError: when it fails, with its error message.
    """
    done = channel.run(argv)
    if done.status:
        complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = complaint[-1] if complaint else f"{argv[0]} failed with status {done.status}"
        raise TargetError(f"The target refused: {reason.rstrip('.')}.")
    return done.text.strip()
