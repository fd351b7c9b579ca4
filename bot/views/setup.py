"""Set-up: welcome, bedtime, zone, form, and the card at its end. The same pickers serve the settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from telegram import KeyboardButton, ReplyKeyboardMarkup, ReplyKeyboardRemove

from bot.core import schedule as times
from bot.core.model import Form, Minute, Night, Person
from bot.core.spoken import Several
from bot.texts.language import Words
from bot.views.message import Button, Keyboard, View, button, grid, keyboard, lines

_FIRST, _LAST, _STEP = 20 * 60 + 30, 25 * 60 + 30, 30


def welcome(words: Words, *, languages: Sequence[tuple[str, str]]) -> View:
    """The first message. `languages`: code and own name of those on offer."""
    text = lines(
        words("<b>Hello, I am Lull.</b>"),
        words(
            "I remind you of your magnesium a little before bed, give one honest tip a night, and ask in the morning how you slept."
        ),
        words("I keep your Telegram id, language, time zone, bedtimes, form and answers. No name."),
        "",
        words(
            "For adults; not medical advice. Ask a doctor or pharmacist first if you have kidney disease, "
            "are pregnant, or take medicines."
        ),
    )
    choice = [button(name, "lang", code) for code, name in languages] if len(languages) > 1 else []
    understood = button(words("I understand"), "consent", style="success")
    return View(text, keyboard([understood, button(words("Read more"), "safety")], *grid(choice, across=3)))


def bedtime(
    words: Words, *, verb: str = "bed", shifted: bool = False, text: str | None = None, back: str | None = None
) -> View:
    """A grid of half hours, or of the quarters between them; any other time can be typed."""
    offset = 15 if shifted else 0
    minutes = [minute % 1440 for minute in range(_FIRST + offset, _LAST + offset + 1, _STEP)]
    times_of_day = [button(words.minute(minute), verb, minute) for minute in minutes]
    more = [button("−15 min" if shifted else "+15 min", f"{verb}_grid", 0 if shifted else 1)]
    if verb == "bed":
        more.append(button(words("Different at weekends"), "weekend"))
    question = text or words("<b>When do you go to bed?</b>\nTap a time, or type it: 22:45")
    return View(question, keyboard(*grid(times_of_day, across=4), more, _back(words, back)))


def ambiguous(words: Words, *, morning: Minute, evening: Minute, verb: str, night: Night | None = None) -> View:
    """One typed hour, two meanings; for `night` alone, where one is given."""
    first = () if night is None else (night,)
    choice = [button(words.minute(minute), verb, *first, minute) for minute in (evening, morning)]
    return View(words("Morning or evening?"), keyboard(choice))


def one_of(words: Words, two: Several, *, verb: str, night: Night | None = None) -> View:
    """Two times were typed where one is needed."""
    first = () if night is None else (night,)
    choice = [button(words.minute(minute), verb, *first, minute) for minute in (two.first, two.second)]
    return View(words("I need one time. Which one?"), keyboard(choice))


def zone(
    words: Words, places: Sequence[tuple[str, str]], now: datetime, *, text: str | None = None, back: str | None = None
) -> View:
    """Zones to tap, each with the time there now. `places`: IANA name and what to call it."""
    guesses = [button(f"{label} · {words.moment(now, name)}", "zone", name) for name, label in places]
    question = text or words("<b>Where do you sleep?</b>\nTap the place whose time is right, or type your city.")
    share = [button(words("Share my location"), "locate")]
    return View(question, keyboard(*grid(guesses, across=2), share, _back(words, back)))


def locate(words: Words) -> View:
    """Ask for the location with a keyboard of its own; only such a keyboard may ask."""
    ask = [
        [KeyboardButton(words("Send my location"), request_location=True)],
        [KeyboardButton(no_location(words))],
    ]
    text = words("Tap the button below. I turn the place into a time zone and throw the place away.")
    return View(text, below=ReplyKeyboardMarkup(ask, resize_keyboard=True, one_time_keyboard=True))


def no_location(words: Words) -> str:
    """What the other button under the location's says; Telegram sends it back as if it had been typed."""
    return words("No, I will type my city")


def type_city(words: Words) -> View:
    """The location is not wanted after all; its keyboard goes."""
    return View(words("All right. Type your city, such as Berlin."), below=ReplyKeyboardRemove())


def located(words: Words) -> View:
    """The location became a zone, which the next message names; its keyboard goes."""
    return View(words("Got it."), below=ReplyKeyboardRemove())


def there(words: Words, place: str, zone_name: str, now: datetime) -> str:
    """The place that was understood, and the hour there: so that a wrong place is noticed at once."""
    return words("{place}. It is {time} there now.", place=place, time=words.moment(now, zone_name))


def another_place(words: Words, *, home: str | None = None) -> Button:
    """It is not the place that was meant. `home`: the zone that held before."""
    return button(words("Another place"), "zone_other", *([] if home is None else [home]))


def form(
    words: Words, forms: Sequence[Form], *, back: str | None = None, label: bool = False, there: str | None = None
) -> View:
    """The forms to tap, in no order of merit. `label`: offer words of one's own, too. `there`: the zone just understood."""
    choices = [button(words(each.name), "form", each.id) for each in forms]
    text = lines(words("<b>Which magnesium do you take?</b>\nAny answer is fine, I do not rank them."), there)
    more = [button(words("Compare"), "forms"), *([button(words("In your own words"), "label")] if label else [])]
    other = [another_place(words)] if there is not None else []
    return View(text, keyboard(*grid(choices, across=2), more, other, _back(words, back)))


def ask_label(words: Words, person: Person, *, longest: int) -> View:
    """The next text is what the reminder calls it."""
    text = lines(
        words("What shall the reminder call it? Type it in your own words, such as: 1 tablet, blue box"),
        words("At most {n} characters. I only repeat it, I never read it.", n=longest),
        None if person.label is None else words("Now: {label}", label=person.label),
    )
    remove = [button(words("Remove it"), "label_off")] if person.label is not None else []
    return View(text, keyboard(remove, [button("‹ " + words("Back"), "panel", "form")]))


def label_kept(words: Words, person: Person, *, longest: int | None) -> View:
    """What the reminder calls it now. `longest`: it was cut to so many characters."""
    if person.label is None:
        return View(words("Removed. The reminder names the form again."), _to_settings(words))
    text = lines(
        words("The reminder will call it: {label}", label=person.label),
        None if longest is None else words("I kept the first {n} characters.", n=longest),
        words("Your reminders are discreet, so it does not show there.") if person.discreet else None,
    )
    return View(text, _to_settings(words))


def _to_settings(words: Words) -> Keyboard | None:
    return keyboard([button("‹ " + words("Settings"), "panel", "top")])


def all_set(words: Words, person: Person, *, there: str | None = None) -> View:
    """The card at the end of the set-up. The phone writes the moment in its own zone: a wrong zone shows at once.

    `there`: the place and its hour, where it was just put right.
    """
    text = lines(
        words("<b>All set.</b>"),
        there,
        words("Next reminder: {moment}", moment="\0").replace("\0", moment(words, person)),
        words("Is that the right hour?"),
    )
    fix = button(words("No, fix my time zone"), "fix_zone")
    return View(text, keyboard([button(words("Yes"), "hour_ok", style="success"), fix], _meant(words, person)))


def _meant(words: Words, person: Person) -> list[Button]:
    """The other half of the day, for one bedtime from 10:00 to 12:59: typed "10:30", it may well be the evening's."""
    minute = person.bedtimes[0] if len(set(person.bedtimes)) == 1 else 0
    if not 600 <= minute < 780:
        return []
    evening = (minute + 720) % 1440
    return [button(words("I meant {time}", time=words.minute(evening)), "bed_set", evening)]


def all_right(words: Words, person: Person) -> View:
    """The card once its hour was confirmed."""
    return View(
        lines(
            words("<b>All set.</b>"),
            words("Next reminder: {moment}", moment="\0").replace("\0", moment(words, person)),
            words("Sleep well. /settings changes anything, /help shows the rest."),
        )
    )


def moment(words: Words, person: Person) -> str:
    """The next reminder as Telegram's date-time entity, with our own wording for apps that do not know it."""
    schedule, at = person.schedule, person.remind_at
    if schedule is None or at is None or person.remind_night is None:
        return "–"
    zone_name = times.zone_on(schedule, person.remind_night)
    shown = f"{words.day(at, zone_name)}, {words.moment(at, zone_name)}"
    return f'<tg-time unix="{int(at.timestamp())}" format="wDt">{shown}</tg-time>'


def _back(words: Words, target: str | None) -> list[Button]:
    return [button("‹ " + words("Back"), "panel", target)] if target is not None else []
