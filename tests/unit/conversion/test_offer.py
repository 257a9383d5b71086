"""What the offer of a conversion says of the licences of what is installed first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from studio.conversion.offer import licence_sentence


def environments(*texts: str) -> Any:
    return [SimpleNamespace(need=SimpleNamespace(licences=text)) for text in texts]


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (("LiteRT: Apache-2.0; numpy: BSD",), "Licences: Apache-2.0, BSD (Plugins page)."),
        (("a and b: MIT; c: Apache-2.0 or BSD", "d: MIT and MPL-2.0"),
         "Licences: Apache-2.0, BSD, MIT, MPL-2.0 (Plugins page)."),
        (("MNN: Apache-2.0 by its repository, BSD by its package",),
         "Licences: Apache-2.0, BSD (Plugins page)."),
        (("",), ""),
    ],
)  # fmt: skip
def test_each_kind_is_named_once(texts: tuple[str, ...], sentence: str) -> None:
    assert licence_sentence(environments(*texts)) == sentence
