"""Logs: nothing secret, nothing over two lines, from whichever corner of the process it comes."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import logs

ROOT = Path(__file__).parents[2]
TOKEN = "7654321:AAF-secret_secret_secret_secret_s"
OTHER = "1234567890:" + "b" * 35
PASSWORD = 'pa"ss wörd\\'

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    root = logging.getLogger()
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    kept = root.level, root.handlers[:], logs._keeping
    yield
    logging.captureWarnings(False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    root.level, root.handlers, logs._keeping = kept
    for name in logs._CHATTY + logs._PRIVATE:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Logging as JSON at DEBUG; calling it gives the lines so far, after a look for secrets in the raw text."""
    logs.configure("DEBUG", "json", secrets=[TOKEN, PASSWORD], hash_key=b"key")

    def read() -> list[dict[str, object]]:
        out, err = capsys.readouterr()
        assert out == ""
        for secret in (TOKEN, OTHER, PASSWORD, json.dumps(PASSWORD)[1:-1], repr(PASSWORD)[1:-1]):
            assert secret not in err
        return [json.loads(line) for line in err.splitlines()]

    return read


def test_an_event_is_one_json_line_with_time_level_and_logger(lines: Lines) -> None:
    logs.logger("bot.delivery").info("sent %s", "it", copies=1, late=False, wait=0.5, form=None, odd=float("nan"))

    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(line.pop("timestamp")))
    assert line == {
        "level": "info",
        "logger": "bot.delivery",
        "event": "sent it",
        "copies": 1,
        "late": False,
        "wait": 0.5,
        "form": None,
        "odd": "nan",
    }


def test_an_event_is_one_readable_console_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console", secrets=[TOKEN], hash_key=b"key")

    logs.logger("bot").warning("Telegram is slow", seconds=3, why="a b", said='x="1"', empty="", zone="Zürich")
    logs.logger("bot").debug("not shown")

    (line,) = capsys.readouterr().err.splitlines()
    assert re.sub(r"^\S+Z ", "", line) == (
        r'warning  bot: Telegram is slow seconds=3 why="a b" said="x=\"1\"" empty="" zone=Zürich'
    )


def test_libraries_log_in_the_same_form(lines: Lines) -> None:
    logging.getLogger("alembic.runtime").warning("Running %s", "upgrade")

    (line,) = lines()
    assert (line["logger"], line["level"], line["event"]) == ("alembic.runtime", "warning", "Running upgrade")


def test_secrets_are_redacted_wherever_they_stand(lines: Lines) -> None:
    log = logs.logger("bot")
    log.info(f"asking /bot{TOKEN}/getMe", other=OTHER, encoded=OTHER.replace(":", "%3A"), held=[{"password": PASSWORD}])
    log.info("with %s", TOKEN, data=TOKEN.encode(), path=Path(f"/bot{OTHER}/x"))
    logging.getLogger("httpx").info('HTTP Request: POST https://h/bot%s/sendMessage "200 OK"', OTHER)
    logging.getLogger("x").error("%(token)s and %(password)s", {"token": TOKEN, "password": PASSWORD})

    found = lines()
    assert found[0]["event"] == "asking /bot[secret]/getMe"
    assert (found[0]["other"], found[0]["encoded"]) == ("[secret]", "[secret]")
    assert found[0]["held"] == "[{'password': '[secret]'}]"
    assert (found[1]["event"], found[1]["data"], found[1]["path"]) == ("with [secret]", "b'[secret]'", "/bot[secret]/x")
    assert found[2]["event"] == 'HTTP Request: POST https://h/bot[secret]/sendMessage "200 OK"'
    assert found[3]["event"] == "[secret] and [secret]"


def test_short_test_tokens_are_redacted_when_they_are_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console", secrets=["123456:TEST", ""], hash_key=b"key")

    logs.logger("bot").info("using 123456:TEST at 12:30")

    assert capsys.readouterr().err.endswith("bot: using [secret] at 12:30\n")


def fail(text: str) -> None:
    raise ValueError(text)


def fail_in_turn() -> None:
    try:
        fail(f"no answer from /bot{TOKEN}/getMe\n[parameters: my diary]")
    except ValueError as error:
        raise RuntimeError(f"gave up on {OTHER}") from error


def test_a_traceback_is_one_line_without_secrets_locals_or_parameters(lines: Lines) -> None:
    try:
        fail_in_turn()
    except RuntimeError:
        logs.logger("bot").exception("sweep failed")
        logging.getLogger("telegram.ext").exception("%s", "update failed")

    ours, theirs = lines()
    assert (ours["event"], ours["level"]) == ("sweep failed", "error")
    assert theirs["exception"] == ours["exception"]
    story = re.sub(r":\d+ ", ":N ", str(ours["exception"]))
    here = "config/test_logs.py:N"
    assert story == (
        f"RuntimeError: gave up on [secret] ({here} test_a_traceback_is_one_line_without_secrets_locals_or_parameters"
        f" > {here} fail_in_turn) caused by ValueError: no answer from /bot[secret]/getMe"
        f" ({here} fail_in_turn > {here} fail)"
    )


def test_traces_tell_groups_contexts_and_errors_without_text() -> None:
    group = ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    assert logs.trace(group) == "ExceptionGroup: two (2 sub-exceptions) of [ValueError: a; KeyError: 'b']"

    second = OSError()
    second.__context__ = ValueError("first")
    assert logs.trace(second) == "OSError while handling ValueError: first"
    second.__suppress_context__ = True
    assert logs.trace(second) == "OSError"

    assert logs.trace(SyntaxError("bad", ("f.py", 1, 1, f"x = '{TOKEN}'"))) == "SyntaxError: bad"


def test_a_trace_stays_short_however_deep_the_trouble() -> None:
    def recurse() -> None:
        recurse()

    error: BaseException = ValueError("0")
    for number in range(1, 3000):
        following = ValueError(str(number))
        following.__cause__ = error
        error = following
    with pytest.raises(RecursionError) as caught:
        recurse()

    assert logs.trace(error) == " caused by ".join(f"ValueError: {number}" for number in range(2999, 2994, -1))
    assert logs.trace(caught.value).count(" recurse") == 15


def test_control_characters_are_escaped(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytest keeps what is logged for its report, and half a character cannot be sent from a worker of a parallel run.
    ours_alone = [one for one in logging.root.handlers if not type(one).__module__.startswith("_pytest")]
    monkeypatch.setattr(logging.root, "handlers", ours_alone)
    nasty = "a\r\nINFO forged\x1b[2J\x9b\u202e\u2028\ud800\x00z"
    escaped = r"a\r\nINFO forged\x1b[2J\x9b\u202e\u2028\ud800\x00z"

    logs.logger("bot").info(nasty, value=nasty, held=[nasty])
    logging.getLogger("x").error("%s", nasty)
    logging.getLogger("x").error("failed", exc_info=ValueError("\x1b[2Jx"))

    ours, theirs, failed = lines()
    assert (ours["event"], ours["value"], theirs["event"]) == (escaped, escaped, escaped)
    assert "\x1b" not in str(ours["held"])
    assert failed["exception"] == r"ValueError: \x1b[2Jx"


def test_a_console_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "console", secrets=[], hash_key=b"key")

    logs.logger("bot").info("a\nb", c="d\n2026-11-20 critical forged: e")

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert r"bot: a\nb c=" in err


class Unprintable:
    def __str__(self) -> str:
        raise ValueError(f"cannot print {TOKEN}")


def test_an_event_that_cannot_be_written_is_reported_and_raises_nothing(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without pytest's handler, which raises what ours reports.
    monkeypatch.setattr(logging.getLogger(), "handlers", logging.getLogger().handlers[:1])

    logs.logger("bot").info("sent", what=Unprintable())
    logging.getLogger("x").info("one %s two %s", TOKEN)  # noqa: PLE1206 - the mistake is meant

    first, second = lines()
    event = re.sub(r":\d+ ", ":N ", str(first["event"]))
    assert event == "the event at test_logs.py:N could not be logged"
    assert (first["logger"], first["level"]) == ("bot", "error")
    assert str(first["exception"]).startswith("ValueError: cannot print [secret] (")
    assert str(second["exception"]).startswith("TypeError: not enough arguments for format string (")


def test_a_closed_stream_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = (tmp_path / "log").open("w")
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("INFO", "json", secrets=[], hash_key=b"key")
    logs.logger("bot").info("before")
    stream.close()

    logs.logger("bot").info("after")

    assert "before" in (tmp_path / "log").read_text()


def test_what_libraries_say_of_people_stays_out_even_at_debug(lines: Lines) -> None:
    for name in ("telegram.ext.ExtBot", "sqlalchemy.engine.Engine", "aiosqlite", "httpcore.connection"):
        logging.getLogger(name).debug("parameters: my diary")
    logging.getLogger("sqlalchemy.engine.Engine").info("parameters: my diary")
    logging.getLogger("telegram.ext").info("Application started")

    assert [line["event"] for line in lines()] == ["Application started"]


@pytest.mark.parametrize(("level", "heard"), [("INFO", ["warning", "error"]), ("ERROR", ["error"])])
def test_chatty_libraries_speak_from_warning_up(
    capsys: pytest.CaptureFixture[str], level: str, heard: list[str]
) -> None:
    logs.configure(level, "json", secrets=[], hash_key=b"key")

    for method in ("info", "warning", "error"):
        getattr(logging.getLogger("httpx"), method)(method)

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == heard


def test_warnings_are_logged(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # Inside, because pytest puts its own recorder in the place of what configure installed.
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(f"old {OTHER}", UserWarning, stacklevel=1)
        logging.captureWarnings(False)

    (line,) = lines()
    assert line["logger"] == "py.warnings"
    assert "UserWarning: old [secret]" in str(line["event"])


def test_an_unhandled_exception_is_logged(lines: Lines) -> None:
    sys.excepthook(ValueError, ValueError(TOKEN), None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)

    crash, interrupt = lines()
    assert (crash["level"], crash["exception"]) == ("critical", "ValueError: [secret]")
    assert (interrupt["level"], interrupt["event"]) == ("warning", "interrupted")
    assert "exception" not in interrupt


def test_a_thread_that_dies_is_logged_and_one_that_exits_is_not(lines: Lines) -> None:
    for target in (lambda: fail(TOKEN), lambda: sys.exit(TOKEN)):
        thread = threading.Thread(target=target, name="worker")
        thread.start()
        thread.join()

    (line,) = lines()
    assert (line["logger"], line["thread"]) == ("thread", "worker")
    assert str(line["exception"]).startswith("ValueError: [secret] (")


def test_an_exception_in_a_finaliser_is_logged(lines: Lines) -> None:
    class Leaky:
        def __del__(self) -> None:
            fail(TOKEN)

    Leaky()
    gc.collect()

    (line,) = lines()
    assert line["logger"] == "process"
    assert str(line["exception"]).startswith("ValueError: [secret] (")


def test_what_goes_wrong_in_the_loop_is_logged(lines: Lines) -> None:
    async def main() -> None:
        logs.watch(asyncio.get_running_loop())
        asyncio.get_running_loop().call_soon(fail, TOKEN)
        task = asyncio.create_task(asyncio.to_thread(fail, OTHER), name="sweep")
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(main())

    callback, forgotten = [line for line in lines() if line["logger"] == "loop"]
    assert callback["event"] == "exception in callback"
    assert str(callback["exception"]).startswith("ValueError: [secret] (")
    assert (forgotten["event"], forgotten["task"]) == ("Task exception was never retrieved", "sweep")
    assert str(forgotten["exception"]).startswith("ValueError: [secret] (")


def test_a_report_of_the_loop_without_exception_is_logged(lines: Lines) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    logs.loop_exception_handler(loop, {"message": f"odd {TOKEN}"})

    line = lines()[-1]
    assert (line["event"], line["level"]) == ("odd [secret]", "error")


def test_a_person_is_a_keyed_hash(lines: Lines) -> None:
    first = logs.person(4711)
    logs.configure("INFO", "json", secrets=[], hash_key=b"another key")

    assert re.fullmatch("[0-9a-f]{8}", first)
    assert logs.person(4711) != first
    assert logs.person(4711) == logs.person(4711) != logs.person(4712)
    with pytest.raises(ValueError, match="without a key"):
        logs.configure("INFO", "json", secrets=[], hash_key=b"")


def test_configuring_twice_writes_each_event_once(lines: Lines) -> None:
    logs.configure("INFO", "json", secrets=[TOKEN], hash_key=b"key")

    logs.logger("bot").info("once")

    assert [line["event"] for line in lines()] == ["once"]


def test_a_crashing_process_prints_one_line_and_no_secret() -> None:
    program = (
        "import sys; from config import logs\n"
        "logs.configure('DEBUG', 'json', secrets=[sys.stdin.read()], hash_key=b'key')\n"
        "def connect(token): raise OSError(f'no way to /bot{token}/')\n"
        f"connect('{TOKEN}')\n"
    )

    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, input=TOKEN, capture_output=True, text=True)

    assert ended.returncode == 1
    assert TOKEN not in ended.stderr
    assert json.loads(ended.stderr)["exception"].startswith("OSError: no way to /bot[secret]/ (")


def test_nothing_slow_is_imported() -> None:
    slow = {"sqlalchemy", "telegram", "aiohttp", "matplotlib", "numpy"}
    program = f"import sys; from config import logs, settings; print(sorted({slow} & {{*sys.modules}}))"

    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert ended.stdout == "[]\n"
