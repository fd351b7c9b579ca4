"""Which proxy is the way to Telegram: PROXY_URL, else what the environment names for all programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings
from config.proxies import GOOD
from tests.conftest import TOKEN


def proxy(**environ: str) -> str | None:
    return settings.load(None, {"BOT_TOKEN": TOKEN} | environ).proxy


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(settings.SettingsError) as caught:
        proxy(**environ)
    return caught.value.problems


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("https://proxy.example/", "https://proxy.example:443"),
        ("http://proxy.example:", "http://proxy.example:80"),
        ("SOCKS5://proxy.example", "socks5://proxy.example:1080"),
        ("socks5h://ada:a%40b@[::1]:9050", "socks5://ada:a%40b@[::1]:9050"),
        ("proxy.example:3128", "http://proxy.example:3128"),
    ],
)
def test_an_address_is_taken_with_its_port(given: str, taken: str) -> None:
    assert proxy(PROXY_URL=given) == taken


@pytest.mark.parametrize(
    "given",
    [
        "ftp://proxy.example",
        "socks4://proxy.example",
        "http://",
        "http://proxy.example:0",
        "http://proxy.example:99999",
        "http://proxy.example/path",
        "http://proxy.example?x=1",
        "http://pro xy.example",
        "https://[::1",
    ],
)
def test_what_is_no_proxy_gets_its_sentence(given: str) -> None:
    assert problems(PROXY_URL=given) == (f"PROXY_URL must be {GOOD}.",)
    assert problems(HTTPS_PROXY=given) == (
        f"HTTPS_PROXY of the environment is not {GOOD}; unset it, or set PROXY_URL.",
    )


def test_it_may_come_from_a_file_and_its_password_is_a_secret(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("socks5://ada:open%20sesame@proxy.example:1080\n")
    environ = {"BOT_TOKEN": TOKEN, "PROXY_URL_FILE": str(tmp_path / "proxy"), "HTTPS_PROXY": "http://other.example"}

    found = settings.load(None, environ)

    assert found.proxy == "socks5://ada:open%20sesame@proxy.example:1080"
    assert {"open%20sesame", "open sesame", "ada:open%20sesame@proxy.example:1080"} <= set(found.secrets())
    assert "sesame" not in repr(found)


@pytest.mark.parametrize(
    ("environ", "taken"),
    [
        ({"HTTPS_PROXY": "http://a.example:1"}, "http://a.example:1"),
        ({"https_proxy": "a.example:1", "HTTPS_PROXY": "http://b.example:1"}, "http://a.example:1"),
        ({"https_proxy": "", "ALL_PROXY": "socks5h://a.example"}, "socks5://a.example:1080"),
        ({"HTTP_PROXY": "http://a.example:1"}, None),
        ({"HTTP_PROXY": "http://a.example:1", "TELEGRAM_API_URL": "http://api.example"}, "http://a.example:1"),
        ({"HTTPS_PROXY": "http://a.example:1", "PROXY_URL": "http://b.example:2"}, "http://b.example:2"),
        ({"HTTPS_PROXY": "http://a.example:1", "NO_PROXY": "x.example, api.telegram.org"}, None),
        ({"HTTPS_PROXY": "http://a.example:1", "no_proxy": ".telegram.org"}, None),
        ({"HTTPS_PROXY": "http://a.example:1", "no_proxy": "*"}, None),
        ({"HTTPS_PROXY": "http://a.example:1", "no_proxy": "gram.org"}, "http://a.example:1"),
    ],
)
def test_the_environment_says_it_as_for_other_programs(environ: dict[str, str], taken: str | None) -> None:
    assert proxy(**environ) == taken


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8081", "[::1]:8081"])
def test_a_server_on_this_machine_needs_no_proxy_of_the_environment(host: str) -> None:
    api = f"http://{host}"

    assert proxy(TELEGRAM_API_URL=api, HTTP_PROXY="http://a.example:1", ALL_PROXY="http://a.example:1") is None
    assert proxy(TELEGRAM_API_URL=api, PROXY_URL="http://a.example:1") == "http://a.example:1"
