"""What runs out while a server serves, and a log that rotates."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from studio.documents.dataclass_json import read_parts, to_json
from studio.monitoring.alerts.evaluate import Rules
from studio.monitoring.endpoint.status import ServerReport, ServerStatus
from studio.monitoring.results import Alert
from studio.runtime.release.server.certificate import DAYS, self_signed
from studio.runtime.serve.log import Log
from studio.runtime.serve.statistics.expiry import ExpiryMonitor, end_of


def certificate(folder: Path, days: float, key: str = "ec") -> Path:
    """A certificate of openssl that ends in so many days."""
    path, when = folder / "tls.pem", time.gmtime(time.time() + days * 86400)
    form = "%Y%m%d%H%M%SZ"
    words = ["openssl", "req", "-x509", "-newkey", key, "-nodes", "-subj", "/CN=pi"]
    words += ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if key == "ec" else []
    words += ["-not_before", "20200101000000Z", "-not_after", time.strftime(form, when)]
    words += ["-keyout", str(folder / "key"), "-out", str(path)]
    subprocess.run(words, check=True, capture_output=True)
    return path


def told(path: Path | None = None, folder: Path | None = None) -> list[dict[str, object]]:
    """The alerts of a server that is as this says."""
    return [to_json(alert) for alert in judge(ExpiryMonitor(path, folder).to_json())]


def judge(upkeep: object) -> list[Alert]:
    status = read_parts(ServerStatus, {"ready": True, "upkeep": upkeep})
    return Rules().judge(status, ServerReport())


def test_the_end_of_a_certificate_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "tls.pem"
    path.write_text(self_signed(["pi", "127.0.0.1"], tmp_path))
    days = ExpiryMonitor(path).to_json()["certificate_days"]
    assert DAYS - 0.1 < days <= DAYS
    assert told(path) == []


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("key", ["ec", "rsa:2048", "ed25519"])
def test_the_end_is_that_which_openssl_prints(tmp_path: Path, key: str) -> None:
    path = certificate(tmp_path, 20_000, key)  # beyond 2049: another form of time
    words = ["openssl", "x509", "-in", str(path), "-noout", "-enddate", "-dateopt", "iso_8601"]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    until = end_of(path)
    assert until is not None
    assert said == time.strftime("notAfter=%Y-%m-%d %H:%M:%SZ", time.gmtime(until))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("days", "level"), [(31, None), (29.5, "warning"), (2, "critical"), (-1, "critical")]
)
def test_a_certificate_near_its_end_is_an_alert(
    tmp_path: Path, days: float, level: str | None
) -> None:
    found = told(certificate(tmp_path, days))
    assert [(alert["name"], alert["level"]) for alert in found] == (
        [("certificate", level)] if level else []
    )
    assert all("deploy" in str(alert["text"]) for alert in found)


def test_what_is_no_certificate_has_no_end(tmp_path: Path) -> None:
    path = tmp_path / "tls.pem"
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    for text in ("", "AAAA", "MIIB", "MIID////////", "MAA=", "é", "M" * 99):
        path.write_text(f"{begin}\n{text}\n{end}\n", "utf-8")
        assert end_of(path) is None
    assert end_of(tmp_path / "none") is None


def test_a_renewed_certificate_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "tls.pem"
    upkeep = ExpiryMonitor(path)
    assert upkeep.to_json()["certificate_until"] is None
    path.write_text(self_signed(["pi"], tmp_path))
    assert upkeep.to_json()["certificate_until"] is not None


def test_a_disk_is_told_of_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.statvfs(tmp_path)
    upkeep = ExpiryMonitor(None, tmp_path).to_json()
    assert upkeep["disk_total_mb"] == round(found.f_blocks * found.f_frsize / 1e6, 1)

    def judged(free_mb: float, total_mb: float) -> list[str]:
        values = {"disk_free_mb": free_mb, "disk_total_mb": total_mb}
        alerts = judge(values)
        return [f"{alert.name} {alert.level}" for alert in alerts]

    assert judged(4000, 32_000) == []
    assert judged(999, 32_000) == ["disk warning"]
    assert judged(60, 500) == []
    assert judged(49, 500) == ["disk critical"]
    assert judged(0, 500) == ["disk critical"]


def test_a_status_without_it_alerts_nobody() -> None:
    """An older runtime tells nothing; strange values are none."""
    for upkeep in (None, {}, [], {"disk_free_mb": None}, {"certificate_days": "soon"}):
        assert judge(upkeep) == []


def ended(log: Log) -> None:
    """All of it written, however busy the machine is."""
    log.close()
    assert log._thread is not None
    log._thread.join()


def test_a_long_log_rotates(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    log = Log(descriptor, requests_per_s=0, limit=2000)
    for number in range(100):
        log.event("minute", number=number, text="x" * 20)
    ended(log)
    os.close(descriptor)
    older, newer = tmp_path / "server.log.1", path
    assert older.stat().st_mode & 0o777 == 0o640
    lines = [json.loads(line) for one in (older, newer) for line in one.read_text().splitlines()]
    numbers = [line["number"] for line in lines]
    assert numbers == list(range(numbers[0], 100)), "nothing is lost between the two"
    assert older.stat().st_size > 2000
    assert max(one.stat().st_size for one in (older, newer)) < 2200
    assert sorted(one.name for one in tmp_path.iterdir()) == ["server.log", "server.log.1"]


def test_a_log_that_cannot_be_kept_still_stays_short(tmp_path: Path) -> None:
    """Its name is gone, or the disk is full: to stay short comes first."""
    path = tmp_path / "server.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    (tmp_path / "server.log.1").mkdir()
    log = Log(descriptor, requests_per_s=0, limit=2000)
    for number in range(100):
        log.event("minute", number=number, text="x" * 20)
    ended(log)
    os.close(descriptor)
    assert path.stat().st_size < 2200
    assert json.loads(path.read_text().splitlines()[-1])["number"] == 99
    assert sorted(one.name for one in tmp_path.iterdir()) == ["server.log", "server.log.1"]
