"""Settings: what is read from where, and the sentence that each bad value gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config import reference, settings

ROOT = Path(__file__).parents[2]
TOKEN = "123456:TEST"
SECRETISH = "7654321:AAF-secret_secret_secret_secret_s"


def load(tmp_path: Path, text: str = "", **environ: str) -> settings.Settings:
    env_file = tmp_path / ".env"
    env_file.write_text(text, encoding="utf-8")
    return settings.load(env_file, environ)


def problems(tmp_path: Path, text: str = "", **environ: str) -> tuple[str, ...]:
    with pytest.raises(settings.SettingsError) as caught:
        load(tmp_path, text, **environ)
    return caught.value.problems


def test_a_token_is_all_that_is_needed(tmp_path: Path) -> None:
    found = load(tmp_path, BOT_TOKEN=TOKEN)

    assert found.bot_token.get_secret_value() == TOKEN
    assert found.admin_ids == ()
    assert found.database_url.get_secret_value() == "sqlite+aiosqlite:///data/lull.db"
    assert found.telegram_api_url == "https://api.telegram.org"
    assert (found.send_rate, found.paid_broadcasts) == (25, False)
    assert (found.log_level, found.log_format, found.operator_contact) == ("INFO", "console", "")
    assert (found.content_dir, found.clock_file, found.fail_point) == (None, None, None)


def test_every_setting_can_be_written_in_the_file(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.touch()
    text = f"""
        export BOT_TOKEN='{TOKEN}'
        ADMIN_IDS=1, 2,2   # the two of us
        DATABASE_URL="postgres://lull:pw@db/lull"
        TELEGRAM_API_URL=http://127.0.0.1:8081/
        PAID_BROADCASTS=Yes
        SEND_RATE=1000
        LOG_LEVEL=debug
        LOG_FORMAT=JSON
        OPERATOR_CONTACT=Ana, ana@example.org 👩‍⚕️
        CRISIS_LINE=Our own line: 0800 12 12 12, day and night.
        CONTENT_DIR={tmp_path}
        CLOCK_FILE={clock}
        FAIL_POINT=after_claim:3
        COMPOSE_PROJECT_NAME=lull
        POSTGRES_PASSWORD=pw
    """
    found = load(tmp_path, text)

    assert found.admin_ids == (1, 2)
    assert found.database_url.get_secret_value() == "postgresql+asyncpg://lull:pw@db/lull"
    assert found.telegram_api_url == "http://127.0.0.1:8081"
    assert (found.send_rate, found.paid_broadcasts) == (1000, True)
    assert (found.log_level, found.log_format) == ("DEBUG", "json")
    assert found.operator_contact == "Ana, ana@example.org 👩‍⚕️"
    assert found.crisis_line == "Our own line: 0800 12 12 12, day and night."
    assert (found.content_dir, found.clock_file, found.fail_point) == (tmp_path, clock, "after_claim:3")


def test_the_environment_comes_before_the_file_unless_it_is_empty(tmp_path: Path) -> None:
    text = f"BOT_TOKEN={TOKEN}\nSEND_RATE=10\nLOG_LEVEL=ERROR\n"

    found = load(tmp_path, text, SEND_RATE="20", LOG_LEVEL="", UNRELATED="x")

    assert (found.send_rate, found.log_level) == (20, "ERROR")


def test_no_file_at_all_is_fine(tmp_path: Path) -> None:
    assert settings.load(tmp_path / ".env", {"BOT_TOKEN": TOKEN}).send_rate == 25
    assert settings.load(None, {"BOT_TOKEN": TOKEN}).send_rate == 25


def test_a_file_saved_by_notepad_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfBOT_TOKEN=123456:TEST\r\nSEND_RATE=7\r\n")

    assert settings.load(tmp_path / ".env", {}).send_rate == 7


def test_nothing_is_substituted_in_values(tmp_path: Path) -> None:
    found = load(tmp_path, f"BOT_TOKEN={TOKEN}\nDATABASE_URL=postgresql://u:a${{HOME}}b@h/d\n", HOME="/root")

    assert found.database_url.get_secret_value() == "postgresql+asyncpg://u:a${HOME}b@h/d"


@pytest.mark.parametrize(
    ("given", "normalised"),
    [
        ("sqlite:////var/lib/lull.db", "sqlite+aiosqlite:////var/lib/lull.db"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
        ("postgres://u@h/d?a=1&sslmode=require", "postgresql+asyncpg://u@h/d?a=1&ssl=require"),
    ],
)
def test_database_addresses_get_their_driver(tmp_path: Path, given: str, normalised: str) -> None:
    assert load(tmp_path, BOT_TOKEN=TOKEN, DATABASE_URL=given).database_url.get_secret_value() == normalised


DATABASE = "DATABASE_URL must begin with sqlite:/// or postgresql://, such as sqlite:///data/lull.db."
NO_FILE = "DATABASE_URL names no file; SQLite takes three slashes and a path, such as sqlite:///data/lull.db."
BAD_TOKEN = "BOT_TOKEN is not a bot token; copy all of it from @BotFather: digits, a colon, then letters and digits."
API = (
    "TELEGRAM_API_URL must be an http:// or https:// address without user name or options, "
    "such as https://api.telegram.org."
)
IDS = "it must be numeric user ids, such as 12345678, 23456789."
RATE = "it must be a whole number from 1 to 30 (up to 1000 only with PAID_BROADCASTS=true)."
CONTROL = "OPERATOR_CONTACT holds a line break or an invisible control character; it must be one line of plain text."
FAIL_POINT = "FAIL_POINT is not the name of a fail point; leave it out, it is for tests of faults."


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BOT_TOKEN", "hello", BAD_TOKEN),
        ("BOT_TOKEN", "bot123456:TEST", BAD_TOKEN),
        ("BOT_TOKEN", "123456:TEST\nmore", BAD_TOKEN),
        ("ADMIN_IDS", "1, @me", f"ADMIN_IDS holds “@me”; {IDS}"),
        ("ADMIN_IDS", "-100123", f"ADMIN_IDS holds “-100123”; {IDS}"),
        ("ADMIN_IDS", "0", f"ADMIN_IDS holds “0”; {IDS}"),
        ("ADMIN_IDS", "[1", f"ADMIN_IDS holds “[1”; {IDS}"),
        ("ADMIN_IDS", "٣", f"ADMIN_IDS holds “٣”; {IDS}"),
        ("ADMIN_IDS", SECRETISH, f"ADMIN_IDS holds something else; {IDS}"),
        ("DATABASE_URL", "mysql://u:p@h/d", DATABASE),
        ("DATABASE_URL", "data/lull.db", DATABASE),
        ("DATABASE_URL", "postgresql://", DATABASE),
        ("DATABASE_URL", "postgresql://h/d x", DATABASE),
        ("DATABASE_URL", "sqlite:///", NO_FILE),
        ("DATABASE_URL", "sqlite://data/lull.db", NO_FILE),
        ("TELEGRAM_API_URL", "api.telegram.org", API),
        ("TELEGRAM_API_URL", "ftp://api.telegram.org", API),
        ("TELEGRAM_API_URL", "https://", API),
        ("TELEGRAM_API_URL", "https://u:p@h", API),
        ("TELEGRAM_API_URL", "https://h:99999", API),
        ("TELEGRAM_API_URL", "https://[::1", API),
        ("TELEGRAM_API_URL", "https://h/?x=1", API),
        ("PAID_BROADCASTS", "maybe", "PAID_BROADCASTS is “maybe”; it must be true or false."),
        ("DATABASE_POOL", "2", "DATABASE_POOL is “2”; it must be a whole number from 3 to 200."),
        ("DATABASE_POOL", "many", "DATABASE_POOL is “many”; it must be a whole number from 3 to 200."),
        ("SEND_RATE", "0", f"SEND_RATE is “0”; {RATE}"),
        ("SEND_RATE", "31", f"SEND_RATE is “31”; {RATE}"),
        ("SEND_RATE", "2.5", f"SEND_RATE is “2.5”; {RATE}"),
        ("SEND_RATE", "-5", f"SEND_RATE is “-5”; {RATE}"),
        ("SEND_RATE", "fast", f"SEND_RATE is “fast”; {RATE}"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL is “LOUD”; it must be DEBUG, INFO, WARNING or ERROR."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is “xml”; it must be console or json."),
        ("OPERATOR_CONTACT", "x" * 201, "OPERATOR_CONTACT is 201 characters long; it may be 200 at most."),
        ("OPERATOR_CONTACT", "a\nb", CONTROL),
        ("OPERATOR_CONTACT", "a\u202eb", CONTROL),
        ("OPERATOR_CONTACT", "a\x9bb", CONTROL),
        ("CRISIS_LINE", "x" * 201, "CRISIS_LINE is 201 characters long; it may be 200 at most."),
        ("CRISIS_LINE", "a\u202eb", CONTROL.replace("OPERATOR_CONTACT", "CRISIS_LINE")),
        (
            "CONTENT_DIR",
            "/nowhere/at/all",
            "CONTENT_DIR is not an existing folder; make the folder, or leave the setting out.",
        ),
        (
            "CONTENT_DIR",
            "~nobody-here/x",
            "CONTENT_DIR is not an existing folder; make the folder, or leave the setting out.",
        ),
        (
            "CLOCK_FILE",
            "x" * 5000,
            "CLOCK_FILE is not an existing file; leave it out unless a test or the demo made one.",
        ),
        ("FAIL_POINT", "a b", FAIL_POINT),
    ],
)
def test_a_bad_value_gets_its_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    environ = {"BOT_TOKEN": TOKEN, name: value}

    assert problems(tmp_path, **environ) == (sentence,)


def test_paid_broadcasts_raise_the_rate_to_a_thousand_and_no_further(tmp_path: Path) -> None:
    found = problems(tmp_path, BOT_TOKEN=TOKEN, PAID_BROADCASTS="true", SEND_RATE="1001")

    assert found == ("SEND_RATE is “1001”; it must be a whole number from 1 to 1000.",)


@pytest.mark.parametrize("text", ["", "BOT_TOKEN=\n", "BOT_TOKEN=   \n", "BOT_TOKEN= # later\n"])
def test_a_missing_or_empty_token_is_told_apart(tmp_path: Path, text: str) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        load(tmp_path, text, BOT_TOKEN="")

    assert caught.value.token_missing
    assert caught.value.problems == (
        "BOT_TOKEN is missing; get one from @BotFather on Telegram and write BOT_TOKEN=<the token> in .env.",
    )


def test_a_wrong_token_is_not_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        load(tmp_path, "BOT_TOKEN=hello")

    assert not caught.value.token_missing


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "SEND_RAET=3\nLOG_LEVEL=LOUD\n", SEND_RATE="99")

    assert [sentence.split()[0] for sentence in found] == ["SEND_RAET", "BOT_TOKEN", "SEND_RATE", "LOG_LEVEL"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("SEND_RAET=3", "SEND_RAET in .env is not a setting; did you mean SEND_RATE?"),
        ("bot_token=1:x", "bot_token in .env is not a setting; did you mean BOT_TOKEN?"),
        ("DATABASE_URL_FIEL=x", "DATABASE_URL_FIEL in .env is not a setting; did you mean DATABASE_URL_FILE?"),
        ("QQQ=1", "QQQ in .env is not a setting; remove it, or see .env.example for the names."),
        ("LOG_LEVEL", "Line 3 of .env cannot be read; write it as NAME=value."),
        (SECRETISH, "Line 3 of .env cannot be read; write it as NAME=value."),
        (f"{SECRETISH}=", "Line 3 of .env cannot be read; write it as NAME=value."),
        ("LOG_LEVEL='INFO", "Line 3 of .env cannot be read; write it as NAME=value."),
        ("BOT_TOKEN=654321:OTHER", "BOT_TOKEN stands twice in .env, the second time on line 3; keep one."),
    ],
)
def test_a_line_that_is_not_ours_gets_its_sentence(tmp_path: Path, line: str, sentence: str) -> None:
    assert problems(tmp_path, f"BOT_TOKEN={TOKEN}\n\n{line}\n") == (sentence,)


def test_a_file_that_is_not_text_gets_its_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BOT_TOKEN=\xff\xfe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    def problem(name: str) -> str:
        with pytest.raises(settings.SettingsError) as caught:
            settings.load(tmp_path / name, {"BOT_TOKEN": TOKEN})
        return str(caught.value)

    assert problem(".env") == ".env is not UTF-8 text; save it again with that encoding."
    assert problem("folder") == "folder is a folder; it must be a text file."
    assert problem("loop").startswith("loop cannot be read (")


def test_secrets_come_from_files_and_are_stripped(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"  {TOKEN}\r\n\n")
    (tmp_path / "url").write_text("postgres://u:p@h/d\n")

    found = load(
        tmp_path, f"BOT_TOKEN_FILE={tmp_path / 'token'}", DATABASE_URL_FILE=str(tmp_path / "url"), BOT_TOKEN=""
    )

    assert found.bot_token.get_secret_value() == TOKEN
    assert found.database_url.get_secret_value() == "postgresql+asyncpg://u:p@h/d"


def test_a_secret_and_its_file_are_not_both_taken(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)

    found = problems(tmp_path, f"BOT_TOKEN={TOKEN}", BOT_TOKEN_FILE=str(tmp_path / "token"))

    assert found == ("BOT_TOKEN and BOT_TOKEN_FILE are both set; keep one of them.",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            None,
            "BOT_TOKEN_FILE names no existing file; give the path of a file that holds only the secret.",
        ),
        (b" \n", "The file that BOT_TOKEN_FILE names is empty; it must hold only the secret."),
        (b"x" * 5000, "The file that BOT_TOKEN_FILE names is too long; it must hold only the secret."),
        (b"\xff", "The file that BOT_TOKEN_FILE names is not UTF-8 text; it must hold only the secret."),
        (b"hello", BAD_TOKEN),
    ],
)
def test_a_bad_secret_file_gets_its_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(settings.SettingsError) as caught:
        load(tmp_path, BOT_TOKEN_FILE=str(path))

    assert caught.value.problems == (sentence,)
    assert not caught.value.token_missing


@pytest.mark.skipif(not os.path.isfile("/proc/self/mem"), reason="needs a file that root cannot read either")
def test_a_secret_file_that_cannot_be_read_gets_its_sentence(tmp_path: Path) -> None:
    (sentence,) = problems(tmp_path, BOT_TOKEN_FILE="/proc/self/mem")

    assert sentence.startswith("The file that BOT_TOKEN_FILE names cannot be read (")


def test_a_token_pasted_where_a_path_belongs_is_not_shown(tmp_path: Path) -> None:
    assert SECRETISH not in str(problems(tmp_path, BOT_TOKEN_FILE=SECRETISH))


@pytest.mark.parametrize("name", [name.upper() for name in settings.Settings.model_fields])
def test_a_token_in_the_wrong_place_is_never_shown(tmp_path: Path, name: str) -> None:
    given = {"BOT_TOKEN": TOKEN, "SEND_RATE": "99", name: f"x {SECRETISH} \n"}

    with pytest.raises(settings.SettingsError) as caught:
        load(tmp_path, **given)

    assert SECRETISH not in f"{caught.value} {caught.value!r}"
    # What an error was raised from would be printed, and kept, with it.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_secrets_are_in_no_text_of_the_settings(tmp_path: Path) -> None:
    found = load(tmp_path, BOT_TOKEN=SECRETISH, DATABASE_URL="postgresql://u:hunter22@h/d")

    text = f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"

    assert SECRETISH not in text
    assert "hunter22" not in text


def test_the_texts_to_redact_include_every_spelling_of_the_password(tmp_path: Path) -> None:
    found = load(tmp_path, BOT_TOKEN=SECRETISH, DATABASE_URL="postgresql://u:hunter%2022@h/d?password=opensesame")

    assert {SECRETISH, SECRETISH.split(":")[1], "hunter%2022", "hunter 22", "opensesame"} <= set(found.secrets())


def test_short_pieces_are_redacted_only_inside_their_whole(tmp_path: Path) -> None:
    found = load(tmp_path, BOT_TOKEN=TOKEN, DATABASE_URL="postgresql://u:pw@h/d")

    assert found.secrets() == (TOKEN, "u:pw@h/d")
    assert load(tmp_path, BOT_TOKEN=TOKEN).secrets() == (TOKEN,)


def test_secrets_leave_the_environment_and_child_processes_do_not_see_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x.db")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")

    found = settings.load(tmp_path / ".env")
    child = subprocess.run([sys.executable, "-c", "import os; print(dict(os.environ))"], capture_output=True, text=True)

    assert found.bot_token.get_secret_value() == TOKEN
    assert "BOT_TOKEN" not in os.environ
    assert "DATABASE_URL" not in os.environ
    assert "LOG_LEVEL" in child.stdout
    assert TOKEN not in child.stdout
    assert "x.db" not in child.stdout


def test_secrets_leave_the_environment_also_when_something_is_wrong(tmp_path: Path) -> None:
    environ = {"BOT_TOKEN": TOKEN, "SEND_RATE": "99"}

    with pytest.raises(settings.SettingsError):
        settings.load(tmp_path / ".env", environ)

    assert environ == {"SEND_RATE": "99"}


def test_settings_made_by_hand_are_checked_and_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEND_RATE", "7")

    made = settings.Settings(bot_token=SecretStr(TOKEN), admin_ids=(5,))

    assert (made.send_rate, made.admin_ids) == (25, (5,))
    with pytest.raises(ValidationError, match="SEND_RATE is “99”"):
        settings.Settings(bot_token=SecretStr(TOKEN), send_rate=99)
    with pytest.raises(ValidationError, match="BOT_TOKEN is not a bot token") as caught:
        settings.Settings.model_validate({"bot_token": f"{SECRETISH}!"})
    assert SECRETISH not in str(caught.value)


def test_settings_do_not_change() -> None:
    made = settings.Settings(bot_token=SecretStr(TOKEN))

    with pytest.raises(ValidationError, match="frozen"):
        made.send_rate = 3


def test_the_example_works_once_the_token_is_filled_in(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    filled = text.replace("BOT_TOKEN=", f"BOT_TOKEN={TOKEN}")
    all_on = re.sub(r"(?m)^# ([A-Z_]+=)", r"\1", filled)

    assert all_on != filled
    assert load(tmp_path, filled) == load(tmp_path, all_on) == settings.Settings(bot_token=SecretStr(TOKEN))


def test_every_setting_has_a_row_in_the_table_for_operators_or_in_that_for_developers() -> None:
    rows, ours = reference.table().splitlines(), reference.table(developers=True).splitlines()

    assert len(rows) - 2 + len(ours) - 2 == len(settings.Settings.model_fields)
    assert [row.split("`")[1] for row in ours[2:]] == ["CLOCK_FILE", "CLOCK_GUARD", "FAIL_POINT"]
    assert all(row.count("|") == 4 for row in rows)
    assert rows[2].startswith("| `BOT_TOKEN` | *required* | ")
    assert "`BOT_TOKEN_FILE`" in rows[2]
    assert any(row.startswith("| `SEND_RATE` | `25` | ") for row in rows)
