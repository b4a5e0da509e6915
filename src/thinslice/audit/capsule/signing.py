"""Sign statements with a local Ed25519 key (RFC 8032, DSSE), on the curve that verify.py has.

Plain Python, without a library and without its guard against timing: sign where nobody else can
measure your processor, as on your own machine.
"""

import base64
import hashlib
from pathlib import Path
from typing import NamedTuple

from thinslice.audit.capsule import verify
from thinslice.errors import refused

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # before the 32 bytes of a private key
SPKI = bytes.fromhex("302a300506032b6570032100")  # before the 32 bytes of a public key
BASE = (verify.BASE_X, verify.BASE_Y)
MAKE = "make one with: openssl genpkey -algorithm ed25519 -out key.pem"


class Key(NamedTuple):
    """A private key: its scalar and prefix, and the 32 bytes of its public key."""

    scalar: int
    prefix: bytes
    public: bytes

    def pem(self) -> bytes:
        """The public key as a capsule holds it."""
        body = base64.b64encode(SPKI + self.public)
        return b"-----BEGIN PUBLIC KEY-----\n" + body + b"\n-----END PUBLIC KEY-----\n"

    def envelope(self, payload: bytes) -> bytes:
        """A statement, signed."""
        signature = base64.b64encode(self.signature(verify.to_sign(payload))).decode()
        return verify.envelope(payload, self.public, signature)

    def signature(self, message: bytes) -> bytes:
        """The signature [64 bytes] of a message, always the same."""
        nonce = _number(self.prefix, message)
        commitment = _encoded(verify.times(nonce, BASE))
        k = _number(commitment, self.public, message)
        return commitment + ((nonce + k * self.scalar) % verify.L).to_bytes(32, "little")


def read_key(path: Path) -> Key:
    """A private Ed25519 key in PEM (PKCS 8), not encrypted; Refused for anything else."""
    lines = path.read_bytes().splitlines()
    try:
        der = base64.b64decode(b"".join(line for line in lines if not line.startswith(b"-----")))
    except ValueError:
        der = b""
    if not der.startswith(PKCS8) or len(der) != len(PKCS8) + 32:
        expected = "a private Ed25519 key in PEM without a passphrase"
        raise refused(path, "no such key", expected, MAKE)
    return of_seed(der[len(PKCS8) :])


def of_seed(seed: bytes) -> Key:
    """The key of 32 secret bytes."""
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
    return Key(scalar, digest[32:], _encoded(verify.times(scalar, BASE)))


def _number(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % verify.L


def _encoded(point: tuple[int, int]) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")
