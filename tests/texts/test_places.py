"""Typed places in any script, locations and language codes, and the zones they mean."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.texts import places
from bot.texts.places import Found, Place, index, regions, towns
from bot.texts.places import zones as clocks
from bot.texts.places.folding import fold

zoneinfo.reset_tzpath(to=())
ZONES = zoneinfo.available_timezones()


@pytest.fixture(autouse=True, scope="module")
def zones_of_the_wheel() -> None:
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()


def zones(text: str, language: str = "en") -> list[str]:
    return [place.zone for place in places.find(text, language).places]


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("berlin", "Europe/Berlin"),
        ("New York", "America/New_York"), ("new_york", "America/New_York"), ("NYC", "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("buenos aires", "America/Argentina/Buenos_Aires"),
        ("Asia/Calcutta", "Asia/Kolkata"), ("calcutta", "Asia/Kolkata"), ("Kiev", "Europe/Kyiv"),
        ("Kiew", "Europe/Kyiv"), ("Київ", "Europe/Kyiv"), ("胡志明市", "Asia/Ho_Chi_Minh"), ("Катманду", "Asia/Kathmandu"),
        ("US/Pacific", "America/Los_Angeles"),
        ("Munich", "Europe/Berlin"), ("München", "Europe/Berlin"), ("muenchen", "Europe/Berlin"),
        ("MUNCHEN", "Europe/Berlin"),
        ("Мюнхен", "Europe/Berlin"), ("Лондон", "Europe/London"), ("東京", "Asia/Tokyo"), ("서울", "Asia/Seoul"),
        ("القاهرة", "Africa/Cairo"), ("मुंबई", "Asia/Kolkata"), ("תל אביב", "Asia/Jerusalem"),
        ("Αθήνα", "Europe/Athens"),
        ("กรุงเทพฯ", "Asia/Bangkok"), ("Londra", "Europe/London"), ("St. Petersburg", "Europe/Moscow"),
        ("saint petersburg", "Europe/Moscow"), ("São Paulo", "America/Sao_Paulo"), ("sao paulo", "America/Sao_Paulo"),
        ("San Francisco", "America/Los_Angeles"), ("Łódź", "Europe/Warsaw"), ("lodz", "Europe/Warsaw"),
        ("Xi’an", "Asia/Shanghai"), ("Hawaii", "Pacific/Honolulu"), ("Paris, France", "Europe/Paris"),
        ("London, Ontario", "America/Toronto"), ("London, Canada", "America/Toronto"),
        ("Japan", "Asia/Tokyo"), ("Germany", "Europe/Berlin"), ("Österreich", "Europe/Vienna"),
        ("UK", "Europe/London"),
        ("Schweiz", "Europe/Zurich"), ("EST", "America/New_York"), ("+2", "Etc/GMT-2"), ("UTC+5:30", "Asia/Kolkata"),
        ("utc", "Etc/UTC"), ("Etc/GMT-2", "Etc/GMT-2"), ("  berlin\n", "Europe/Berlin"),
        ("ber\u202elin", "Europe/Berlin"),
    ],
)  # fmt: skip
def test_a_place_is_found_as_people_write_it(typed: str, zone: str) -> None:
    assert zones(typed) == [zone]
    assert places.find(typed, "en").sure


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("Berlin, who knows", "Europe/Berlin"), ("Berlin, Germany, or so", "Europe/Berlin"),
        ("Nowhere at all, Japan", "Asia/Tokyo"), ("Bogota, NJ", "America/New_York"), ("Cairo, Illinois", "America/Chicago"),
        ("UTC+3 Moscow", "Europe/Moscow"), ("(UTC+01:00) Amsterdam, Berlin, Rome", "Europe/Berlin"),
        ("Europe/Texas", "America/Chicago"), ("Lisbon, Spain", "Europe/Madrid"),
    ],
)  # fmt: skip
def test_a_place_of_which_a_word_is_not_understood_is_asked_about(typed: str, first: str) -> None:
    found = places.find(typed, "en")
    assert not found.sure
    assert found.places
    assert found.places[0].zone == first


@pytest.mark.parametrize(
    "typed",
    [
        "Berlin, Germany",
        "Berlin, Deutschland",
        "berlin,de",
        "Berlin, DE",
        "Deutschland, Berlin",
        "Berlin,",
        "Берлин, Германия",
    ],
)
def test_a_country_is_known_by_its_names_and_its_letters(typed: str) -> None:
    assert zones(typed, "de") == ["Europe/Berlin"]
    assert places.find(typed, "de").sure


@pytest.mark.parametrize(
    ("typed", "language", "place"),
    [
        ("wien", "de", Place("Europe/Vienna", "Wien")),
        ("wien", "en", Place("Europe/Vienna", "Vienna")),
        ("Köln", "de", Place("Europe/Berlin", "Köln")),
        ("Нью-Йорк", "ru", Place("America/New_York", "Нью-Йорк")),
        ("Brasília", "pt-br", Place("America/Sao_Paulo", "Brasília")),
        ("+2", "de", Place("Etc/GMT-2", "UTC+2")),
        ("berlin", "tlh", Place("Europe/Berlin", "Berlin")),
        ("berlin", "not a code", Place("Europe/Berlin", "Berlin")),
    ],
)
def test_a_place_is_called_what_the_person_calls_it(typed: str, language: str, place: Place) -> None:
    assert places.find(typed, language) == Found((place,))


def test_a_country_with_several_zones_offers_up_to_eight_most_people_first() -> None:
    assert zones("USA")[:3] == ["America/New_York", "America/Chicago", "America/Los_Angeles"]
    assert len(zones("Vereinigte Staaten", "de")) == 8
    assert zones("Россия", "ru")[0] == "Europe/Moscow"
    assert zones("congo") == ["Africa/Kinshasa", "Africa/Lubumbashi", "Africa/Brazzaville"]


TABLE = Path(__file__).parents[1] / "tables" / "places.tsv"
TYPED = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def test_of_what_people_type_nothing_is_misread_and_next_to_nothing_is_unknown() -> None:
    asked = misread = 0
    for typed, meant in TYPED:
        found = places.find(typed, "en")
        offered, right = {place.zone for place in found.places}, {*meant.split(",")}
        assert offered & right, (typed, offered)
        asked += len(offered) > 1 or not found.sure
        misread += len(offered) == 1 and found.sure and not offered <= right
    assert (len(TYPED) >= 200, misread) == (True, 0)
    assert asked < len(TYPED) / 8


def test_every_city_of_every_zone_is_known_by_its_name_in_any_language() -> None:
    languages = [
        "en", "de", "es", "fr", "it", "pt", "ru", "uk", "pl", "tr", "ar", "hi", "id", "nl", "cs", "sv", "fi", "el", "he", "fa",
        "ja", "ko", "zh", "th", "vi", "ro", "hu", "sr", "bg", "ka", "hy", "bn", "ta", "sw", "am",
    ]  # fmt: skip
    missing = []
    for code in languages:
        locale = Locale.parse(code)
        for zone in clocks.every():
            name = clocks.city(zone, locale)
            if zone not in [place.zone for place in places.find(name, "en", own=code).places] and zone in ZONES:
                missing.append((code, name, zone))
    assert missing == []


def test_a_namesake_ten_times_smaller_is_not_asked_about_and_any_other_is() -> None:
    assert zones("Paris") == ["Europe/Paris"]
    assert zones("Athens") == ["Europe/Athens", "America/New_York"]
    assert zones("Springfield") == ["America/Chicago", "America/New_York", "America/Los_Angeles"]
    assert zones("Salem") == ["Asia/Kolkata", "America/Los_Angeles"]


def test_a_state_of_several_clocks_offers_the_largest_town_of_each() -> None:
    assert [place.label for place in places.find("Texas", "en").places] == ["Houston, Texas", "El Paso, Texas"]
    assert zones("Bavaria") == ["Europe/Berlin"]


def test_where_two_clocks_are_in_use_both_are_to_choose_from() -> None:
    assert zones("Ürümqi") == ["Asia/Urumqi", "Asia/Shanghai"]
    assert places.at(43.825, 87.616) == ("Asia/Shanghai", "Asia/Urumqi")


def test_the_names_of_the_towns_are_folded_and_sorted_as_they_are_looked_up() -> None:
    names = [line.split("\t")[0] for line in towns._data().names.decode().splitlines()]
    assert names == sorted(names, key=str.encode)
    assert len(names) == len({*names}) > 150_000
    assert [name for name in names[::97] if fold(name) != name] == []
    assert {line.split("\t")[3] for line in towns._data().towns.decode().splitlines()} <= ZONES


def test_every_state_has_its_towns() -> None:
    empty = {
        (country, state)
        for country, states in regions._table().items()
        for state in states
        if not towns.of_state(country, state)
    }
    assert empty == {("CA", "NU")}


def test_a_name_that_several_places_bear_offers_them_all_told_apart() -> None:
    assert places.find("Portland", "en").places == (
        Place("America/Los_Angeles", "Portland, Oregon"),
        Place("America/New_York", "Portland, Maine"),
    )
    assert zones("Birmingham") == ["Europe/London", "America/Chicago"]
    assert zones("Georgia") == ["Asia/Tbilisi", "America/New_York"]


def test_the_beginning_of_a_name_offers_what_it_may_become() -> None:
    assert zones("san fran") == ["America/Los_Angeles"]
    assert zones("lond")[0] == "Europe/London"
    assert zones("san") == ["Africa/Bamako"]  # a town of Mali's
    assert not places.find("san", "en").sure
    assert not places.find("san fran", "en").sure


@pytest.mark.parametrize("typed", ["Berlni", "Berin", "Berlinn", "Bexlin"])
def test_one_slip_of_the_finger_is_forgiven(typed: str) -> None:
    assert Place("Europe/Berlin", "Berlin") in places.find(typed, "en").places
    assert not places.find(typed, "en").sure


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "?!",
        "10",
        "22:30",
        "xyzzyq",
        "hello",
        "be",
        "Brelni",
        "Factory",
        "+2:17",
        "\x00",
        "x" * 5000,
        "中" * 5000,
    ],
)
def test_what_is_no_place_finds_nothing(typed: str) -> None:
    assert zones(typed) == []


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=40))
def test_only_zones_that_exist_come_out_of_any_text(typed: str) -> None:
    found = places.find(typed, "en").places
    assert len(found) <= 8
    assert {place.zone for place in found} <= ZONES


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_every_zone_of_the_index_exists_and_has_a_name(language: str) -> None:
    known = index.of(Locale.parse(language))
    assert len(known) > 2000
    for name, found in known.items():
        assert name
        assert 1 <= len(found) <= 8
        assert all(place.zone in ZONES and place.label for place in found)


def test_every_zone_and_country_of_the_table_exists_and_guesses_are_three_to_six() -> None:
    table = clocks.tables()
    listed = [*table["cities"], *(key for key in table["short"] if "/" in key)]
    listed += [zone for section in ("countries", "guesses") for found in table[section].values() for zone in found]
    assert [zone for zone in listed if clocks.canonical(zone) != zone] == []
    assert sum(map(len, table["cities"].values())) > 500
    assert all(3 <= len(found) <= 6 for found in table["guesses"].values())
    assert {*table["countries"], *(key for key in table["short"] if "/" not in key)} <= {*clocks.countries()}


def test_no_city_of_the_table_hides_behind_a_zone_city_of_another_zone() -> None:
    hidden = {
        first: zones(first)
        for zone, entries in clocks.tables()["cities"].items()
        for first in (entry.partition("|")[0] for entry in entries)
        if zone not in zones(first)
    }
    assert hidden == {}


@pytest.mark.parametrize(
    ("where", "zone"),
    [
        ((52.52, 13.40), "Europe/Berlin"),
        ((40.71, -74.0), "America/New_York"),
        ((28.61, 77.21), "Asia/Kolkata"),
        ((-33.87, 151.21), "Australia/Sydney"),
        ((91, 0), None),
        ((0, 181), None),
        ((float("nan"), 0), None),
        ((0, float("inf")), None),
    ],
)
def test_a_location_is_in_a_zone(where: tuple[float, float], zone: str | None) -> None:
    assert places.at(*where) == ((zone,) if zone is not None else ())


@settings(deadline=None, max_examples=200)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_location_on_earth_is_in_a_zone_that_exists(latitude: float, longitude: float) -> None:
    found = places.at(latitude, longitude)
    assert found
    assert {*found} <= ZONES


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("de", "Europe/Berlin"),
        ("de-AT", "Europe/Vienna"),
        ("en", "Europe/London"),
        ("en-AU", "Australia/Sydney"),
        ("pt-br", "America/Sao_Paulo"),
        ("pt_PT", "Europe/Lisbon"),
        ("es-419", "Europe/Madrid"),
        ("zh-hant", "Asia/Taipei"),
        ("xx", "Europe/London"),
        ("", "Europe/London"),
        (None, "Europe/London"),
    ],
)
def test_a_language_code_offers_three_to_six_zones(code: str | None, first: str) -> None:
    guesses = places.guesses(code)
    assert guesses[0] == first
    assert 3 <= len(guesses) == len(set(guesses)) <= 6


@pytest.mark.parametrize(
    ("zone", "language", "label"),
    [
        ("Europe/Vienna", "de", "Wien"),
        ("America/New_York", "ru", "Нью-Йорк"),
        ("Asia/Calcutta", "en", "Kolkata"),
        ("Europe/Kyiv", "de", "Kiew"),
        ("Asia/Ho_Chi_Minh", "vi", "TP Hồ Chí Minh"),
        ("Asia/Yangon", "ru", "Янгон"),
        ("America/Nuuk", "ja", "ヌーク"),
        ("America/Argentina/Buenos_Aires", "en", "Buenos Aires"),
        ("America/Sao_Paulo", "pt-br", "São Paulo"),
        ("Etc/GMT-2", "de", "UTC+2"),
        ("Etc/GMT+11", "en", "UTC-11"),
        ("Etc/UTC", "en", "UTC"),
        ("Etc/GMT", "en", "UTC"),
    ],
)
def test_a_zone_is_labelled_with_its_city(zone: str, language: str, label: str) -> None:
    assert places.label(zone, language) == label


@pytest.mark.parametrize(
    ("zone", "language", "city", "name"),
    [
        ("Europe/Paris", "en", None, "Paris, France"),
        ("Europe/Vienna", "de", None, "Wien, Österreich"),
        ("Europe/Berlin", "en", "Munich", "Munich, Germany"),
        ("America/Toronto", "en", "London, Ontario", "London, Ontario, Canada"),
        ("Pacific/Auckland", "en", "Hamilton, New Zealand", "Hamilton, New Zealand"),
        ("Asia/Singapore", "en", None, "Singapore"),
        ("Europe/Kyiv", "uk", None, "Київ, Україна"),
        ("Asia/Calcutta", "en", None, "Kolkata, India"),
        ("Etc/GMT-2", "en", None, "UTC+2"),
        ("Antarctica/Troll", "en", None, "Troll"),
    ],
)
def test_a_place_is_named_with_its_country(zone: str, language: str, city: str | None, name: str) -> None:
    assert places.named(zone, language, None if city is None else Place(zone, city)) == name


def test_the_cities_of_the_table_share_their_zones_clock() -> None:
    # A spot check of the table by coordinates: the map may name another zone, but the clocks must agree all year.
    spots = {
        "Munich": (48.14, 11.58), "Seattle": (47.61, -122.33), "Mumbai": (19.08, 72.88), "Shenzhen": (22.54, 114.06),
        "Reynosa": (26.09, -98.28), "Bariloche": (-41.13, -71.31), "Ufa": (54.74, 55.97), "Saskatoon": (52.13, -106.67),
        "Astana": (51.13, 71.43), "Kemerovo": (55.35, 86.09), "Hanoi": (21.03, 105.85), "Lexington": (38.04, -84.5),
        "Puerto Vallarta": (20.65, -105.23), "Villahermosa": (17.99, -92.93), "El Paso": (31.76, -106.49),
        "Culiacán": (24.81, -107.39), "Palembang": (-2.98, 104.76), "Goma": (-1.66, 29.22), "Tampico": (22.26, -97.86),
    }  # fmt: skip
    for city, where in spots.items():
        (on_the_map,), typed = places.at(*where), zones(city)[0]
        for month in range(1, 13):
            moment = datetime(2026, month, 15, tzinfo=UTC)
            offsets = {moment.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for zone in (on_the_map, typed)}
            assert len(offsets) == 1, (city, on_the_map, typed)
