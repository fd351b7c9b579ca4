"""Webhook mode: what it needs, and the sentence for each thing that is missing or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings
from config.addresses import Listen

SECRET = "s3cret_-" * 4
GOOD = {
    "BOT_TOKEN": "123456:TEST",
    "MODE": "webhook",
    "WEBHOOK_URL": "https://lull.example.org/telegram",
    "WEBHOOK_SECRET": SECRET,
}


def load(**environ: str) -> settings.Settings:
    return settings.load(None, dict(environ))


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(settings.SettingsError) as caught:
        load(**environ)
    return caught.value.problems


def test_polling_without_a_web_server_is_the_default() -> None:
    found = load(BOT_TOKEN="123456:TEST")

    assert (found.mode, found.address, found.webhook_url, found.webhook_secret) == ("polling", None, None, None)


def test_webhook_mode_listens_on_this_machine_only_unless_told_otherwise() -> None:
    assert load(**GOOD).address == Listen("127.0.0.1", 8080)
    assert load(**GOOD, LISTEN="10.0.0.5:9000").address == Listen("10.0.0.5", 9000)


@pytest.mark.parametrize(
    ("given", "listen"),
    [
        ("127.0.0.1:0", Listen("127.0.0.1", 0)),
        (":9000", Listen("127.0.0.1", 9000)),
        ("[::1]:80", Listen("::1", 80)),
        ("lull.local:65535", Listen("lull.local", 65535)),
    ],
)
def test_a_place_to_listen_is_read(given: str, listen: Listen) -> None:
    assert load(BOT_TOKEN="123456:TEST", LISTEN=given).address == listen


def test_webhook_mode_says_each_thing_that_it_lacks() -> None:
    assert problems(BOT_TOKEN="123456:TEST", MODE="webhook", WEBHOOK_SECRET=SECRET) == (
        "MODE=webhook needs WEBHOOK_URL; set it, or leave MODE out to poll.",
    )
    assert problems(**{name: value for name, value in GOOD.items() if name != "WEBHOOK_SECRET"}) == (
        "MODE=webhook needs WEBHOOK_SECRET; set it, or leave MODE out to poll.",
    )


@pytest.mark.parametrize("secret", [SECRET[:31], SECRET + "!", "x" * 257, "ä" * 40])
def test_a_short_or_odd_secret_is_refused_once_and_never_shown(secret: str) -> None:
    (problem,) = problems(**GOOD | {"WEBHOOK_SECRET": secret})

    assert problem.startswith("WEBHOOK_SECRET must be 32 to 256 of the characters A-Z a-z 0-9 _ -;")
    assert secret not in problem


@pytest.mark.parametrize(
    "url", ["http://lull.example.org/x", "lull.example.org", "https://u:p@h/x", "https://h/x?y=1", "ftp://h/x", "/x"]
)
def test_an_address_that_telegram_could_not_or_should_not_use_is_refused(url: str) -> None:
    (problem,) = problems(**GOOD | {"WEBHOOK_URL": url})

    assert problem.startswith("WEBHOOK_URL must be an https:// address (http:// only on this machine)")


def test_plain_http_on_this_machine_is_fine() -> None:
    assert load(**GOOD | {"WEBHOOK_URL": "http://127.0.0.1:8080/x"}).webhook_url == "http://127.0.0.1:8080/x"


def test_the_webhook_has_a_path_of_its_own() -> None:
    assert problems(**GOOD | {"WEBHOOK_URL": "https://h/metrics"}) == (
        "WEBHOOK_URL ends in /metrics, which is taken; give it a path of its own.",
    )


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", "127.0.0.1:70000", "a b:1", "::1:80"])
def test_no_place_to_listen_is_refused(listen: str) -> None:
    (problem,) = problems(BOT_TOKEN="123456:TEST", LISTEN=listen)

    assert problem.startswith("LISTEN must be a host and a port, such as 127.0.0.1:8080")


def test_another_mode_is_refused() -> None:
    assert problems(BOT_TOKEN="123456:TEST", MODE="push") == ("MODE is “push”; it must be polling or webhook.",)


def test_the_secret_leaves_the_environment_and_is_redacted() -> None:
    environ = dict(GOOD)

    found = settings.load(None, environ)

    assert "WEBHOOK_SECRET" not in environ
    assert SECRET in found.secrets()
    assert SECRET not in repr(found)


def test_the_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    given = {name: value for name, value in GOOD.items() if name != "WEBHOOK_SECRET"}

    found = load(**given, WEBHOOK_SECRET_FILE=str(file))

    assert found.webhook_secret is not None
    assert found.webhook_secret.get_secret_value() == SECRET
