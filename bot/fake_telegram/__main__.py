"""`python -m bot.fake_telegram`: the stand-in as a process of its own, on loopback, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from bot import clock
from bot.fake_telegram import server, telegram


async def serve(port: int, *, clock_file: Path | None, token: str, fast: bool) -> None:
    """Prints one line with the address and serves until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    now = clock.open_clock(clock_file)
    async with server.running(clock=now, port=port, token=token, fast=fast) as running:
        print(f"listening on {running.url}", flush=True)
        await stop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bot.fake_telegram", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--clock", type=Path, help="file of a shared simulated clock; without it, the real time")
    parser.add_argument("--token", default=telegram.TOKEN)
    parser.add_argument("--fast", action="store_true", help="count messages instead of keeping them")
    given = parser.parse_args()
    asyncio.run(serve(given.port, clock_file=given.clock, token=given.token, fast=given.fast))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
