"""Names as they are compared: without case, accents and punctuation, and letters that people use for each other as one."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not take apart into a letter and an accent, and Arabic ones that are written for each other.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
    | {"ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "臺": "台"}
)
_LETTERS_AND_DOTS = re.compile(r"(?:[^\W\d_]\.){2,}|(?:[^\W\d_]\.)+[^\W\d_](?!\w)")
_QUOTES = "'’‘ʼ`ʻ"


def fold(text: str) -> str:
    """A name without case, accents and punctuation; "Saint" and "St." are the same, and so are "L.A." and "LA"."""
    lowered = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    joined = _LETTERS_AND_DOTS.sub(lambda found: found[0].replace(".", ""), lowered)
    kept = (char if unicodedata.category(char)[0] in "LNM" else " " for char in joined if not _accent(char))
    return " ".join("st" if word == "saint" else word for word in "".join(kept).split())


def _accent(char: str) -> bool:
    return unicodedata.combining(char) != 0 or char in _QUOTES


def spelled_out(name: str) -> str:
    """The name with umlauts as people write them without such keys: ae, oe, ue."""
    return name.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
