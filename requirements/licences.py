"""Write docs/licences.md: what the bot is made of and under which licences, from what is installed here."""

from __future__ import annotations

import re
from importlib.metadata import PackageMetadata, PackageNotFoundError, files, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent

_HEAD = """\
# Licences

Lull itself is under the MIT licence: the file `LICENSE`, © Lull contributors. What it is made of is listed below by
`make licences`, from the installed packages; the pins are in `requirements/run.txt`.

python-telegram-bot is under the LGPL, version 3. Lull uses it unchanged, as a library that is installed beside it and can be
exchanged for another version: whoever passes on an image passes on that freedom, the licence's text, which lies in the image
with the package, and the source, which is the package itself. tzdata holds the public-domain time zone database.

`bot/texts/towns.tsv.gz` is a cut of GeoNames' towns of more than 15,000 people, made by `tools/towns.py`: names, countries,
states, time zones and populations, by GeoNames (https://www.geonames.org), under the Creative Commons Attribution 4.0 licence.

| package | version | licence |
|---|---|---|
"""


def main() -> None:
    """Write the page."""
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8"), re.M)
    rows = [f"| {name} | {version} | {_licence(name)} |\n" for name, version in sorted(set(pins))]
    (ROOT / "docs" / "licences.md").write_text(_HEAD + "".join(rows), encoding="utf-8")


def _licence(name: str) -> str:
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return "not installed on this system"
    return _expression(found) or _classified(found) or _titled(name, found) or "see the package"


def _expression(found: PackageMetadata) -> str:
    # Some packages put the whole text into the old field.
    text = str(found.get("License-Expression") or found.get("License") or "")
    return text if 0 < len(text) < 60 and "\n" not in text and text != "Dual License" else ""


def _classified(found: PackageMetadata) -> str:
    classes = [str(value) for key, value in found.items() if key == "Classifier" and "License ::" in str(value)]
    return ", ".join(value.rpartition(" :: ")[2] for value in classes)


def _titled(name: str, found: PackageMetadata) -> str:
    """The first two lines of the licence's own text, such as "Apache License Version 2.0, January 2004"."""
    for file in files(name) or []:
        if file.name in (found.get_all("License-File") or []):
            lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
            return " ".join(lines[:2])
    return ""


if __name__ == "__main__":
    main()
