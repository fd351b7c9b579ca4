"""Where updates come in, as the settings say: polls, or a subscription and the web server that Telegram posts to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from bot.clock import Clock
from bot.health import Health
from bot.metrics import Metrics
from bot.telegram.transport import Transport
from bot.updates.polling import Polling, Wrote
from bot.updates.queues import Queues
from config.settings import Settings
from db.engine import Database


class UpdateSource(Protocol):
    """Where updates come from: polling, or what Telegram is asked to post."""

    last_good: float | None
    fault: str

    async def run(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Ingress:
    """The update source and the web server. The web part is imported only if it is needed: it loads aiohttp's server."""

    settings: Settings
    clock: Clock
    database: Database
    queues: Queues
    wrote: Wrote

    def source(self, transport: Transport) -> UpdateSource:
        """Polls, or keeps Telegram posting."""
        url, secret = self.settings.webhook_url, self._secret
        if url is None or secret is None:
            return Polling(transport.call, self.database, self.queues, clock=self.clock, wrote=self.wrote)
        from bot.updates.webhook import Subscription

        return Subscription(transport.call, clock=self.clock, url=url, secret=secret)

    @contextlib.asynccontextmanager
    async def served(self, health: Health, metrics: Metrics) -> AsyncIterator[None]:
        """With the web server, where one is wanted, until the block ends."""
        if self.settings.address is None:
            yield
            return
        from bot.updates import web
        from bot.updates.webhook import Receiver

        secret, path = self._secret, web.path_of(self.settings.webhook_url or "")
        receiver = (
            None
            if secret is None
            else Receiver(self.database, self.queues, clock=self.clock, secret=secret, wrote=self.wrote)
        )
        async with web.serving(self.settings.address, health=health, metrics=metrics, receiver=receiver, path=path):
            yield

    @property
    def _secret(self) -> str | None:
        """What Telegram shows with each update it posts; None where it posts none."""
        if self.settings.mode == "polling" or self.settings.webhook_secret is None:
            return None
        return self.settings.webhook_secret.get_secret_value()
