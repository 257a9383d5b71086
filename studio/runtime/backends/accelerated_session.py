"""Sessions of ONNX Runtime with the wanted execution providers, or with those that work here."""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import re
import shutil
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

from .failure import first_line
from .placement import ModelPlacement
from .providers import AUTO, CPU, Acceleration, ProviderChoice, is_quantized, short, wanted

Native = Any
"""An object of ONNX Runtime, which has no types."""

_FATAL, _WARNINGS, _ERRORS = 4, 2, 3
_MODEL, _NODES = "compiled.onnx", "nodes.json"
_ABSENT = re.compile(r"([\w.+-]+): cannot open shared object file")
_KEPT = 4
"""Folders of compiled models that stay."""


_REGISTERED: Set[str] = set()
"""Providers whose libraries this process has; ONNX Runtime takes each once."""


class AcceleratedSession(NamedTuple):
    """A session of ONNX Runtime, and where its nodes are computed."""

    session: Native
    placement: ModelPlacement


def open_session(
    path: Path, new_options: Callable[[], Native], acceleration: Acceleration
) -> Optional[AcceleratedSession]:
    """Load a model with those of the wanted providers that work; None where none is wanted.

    Args:
        new_options: Makes ``SessionOptions``; a load that fails spoils them.

    Raises:
        LoadError: for an unknown provider.
    """
    if not acceleration.providers:
        return None
    import onnxruntime

    chosen = wanted(acceleration.providers, onnxruntime.get_available_providers())
    if not chosen:
        return None
    loader = _Loader(path, new_options, acceleration.cache)
    with _quiet(onnxruntime):
        return loader.load(chosen, acceleration.providers != AUTO)


class _Loader:
    """The attempts to load one model."""

    def __init__(
        self, path: Path, new_options: Callable[[], Native], cache: Optional[Path]
    ) -> None:
        import onnxruntime

        self._ort: Native = onnxruntime
        self._path, self._new_options = path, new_options
        self._is_quantized = is_quantized(path)
        self._missing: Dict[str, str] = {}
        self._is_emptied = False
        self._kept_nodes: Dict[str, int] = {}
        self._cache = _prepared(cache, str(onnxruntime.__version__))

    def load(self, chosen: Sequence[ProviderChoice], named: bool) -> AcceleratedSession:
        left = self._usable(chosen)
        session = self._first_session(left)
        present = [short(name) for name in session.get_providers()]
        for one in left:
            if one.provider.id not in present and one.provider.id not in self._missing:
                self._missing[one.provider.id] = self._library_failure(one) or "it does not start"
        nodes = self._kept_nodes or _counted(session)
        used = tuple(one for one in present if nodes.get(one, not nodes)) or (CPU,)
        ids = tuple(one.provider.id for one in chosen)
        return AcceleratedSession(session, ModelPlacement(ids, used, nodes, self._missing, named))

    def _usable(self, chosen: Sequence[ProviderChoice]) -> List[ProviderChoice]:
        """Return those that are installed and go together."""
        found: List[ProviderChoice] = []
        for one in chosen:
            reason = self._registered(one) if self._is_package(one) else ""
            if not reason and found and self._is_package(one) != self._is_package(found[0]):
                reason = "it cannot be combined with {}".format(found[0].provider.title)
            if reason:
                self._missing[one.provider.id] = reason
            else:
                found.append(one)
        return found

    def _is_package(self, one: ProviderChoice) -> bool:
        name = one.provider.name
        return name in _REGISTERED or name not in self._ort.get_available_providers()

    def _registered(self, one: ProviderChoice) -> str:
        """Register the library of a provider from a package of its own; a reason if it fails."""
        absent = "ONNX Runtime {} does not have it here".format(self._ort.__version__)
        if not one.provider.package:
            return absent
        try:
            library = import_module(one.provider.package).get_library_path()
            if one.provider.name not in _REGISTERED:
                self._ort.register_execution_provider_library(one.provider.name, library)
                _REGISTERED.add(one.provider.name)
            return "" if self._devices(one) else "it finds no device of its kind"
        except ImportError:
            return absent
        except Exception as error:  # of the bindings, which have a class for each status
            return first_line(error).rstrip(".")

    def _devices(self, one: ProviderChoice) -> List[Native]:
        return [each for each in self._ort.get_ep_devices() if each.ep_name == one.provider.name]

    def _first_session(self, left: List[ProviderChoice]) -> Native:
        """Load with all; when that fails without what was kept, too, without the first."""
        while left:
            try:
                return self._session(left)
            except Exception as error:
                reason = first_line(error)
            if self._emptied():
                continue
            reason = self._library_failure(left[0]) or reason
            self._missing[left[0].provider.id] = reason.rstrip(".")
            del left[0]
        options = self._new_options()
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        return self._ort.InferenceSession(
            str(self._path), options, providers=["CPUExecutionProvider"], enable_fallback=0
        )

    def _session(self, left: Sequence[ProviderChoice]) -> Native:
        options = self._new_options()
        options.log_severity_level = _FATAL
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        if any(one.provider.fixed_rows for one in left):
            for name in _open_rows(self._ort, self._path):
                options.add_free_dimension_override_by_name(name, 1)
        if self._is_package(left[0]):
            return self._session_of_packages(left, options)
        if left[0].provider.device == "device_id":
            _load_libraries(self._ort)
        pairs = [(one.provider.name, self._options(one)) for one in left]
        return self._ort.InferenceSession(
            str(self._path),
            options,
            providers=[*pairs, "CPUExecutionProvider"],
            enable_fallback=0,
        )

    def _session_of_packages(self, left: Sequence[ProviderChoice], options: Native) -> Native:
        for one in left:
            given = self._options(one)
            package = import_module(one.provider.package)
            if hasattr(package, "get_qnn_htp_path"):
                given["backend_path"] = package.get_qnn_htp_path()
            options.add_provider_for_devices(self._devices(one)[:1], given)
        kept = None if self._cache is None else self._cache / _MODEL
        if kept is None or not all(one.provider.keeps_model for one in left):
            return self._ort.InferenceSession(str(self._path), options)
        if kept.exists():
            session = self._ort.InferenceSession(str(kept), options)
            self._kept_nodes = self._read_nodes()
            return session
        aside = kept.with_name("{}-{}".format(os.getpid(), _MODEL))
        options.add_session_config_entry("ep.context_enable", "1")
        options.add_session_config_entry("ep.context_file_path", str(aside))
        options.add_session_config_entry("ep.context_embed_mode", "1")
        session = self._ort.InferenceSession(str(self._path), options)
        if aside.exists():  # nothing is written where no node was compiled
            # In the kept model all compiled nodes are one.
            content = json.dumps(_counted(session))
            self._cache_file(_NODES).write_text(content, encoding="utf-8")
            os.replace(str(aside), str(kept))
        return session

    def _cache_file(self, name: str) -> Path:
        assert self._cache is not None
        return self._cache / name

    def _options(self, one: ProviderChoice) -> Dict[str, str]:
        return one.options(self._cache, self._is_quantized)

    def _emptied(self) -> bool:
        """Remove what was kept, perhaps by another version; False where nothing was, or again."""
        if self._is_emptied or self._cache is None or not any(self._cache.iterdir()):
            return False
        self._is_emptied = True
        shutil.rmtree(str(self._cache), ignore_errors=True)
        self._cache.mkdir(parents=True, exist_ok=True)
        return True

    def _library_failure(self, one: ProviderChoice) -> str:
        """Return why the provider's library cannot be loaded; empty where it can, or is not there.

        ONNX Runtime writes the reason to the log alone.
        """
        stem = one.provider.name.replace("ExecutionProvider", "").lower()
        folder = Path(self._ort.__file__).parent / "capi"
        library = folder / "libonnxruntime_providers_{}.so".format(stem)
        if not library.is_file():
            return ""
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            absent = _ABSENT.match(str(error))
            return "{} is missing".format(absent[1]) if absent else first_line(error).rstrip(".")
        return ""

    def _read_nodes(self) -> Dict[str, int]:
        try:
            kept = json.loads(self._cache_file(_NODES).read_text("utf-8"))
            return {str(name): int(count) for name, count in kept.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}


def _counted(session: Native) -> Dict[str, int]:
    """Return the nodes by provider; empty for an ONNX Runtime that does not record them."""
    try:
        parts = session.get_provider_graph_assignment_info()
    except Exception:  # an older one has no such function, or refuses it with a class of its own
        return {}
    found: Dict[str, int] = Counter()
    for part in parts:
        found[short(part.ep_name)] += len(part.get_nodes())
    return dict(found)


def _prepared(cache: Optional[Path], version: str) -> Optional[Path]:
    """Return the folder for what is compiled now; those of former models are removed.

    What another version of ONNX Runtime has compiled is not taken.
    """
    if cache is None:
        return None
    folder = cache / version
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(str(cache))
        others = sorted(cache.parent.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
        stale = [one for one in cache.iterdir() if one != folder]
    except OSError:  # a disk that refuses it must not prevent serving
        return None
    for one in (*others[_KEPT:], *stale):
        shutil.rmtree(str(one), ignore_errors=True)
    return folder


def _open_rows(ort: Native, path: Path) -> List[str]:
    """Return the names of first axes whose size is open."""
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    first = [one.shape[0] for one in session.get_inputs() if one.shape]
    return sorted({one for one in first if isinstance(one, str)})


def _load_libraries(ort: Native) -> None:
    """Load the CUDA that pip installed; a system's own is found without."""
    preload = getattr(ort, "preload_dlls", None)
    if preload is not None:
        # It prints what it misses, and standard output is the server's own report.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            preload(directory="")


@contextlib.contextmanager
def _quiet(ort: Native) -> Iterator[None]:
    """Keep the reasons, which are in ``missing``, out of the log."""
    ort.set_default_logger_severity(_FATAL)
    try:
        yield
    finally:
        ort.set_default_logger_severity(_WARNINGS)
