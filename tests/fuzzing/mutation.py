"""Changes of inputs: of bytes, of messages of protobuf, of zip archives, of JSON and of text."""

from __future__ import annotations

import io
import json
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

Mutate = Callable[[bytes, random.Random], bytes]

NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1,
           2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)  # fmt: skip
WORDS = (b"", b"\0", b"..", b"../../etc/passwd", b"/etc/passwd", b"a/../b", b"\xff\xfe", b"nan",
         b"-1", b"1e999", b"\xe2\x80\xae", b"\x1b]52;c;AAAA\x07", b"A" * 300, b"%s%n", b"\r\n",
         b"location", b"offset", b"length", b"__class__", b"${a.b}", b"CON", b"~")  # fmt: skip
TEXTS = ("0", "-1", "1e400", "nan", "true", '"x"', "[]", "[[[]]]", "{}", "'''", '"""', "9" * 60,
         "1979-05-27", "inf", "9" * 5000, "[" * 3000, "a.b", "08:00:00",
         '"../x"', '"\\u0000"', "[1, 'a']", "= =", "#", "\ufeff", "[[steps]]",
         "-0.0", "0x7fffffffffffffffffff")  # fmt: skip


def change_bytes(data: bytes, rng: random.Random) -> bytes:
    """Flip, put in, take out, repeat or move some bytes."""
    raw = bytearray(data)
    place = rng.randrange(len(raw) + 1)
    length = min(rng.choice((1, 1, 2, 4, 8, 64, 1024)), len(raw) - place)
    how = rng.randrange(6)
    if how == 0 and raw:
        raw[place % len(raw)] ^= 1 << rng.randrange(8)
    elif how == 1:
        size = rng.choice((1, 2, 4, 8))
        number = rng.choice(NUMBERS) % 256**size
        raw[place : place + size] = number.to_bytes(size, rng.choice(("little", "big")))
    elif how == 2:
        del raw[place : place + length]
    elif how == 3:
        raw[place:place] = rng.choice(WORDS)
    elif how == 4:
        raw[place:place] = raw[place : place + length] * rng.choice((1, 1, 2, 16))
    else:
        other = rng.randrange(len(raw) + 1)
        raw[place : place + length] = raw[other : other + length]
    return bytes(raw)


def change_message(data: bytes, rng: random.Random) -> bytes:
    """Change a field somewhere in a message of protobuf; all lengths around it fit again."""
    fields = _fields(data)
    if not fields or rng.random() < 0.05:
        return change_bytes(data, rng)
    begin, value, end, wire = fields[rng.randrange(len(fields))]
    if wire == 2 and rng.random() < 0.8:
        inner = data[value:end]
        # What is large is mostly weights: there is less to find in them than around them.
        deeper = _fields(inner) if len(inner) < 1 << 22 else []
        changed = change_message(inner, rng) if deeper else _change_value(inner, rng)
        tag = data[begin : _after_varint(data, begin)]
        return data[:begin] + tag + _varint(len(changed)) + changed + data[end:]
    field = data[begin:end]
    how = rng.randrange(4)
    if how == 0:
        field = b""
    elif how == 1:
        field = field * rng.choice((2, 2, 3, 40))
    elif how == 2:
        other = fields[rng.randrange(len(fields))]
        field = data[other[0] : other[2]] + field
    elif wire == 0:
        field = data[begin:value] + _varint(rng.choice(NUMBERS))
    else:
        field = change_bytes(field, rng)
    return data[:begin] + field + data[end:]


def _change_value(value: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return rng.choice(WORDS)
    if rng.random() < 0.2:
        return b"".join(_varint(rng.choice(NUMBERS)) for _ in range(rng.randrange(1, 5)))
    return change_bytes(value, rng)


def _fields(data: bytes) -> list[tuple[int, int, int, int]]:
    """Of a message: where each field, its value and what follows begin, and its wire type."""
    found = []
    at = 0
    while at < len(data):
        begin = at
        at = _after_varint(data, at)
        wire = data[begin] & 7
        if at < 0 or (data[begin] >> 3 == 0 and data[begin] < 128):
            return []
        value = at
        if wire == 0:
            at = _after_varint(data, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        elif wire == 2:
            value = _after_varint(data, at)
            at = value + _number(data[at:value]) if value >= 0 else -1
        else:
            return []
        if at < 0 or at > len(data):
            return []
        found.append((begin, value, at, wire))
    return found


def _after_varint(data: bytes, at: int) -> int:
    for end in range(at, min(at + 10, len(data))):
        if data[end] < 128:
            return end + 1
    return -1


def _number(data: bytes) -> int:
    return sum((byte & 127) << 7 * place for place, byte in enumerate(data))


def _varint(number: int) -> bytes:
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def change_zip(inner: Mutate = change_bytes) -> Mutate:
    """Change an entry of an archive, its name or its attributes; sums and offsets fit again."""

    def change(data: bytes, rng: random.Random) -> bytes:
        if rng.random() < 0.3:
            return change_bytes(data, rng)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = [(info, archive.read(info)) for info in archive.infolist()]
        except Exception:  # whatever a damaged one makes of the library
            return change_bytes(data, rng)
        if entries:
            place = rng.randrange(len(entries))
            _change_entry(entries, place, inner, rng)
        return _zip(entries)

    return change


def _change_entry(entries: list[Any], place: int, inner: Mutate, rng: random.Random) -> None:
    info, content = entries[place]
    how = rng.randrange(6)
    if how == 0:
        del entries[place]
    elif how == 1:
        entries.append((info, content))
    elif how == 2:
        name = rng.choice(WORDS).decode("utf-8", "replace") + rng.choice(("", info.filename))
        info.filename = name or "x"
    elif how == 3:
        info.external_attr = rng.choice((0o120777, 0o010644, 0o040755, 0o020644)) << 16
        info.compress_type = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    else:
        entries[place] = (info, inner(content, rng))


def _zip(entries: list[Any]) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a name that is there twice is meant
        with zipfile.ZipFile(made, "w") as archive:
            for info, content in entries:
                fresh = zipfile.ZipInfo(info.filename[:60_000])
                fresh.external_attr, fresh.compress_type = info.external_attr, info.compress_type
                archive.writestr(fresh, content)
    return made.getvalue()


def change_json(data: bytes, rng: random.Random) -> bytes:
    """Change one value of a document; a text that is none is changed as text."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return change_text(data, rng)
    if rng.random() < 0.1:
        return change_text(data, rng)
    odd = [None, True, -1, 2**63, 1e308, "", "../x", "\x1b]52", [], {}, [[[]]], "a" * 300, 0.5]
    places = list(_places(document))
    if places:
        holder, key = rng.choice(places)
        how = rng.randrange(4)
        if how == 0:
            del holder[key]
        elif how == 1:
            holder[key] = rng.choice([holder[k] for holder, k in places[:200] if k != key] or odd)
        else:
            holder[key] = rng.choice(odd)
    try:
        return json.dumps(document).encode()
    except (ValueError, RecursionError):  # a value that now holds itself
        return change_text(data, rng)


def _places(value: Any, depth: int = 0) -> Any:
    if depth < 30 and isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key], depth + 1)


def change_text(data: bytes, rng: random.Random) -> bytes:
    """Change lines, words and values of a text."""
    if rng.random() < 0.2:
        return change_bytes(data, rng)
    text = data.decode("utf-8", "surrogateescape")
    if rng.random() < 0.4:
        lines = text.splitlines(keepends=True) or [""]
        place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        how = rng.randrange(4)
        if how == 0:
            del lines[place]
        elif how == 1:
            lines.insert(other, lines[place])
        elif how == 2:
            lines[place], lines[other] = lines[other], lines[place]
        else:
            lines[place] = lines[place] * rng.choice((2, 30))
        text = "".join(lines)
    else:
        words = [found.span() for found in re.finditer(r'"[^"\n]*"|[\w.\-]+|[^\w\s]', text)]
        if words:
            begin, end = rng.choice(words)
            first, last = rng.choice(words)
            new = rng.choice((rng.choice(TEXTS), text[first:last], ""))
            text = text[:begin] + new + text[end:]
    return text.encode("utf-8", "surrogateescape")
