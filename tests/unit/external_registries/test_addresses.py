"""Addresses with a version in them, as other programs print them."""

from __future__ import annotations

import pytest

from studio.external_registries.reference import Reference, split_address

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        (f"oci://host:5000/models/digits@{DIGEST}", "oci://host:5000/models", f"digits@{DIGEST}"),
        ("oci://host:5000/models/digits:champion", "oci://host:5000/models", "digits@champion"),
        ("oci://host/digits", "oci://host", "digits"),
        ("oci://host:5000/a/b/digits:3", "oci://host:5000/a/b", "digits@3"),
        ("digits@champion", "", "digits@champion"),
        ("digits/3", "", "digits/3"),
        ("oci://host:5000", "", "oci://host:5000"),
        ("oci://host/", "", "oci://host/"),
    ],
)
def test_an_address_is_split(text: str, address: str, name: str) -> None:
    assert split_address(text) == (address, name)


def test_a_digest_is_an_alias() -> None:
    assert Reference.of(f"digits@{DIGEST}") == Reference("digits", alias=DIGEST)
