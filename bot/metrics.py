"""Counters and gauges in Prometheus' words. No label holds anything about a person."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.core.model import Kind, State
from bot.core.outcome import Outcome, Sent
from bot.core.owed import Owed

_LATENESS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)
_LAG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CHECKS = ("taken_once", "noted", "in_time", "before_bed")
"""What must always hold where things are sent: an item is in one hand, leaves only once noted and in time, never after bed."""

_LOST = (State.EXPIRED, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class QueriedGauges:
    """What costs a query, read every half minute."""

    active: int
    oldest_due_seconds: float
    inbox: int
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Live:
    """What costs nothing and is read at every scrape."""

    lanes: Callable[[], Mapping[str, int]]  # messages that wait for their turn, by lane
    floods: Callable[[], int]  # 429s
    halts: Callable[[], int]  # 429s that stopped every bulk lane
    halted_seconds: Callable[[], float]
    halted_for: Callable[[], float]  # seconds since the bulk lanes stand still; 0 while they run
    queued: Callable[[], int]  # updates in the queues of this process
    tasks: Callable[[], int]  # of the event loop; more and more of them are a leak
    leads: Callable[[], bool]


class Metrics:
    """Everything that is counted in this process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._attempts = Counter(
            "lull_messages", "Attempts to send, by what became of them", ["kind", "outcome"], registry=registry
        )
        self._lateness = Histogram(
            "lull_lateness_seconds",
            "How long after its moment a message was accepted by Telegram",
            ["kind"],
            buckets=_LATENESS,
            registry=registry,
        )
        # The library looks a label's child up behind a lock, twice for each message.
        self._attempt = functools.cache(lambda kind, end: self._attempts.labels(kind, end.lower()))
        self._late_by = functools.cache(self._lateness.labels)
        self._missed = Counter(
            "lull_missed",
            "Messages given up: expired (no copy ever left) or unknown (a copy may have arrived)",
            ["kind", "state"],
            registry=registry,
        )
        self._repeats = Counter("lull_repeats", "Second and third copies sent", ["kind"], registry=registry)
        self._reclaimed = Counter(
            "lull_reclaimed", "Messages that a dead process was sending", ["kind"], registry=registry
        )
        self._broken = Counter(
            "lull_invariant_failures",
            "Times that something was so which never should be; each is a fault to report",
            ["check"],
            registry=registry,
        )
        self.lag = Histogram(
            "lull_loop_lag_seconds", "How late the event loop wakes a sleeper", buckets=_LAG, registry=registry
        )
        self._active = Gauge("lull_users_active", "People who are reminded", registry=registry)
        self._oldest = Gauge("lull_oldest_due_seconds", "How long the longest-due message waits", registry=registry)
        self._inbox = Gauge("lull_inbox", "Updates that are stored and not yet handled", registry=registry)
        self._dead = Gauge("lull_dead_letters", "Updates that could not be handled and are kept", registry=registry)
        self._backup = Gauge(
            "lull_last_backup_timestamp_seconds", "When the last backup ended; 0: none known", registry=registry
        )
        self._damaged = Gauge("lull_file_damaged", "1 when the SQLite file was found damaged", registry=registry)
        # We cannot see PostgreSQL's disk, and no figure is better than a wrong one.
        self._disk: Gauge | None = None
        self._healthy = Gauge("lull_healthy", "1 while /healthz is green", registry=registry)
        # A series that is not there yet cannot raise an alarm.
        for kind in Kind:
            for state in _LOST:
                self._missed.labels(kind.value, state.value)
        for check in CHECKS:
            self._broken.labels(check)

    def about(self, *, build: str, tzdata: str) -> None:
        """Which code and which zone rules run here."""
        Info("lull_build", "The version that runs", registry=self.registry).info({"version": build})
        Info("lull_tzdata", "The zone rules in use", registry=self.registry).info({"version": tzdata})

    def watch(self, live: Live) -> None:
        """Read these at every scrape."""
        self.registry.register(_Watched(live))

    def outcome(self, row: Owed, outcome: Outcome, *, now: datetime) -> None:
        """One attempt to send."""
        self._attempt(row.kind.value, type(outcome).__name__).inc()
        if row.copies > 0:
            self._repeats.labels(row.kind.value).inc()
        if isinstance(outcome, Sent):
            self._late_by(row.kind.value).observe(max(0.0, (now - row.planned_at).total_seconds()))

    def ended(self, rows: Iterable[tuple[Kind, State]]) -> None:
        """Rows that reached a state; those that are given up are counted."""
        for kind, state in rows:
            if state in _LOST:
                self._missed.labels(kind.value, state.value).inc()

    def broken(self, check: str) -> None:
        """One of CHECKS failed."""
        self._broken.labels(check).inc()

    def reclaimed(self, rows: Iterable[tuple[Kind, State]]) -> None:
        """Rows that a dead process was sending, and where they stand now."""
        found = list(rows)
        for kind, _ in found:
            self._reclaimed.labels(kind.value).inc()
        self.ended(found)

    def figures(self, found: QueriedGauges) -> None:
        """Set the gauges from the last reading of the database."""
        self._active.set(found.active)
        self._oldest.set(found.oldest_due_seconds)
        self._inbox.set(found.inbox)
        self._dead.set(found.dead_letters)

    def disk_free(self, free: int) -> None:
        """Room that is left beside a SQLite database, in bytes."""
        if self._disk is None:
            self._disk = Gauge("lull_disk_free_bytes", "Room left on the database's disk", registry=self.registry)
        self._disk.set(free)

    def damaged(self, found: bool) -> None:
        """Whether the last reading of the SQLite file found it damaged."""
        self._damaged.set(found)

    def healthy(self, well: bool) -> None:
        """What /healthz says now."""
        self._healthy.set(well)

    def backed_up(self, at: datetime) -> None:
        """A backup was finished then."""
        self._backup.set(at.timestamp())

    def page(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Watched(Collector):
    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        live = self._live
        lanes = GaugeMetricFamily("lull_lane_waiting", "Messages that wait for their turn", labels=["lane"])
        for lane, depth in live.lanes().items():
            lanes.add_metric([lane], depth)
        yield lanes
        yield GaugeMetricFamily("lull_queued", "Updates in this process's queues", value=live.queued())
        yield GaugeMetricFamily("lull_tasks", "Tasks of the event loop", value=live.tasks())
        yield GaugeMetricFamily("lull_leads", "1 in the process that leads", value=float(live.leads()))
        yield CounterMetricFamily("lull_floods", "429s from Telegram", value=live.floods())
        yield CounterMetricFamily("lull_halts", "429s that halted every bulk lane", value=live.halts())
        yield CounterMetricFamily(
            "lull_halted_seconds", "Seconds that bulk lanes stood still", value=live.halted_seconds()
        )
        yield GaugeMetricFamily(
            "lull_halt_age_seconds", "How long bulk lanes have stood still now; 0: they run", value=live.halted_for()
        )
