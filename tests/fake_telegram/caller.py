"""A plain HTTP caller that sends what no library would."""

from __future__ import annotations

from typing import Any

import aiohttp

from bot.fake_telegram.telegram import Telegram


class Caller:
    """Calls the Bot API as JSON or as a form and returns the answer's JSON."""

    def __init__(self, telegram: Telegram, session: aiohttp.ClientSession) -> None:
        self.telegram = telegram
        self.session = session

    async def json(self, method: str, **fields: Any) -> dict[str, Any]:
        return await self._post(method, json=fields)

    async def form(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        return await self._post(method, data=fields)

    async def refusal(self, method: str, **fields: Any) -> str:
        answer = await self.json(method, **fields)
        assert answer["ok"] is False, answer
        return str(answer["description"])

    async def _post(self, method: str, **body: Any) -> dict[str, Any]:
        url = f"{self.telegram.url}/bot{self.telegram.token}/{method}"
        async with self.session.post(url, **body) as answer:
            found: dict[str, Any] = await answer.json()
            if not found["ok"]:
                assert found["error_code"] == answer.status
            return found
