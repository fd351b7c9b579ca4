"""What a mutant is: one small fault, where it goes, and who must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class DoesNotApply(Exception):  # noqa: N818 - named for what was found
    """The code is not there any more, or is there twice: the mutant needs to be written anew."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` is found exactly once in `file` and becomes `new`; one of `catchers`, as pytest names tests, must then fail."""

    name: str
    what: str
    file: str
    old: str
    new: str
    catchers: tuple[str, ...]

    def applied(self, root: Path) -> str:
        """The file's text with the fault in it. Raises DoesNotApply."""
        text = (root / self.file).read_text(encoding="utf-8")
        if (found := text.count(self.old)) != 1:
            raise DoesNotApply(f"{self.name}: its old text is in {self.file} {found} times")
        return text.replace(self.old, self.new)
