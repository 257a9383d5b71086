"""What a refused login of the database server becomes: the texts of libpq, as it gives no code."""

from __future__ import annotations

import pytest

from studio.registry.servers.server_errors import is_lasting, sentence

ADDRESS = "postgresql://anna@db.example/models"
BEFORE = 'connection to server at "db.example" (10.0.0.7), port 5432 failed: '
LASTING = {
    "SSL error: certificate verify failed": "certificate of the database server has ended",
    "SSL error: ssl/tls alert certificate expired": "refused your certificate",
    "SSL error: sslv3 alert certificate revoked": "refused your certificate",
    "SSL error: tlsv1 alert unknown ca": "refused your certificate",
    'FATAL:  password authentication failed for user "anna"': "refused the password",
    'FATAL:  database "models" does not exist': "database does not exist",
}
PASSING = {
    "Connection refused": "db.example:5432 cannot be reached",
    "FATAL:  the database system is starting up": "starting or stopping",
    "FATAL:  sorry, too many clients already": "no free connection",
}


@pytest.mark.parametrize(("text", "sentence_part"), LASTING.items())
def test_a_login_that_stays_refused_is_not_repeated(text: str, sentence_part: str) -> None:
    error = OSError(BEFORE + text)
    assert is_lasting(error)
    assert sentence_part in sentence(error, ADDRESS).message


@pytest.mark.parametrize(("text", "sentence_part"), PASSING.items())
def test_a_server_that_returns_is_waited_for(text: str, sentence_part: str) -> None:
    error = OSError(BEFORE + text)
    assert not is_lasting(error)
    assert sentence_part in sentence(error, ADDRESS).message
