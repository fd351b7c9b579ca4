"""Where a test's chance comes from: the bot's random seed and the person's word, so that neither can choose the nights."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from enum import Enum

LONGEST_WORD = 60
DRAWN_BYTES = 10
"""Random bytes that a drawn word is made from."""

PACKED = "packed"
"""What the helper's button is for."""


class WordFault(Enum):
    """Why a typed word cannot be a test's word."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"  # half of a character: it has no UTF-8


def read_word(text: str) -> str | WordFault:
    """Return the word that a person typed as it enters the seed: composed (NFC), trimmed, 1 to 60 characters."""
    word = unicodedata.normalize("NFC", text).strip()
    if not word:
        return WordFault.EMPTY
    if len(word) > LONGEST_WORD:
        return WordFault.TOO_LONG
    return WordFault.NOT_TEXT if any("\ud800" <= letter <= "\udfff" for letter in word) else word


def drawn_word(noise: bytes) -> str:
    """Return a word for somebody who gave none: sixteen letters and digits from 10 random bytes of the caller's."""
    if len(noise) != DRAWN_BYTES:
        raise ValueError(f"a drawn word is made from {DRAWN_BYTES} bytes, not {len(noise)}")
    return base64.b32encode(noise).decode().lower()


def seed_of(bots_seed: bytes, word: str) -> bytes:
    """Return the seed of two parties: HMAC-SHA256 with the bot's random seed as key and the word (UTF-8) as message.

    The fingerprint of `bots_seed` is shown before the word is asked for, so that neither side can choose the nights.
    """
    return hmac.digest(bots_seed, word.encode(), "sha256")


def fingerprint(seed: bytes) -> str:
    """Return the SHA-256 of the seed in hex, shown before night 1 so that the seed cannot be swapped afterwards."""
    return hashlib.sha256(seed).hexdigest()


def code_of(seed: bytes, what: str) -> str:
    """Eight letters and digits for a label that only this test knows, such as that of "bag/7".

    The first 5 bytes of HMAC-SHA256(seed, "code/<what>") in base32: nobody can read the seed, nor another code, off it.
    """
    return base64.b32encode(hmac.digest(seed, f"code/{what}".encode(), "sha256")[:5]).decode().lower()
