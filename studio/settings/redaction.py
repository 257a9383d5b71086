"""Removal of secrets from texts that are logged or put into a support archive."""

from __future__ import annotations

import functools
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from traceback import format_exception
from typing import Any
from urllib.parse import quote

REDACTED = "***"
_SHORTEST = 4
"""Shorter ones are no secrets, and removing them would leave holes in every word."""

_SHORTEST_VALUE = 8
"""Of a variable: ``USE_TOKEN=true`` must not remove every ``true``."""

_NAMES = r"token|passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|credentials?"
_SECRET_VARIABLE = re.compile(r"TOKEN|PASSWORD|PASSPHRASE|SECRET|API_?KEY|ACCESS_?KEY")
_VALUE = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"'&,;)}\]]+)"""
_HEADER_VALUE = r"""(?:b?"[^"\n]*"|b?'[^'\n]*'|[^\n]+)"""

_PATTERNS = (
    # A private key, also one that was cut or whose line ends are escaped.
    (r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)", REDACTED),
    # A header, to the end of its value: a scheme and what it is given are one secret.
    (rf"""(?i)(authorization["']?\s*[:=,]\s*){_HEADER_VALUE}""", rf"\1{REDACTED}"),
    (r"(?i)\b(bearer\s+)[\w.~+/=-]{6,}", rf"\1{REDACTED}"),
    (rf"""(?i)((?:{_NAMES})\\?["']?\s*[:=]\s*\\?){_VALUE}""", rf"\1{REDACTED}"),
    (r"(?i)([?&](?:sig|signature|x-(?:amz|goog)-\w+)=)[^\s&\"']+", rf"\1{REDACTED}"),
    # Who logs in by a URL: user and password, and on the web also a user alone, often a token.
    (r"(://)[^/\s@:\"']*:[^/\s\"']*@", rf"\1{REDACTED}@"),
    (r"(?i)(https?://)[^/\s@\"']+@", rf"\1{REDACTED}@"),
    (r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", REDACTED),  # a JSON Web Token
    (r"\b(?:gh[pousr]_|github_pat_|glpat-|hf_|sk-|xox[baprs]-|AKIA|ASIA)[\w-]{12,}", REDACTED),
    (r"\b((?:ssh|ecdsa)-[\w-]{2,30}\s+)AAAA[\w+/=]+", rf"\1{REDACTED}"),  # a host's or user's key
)

_seen: set[str] = set()


def hide(secret: str) -> None:
    """Add a secret to every redactor of this process."""
    _seen.add(secret)


@functools.cache
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the patterns, compiled at the first record: most commands write none."""
    return tuple((re.compile(pattern, re.DOTALL), by) for pattern, by in _PATTERNS)


class Redactor(logging.Filter):
    """The filter of secrets: known ones by their value, all others by their pattern."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._given = frozenset(secrets)
        self._known: frozenset[str] = frozenset()
        self._values: re.Pattern[str] | None = None

    @classmethod
    def of(cls, data: Path, environment: Mapping[str, str] = os.environ) -> Redactor:
        """Return one that knows the secrets kept in files of the data folder, and in variables."""
        return cls((*_stored_secrets(data / "secrets"), *_of_variables(environment)))

    @classmethod
    def of_variables(cls, environment: Mapping[str, str]) -> Redactor:
        """Return one that knows the secrets in variables alone."""
        return cls(_of_variables(environment))

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        known = self._given | _seen
        if known != self._known:
            self._known, self._values = known, _any_of(known)
        if self._values is not None:
            text = self._values.sub(REDACTED, text)
        for rule, by in _rules():
            text = rule.sub(by, text)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record: its message, traceback and keys."""
        record.msg, record.args = self.text(message_of(record)), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self.text("".join(format_exception(*record.exc_info)))
        for name, value in keys_of(record).items():
            setattr(record, name, self._value(name, value))
        return True

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, bool | int | float | None):
            return value
        return REDACTED if re.search(_NAMES, name) else self.text(_text_of(value))


def message_of(record: logging.LogRecord) -> str:
    """Return the message; one whose arguments do not fit is no reason to fail."""
    try:
        return record.getMessage()
    except Exception:  # the arguments' own __str__ may raise anything, and to log it comes here
        return str(record.msg)


def _text_of(value: object) -> str:
    try:
        return str(value)
    except Exception:  # see message_of
        return f"<{type(value).__name__}>"


RESERVED = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))
"""Names that ``extra`` may not use: attributes of every record."""


def keys_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the ``extra`` values of a record."""
    return {name: value for name, value in vars(record).items() if name not in RESERVED}


def traceback_of(record: logging.LogRecord) -> str:
    """Return a record's traceback as redacted text, or the one that another process sent."""
    return record.exc_text or str(getattr(record, "traceback", ""))


def _any_of(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern of all secrets, also as JSON and as URLs write them; longer ones first."""
    found = {text for secret in secrets if len(secret) >= _SHORTEST for text in _spellings(secret)}
    ranked = sorted(found, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, ranked))) if ranked else None


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield quote(secret, safe="")


def _stored_secrets(folder: Path) -> Iterator[str]:
    """Yield the secrets in files; those in a keyring are known after their first use."""
    for file in folder.glob("*.json"):
        try:
            yield str(json.loads(file.read_text())["secret"])
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _of_variables(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        is_path = value.startswith(("/", "~"))
        if _SECRET_VARIABLE.search(name.upper()) and not is_path and len(value) >= _SHORTEST_VALUE:
            yield value
