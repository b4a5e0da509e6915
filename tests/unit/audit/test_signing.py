"""Ed25519 as RFC 8032 has it: its own vectors, and what is no signature."""

import base64

import pytest

from thinslice.audit.capsule import signing, verify

VECTORS = [  # section 7.1: seed, public key, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
        "b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
        "c6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_the_vectors_of_the_standard(seed, public, message, signature):
    key = signing.of_seed(bytes.fromhex(seed))
    assert key.public.hex() == public
    assert key.signature(bytes.fromhex(message)).hex() == signature
    text = base64.b64encode(bytes.fromhex(signature)).decode()
    assert verify.signed_by(key.public, bytes.fromhex(message), text)


def test_what_is_no_signature_of_a_message_is_none():
    key = signing.of_seed(bytes(32))
    whole = key.signature(b"a")
    s = int.from_bytes(whole[32:], "little") + verify.L
    beyond = whole[:32] + s.to_bytes(32, "little")  # the same, not reduced: refused by the RFC
    for message, signature in [(b"b", whole), (b"a", beyond), (b"a", whole[:63]), (b"a", b"")]:
        assert not verify.signed_by(key.public, message, base64.b64encode(signature).decode())
    assert not verify.signed_by(b"\xff" * 32, b"a", base64.b64encode(whole).decode())
    assert not verify.signed_by(key.public, b"a", "no base64")


def test_a_public_key_survives_its_file():
    key = signing.of_seed(b"k" * 32)
    assert verify.public_key(key.pem()) == key.public
