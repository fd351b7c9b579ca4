"""What language a person reads, and how it writes times, dates and numbers: gettext catalogues and CLDR through Babel."""

from __future__ import annotations

import gettext
import html
import io
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates

from bot.core.model import Minute, Night

LOCALES = Path(__file__).parent / "locales"
SOURCE = "en"

# English without a country is written with the 24-hour clock and the day first: most readers of "en" on Telegram live
# outside the United States. People who chose American English get what CLDR says.
_FORMATS = {"en": "en_GB"}


class Words:
    """One language: `words("Bedtime {time}", time=…)` is the sentence in it, with every value made safe for HTML.

    The sentence itself may hold Telegram's HTML tags; a value never adds any. A sentence that its catalogue does not have, or
    whose translation does not fit its values, comes back in English.
    """

    def __init__(self, code: str, catalogue: gettext.NullTranslations) -> None:
        self.code = code
        self._catalogue = catalogue
        self.locale = _locale(_FORMATS.get(code, code)) or Locale("en", "GB")

    def __call__(self, message: str, **values: object) -> str:
        return _filled(self._catalogue.gettext(message), message, values)

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """The form for `n`, which the sentence may use as {n}."""
        english = one if n == 1 else many
        return _filled(self._catalogue.ngettext(one, many, n), english, {"n": n, **values})

    def minute(self, minute: Minute) -> str:
        """A civil time of day, as "22:30"."""
        return _time(minute, str(self.locale))

    def moment(self, at: datetime, zone: str) -> str:
        """The civil time of an instant (aware) in a zone, as "22:17"."""
        civil = at.astimezone(ZoneInfo(zone))
        return self.minute(civil.hour * 60 + civil.minute)

    def day(self, at: datetime, zone: str) -> str:
        """The civil date of an instant (aware) in a zone, with its weekday."""
        return self.night(at.astimezone(ZoneInfo(zone)).date())

    def night(self, night: Night) -> str:
        """A night's date with its weekday, as "Friday 20 November"."""
        return str(dates.format_skeleton("MMMMEEEEd", night, locale=self.locale))

    def short_date(self, day: date) -> str:
        """A date, as "20 Nov"."""
        return str(dates.format_skeleton("MMMd", day, locale=self.locale))

    def weekday(self, number: int) -> str:
        """A weekday's short name; Monday is 0."""
        return str(self.locale.days["stand-alone"]["abbreviated"][number])

    def weekday_letter(self, number: int) -> str:
        """A weekday in a letter or two, for narrow columns; Monday is 0."""
        return str(self.locale.days["stand-alone"]["narrow"][number])

    @property
    def first_weekday(self) -> int:
        """The weekday that a week begins with; Monday is 0."""
        return int(self.locale.first_week_day)

    def month(self, first: date) -> str:
        """A month with its year, as "November 2026"."""
        return str(dates.format_skeleton("yMMMM", first, locale=self.locale))

    def short_month(self, first: date) -> str:
        """A month's short name, as "Nov"."""
        return str(self.locale.months["stand-alone"]["abbreviated"][first.month])

    @property
    def calendar(self) -> tuple[tuple[str, ...], tuple[str, ...], int]:
        """Weekdays from Monday in a letter, months from January in short, and the week's first day."""
        months = self.locale.months["stand-alone"]["abbreviated"]
        short = tuple(str(months[number]).rstrip(".") for number in range(1, 13))
        return tuple(self.weekday_letter(day) for day in range(7)), short, self.first_weekday

    @property
    def weekdays(self) -> dict[str, frozenset[int]]:
        """The weekdays' names, long and short, each for its number."""
        days = self.locale.days["format"]
        return {
            str(days[width][day]).rstrip("."): frozenset({day}) for width in ("wide", "abbreviated") for day in range(7)
        }

    @property
    def months(self) -> dict[str, int]:
        """The months' names in lower case, long and short, each for its number."""
        names = self.locale.months["format"]
        return {
            str(names[width][number]).rstrip(".").lower(): number
            for width in ("wide", "abbreviated")
            for number in range(1, 13)
        }

    @staticmethod
    def date_in(at: datetime, zone: str) -> date:
        """The civil date of an instant (aware) in a zone."""
        return at.astimezone(ZoneInfo(zone)).date()

    @property
    def name(self) -> str:
        """The language's own name for itself."""
        return (self.locale.get_language_name() or self.code).capitalize()


def _filled(message: str, english: str, values: dict[str, object]) -> str:
    safe = {name: html.escape(str(value), quote=False) for name, value in values.items()}
    if not safe:
        return message
    try:
        return message.format_map(safe)
    except (KeyError, ValueError, IndexError):
        return english.format_map(safe)


def _locale(code: str) -> Locale | None:
    try:
        return Locale.parse(code.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None


@lru_cache(maxsize=20_000)
def _time(minute: Minute, locale: str) -> str:
    return str(dates.format_time(time(minute // 60 % 24, minute % 60), "short", locale=locale))


def available() -> tuple[str, ...]:
    """The codes of the languages that have a catalogue, English first."""
    return (SOURCE, *_catalogues())


def can_choose() -> bool:
    """Whether there is more than one language: with English alone none is offered."""
    return len(available()) > 1


@lru_cache(maxsize=1)
def _catalogues() -> tuple[str, ...]:
    return tuple(sorted(po.parent.parent.name for po in LOCALES.glob("*/LC_MESSAGES/bot.po")))


def match(code: str | None) -> str:
    """The available language for a code as Telegram gives it ("pt-br", "de", None): the nearest one, else English."""
    wanted = (code or "").replace("-", "_").lower()
    by_lower = {available_code.lower(): available_code for available_code in available()}
    if wanted.startswith("en_us"):
        return "en_US"
    return by_lower.get(wanted) or by_lower.get(wanted.split("_")[0]) or SOURCE


def known(code: str) -> str | None:
    """The available language that was asked for by its own code ("de", "pt_BR"); None if it does not exist."""
    found = match(code)
    return found if found.lower().split("_")[0] == code.replace("-", "_").lower().split("_")[0] else None


def named(code: str) -> str:
    """A language's own name for itself, also of one that has no catalogue; the code if its name is unknown."""
    locale = _locale(code)
    return code if locale is None else (locale.get_language_name() or code).capitalize()


@lru_cache(maxsize=64)
def words(code: str | None) -> Words:
    """The words for a stored or Telegram's language code."""
    language = match(code)
    return Words(language, _catalogue(language))


def _catalogue(language: str) -> gettext.NullTranslations:
    po = LOCALES / language / "LC_MESSAGES" / "bot.po"
    if not po.exists():
        return gettext.NullTranslations()
    # Compiled in memory at a language's first use: no step between editing a catalogue and running it, no built file to go stale.
    from babel.messages import mofile, pofile

    compiled = io.BytesIO()
    with po.open("rb") as file:
        mofile.write_mo(compiled, pofile.read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
