"""The recorded nights of a plan, checked against the plan and prepared for the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.core.experiment import design
from bot.core.experiment.counts import ArmTally
from bot.core.experiment.design import FORTNIGHT, RUN_IN, Arm, AssignedNight
from bot.core.experiment.exact import Answer, Nights
from bot.core.model import Rating


@dataclass(frozen=True, slots=True)
class LivedPlan:
    """A plan's nights by their place in it, 0 for the first run-in night; places without a record are missing."""

    plan: design.Plan
    records: Mapping[int, AssignedNight]

    def nights(self, fortnights: int) -> Nights:
        """The first fortnights after the run-in, whole or not. A night without an answer that counts has None."""
        arms = design.schedule(self.plan)[: FORTNIGHT * fortnights]
        answers = tuple(self._answer(index) for index in range(len(arms)))
        return Nights(self.plan.design, tuple(arm is Arm.ON for arm in arms), answers)

    def after_run_in(self, index: int) -> AssignedNight | None:
        """The record of night `index`, from 0 after the run-in."""
        return self.records.get(RUN_IN + index)

    def missing(self, fortnights: int) -> tuple[int, ...]:
        """The indices of nights that could count and have no answer in time, in order."""
        return tuple(index for index in range(FORTNIGHT * fortnights) if self.counts(index) and not self._rated(index))

    def counts(self, index: int) -> bool:
        """Whether an answer of this night would count: it is neither void nor left out by the design."""
        record = self.after_run_in(index)
        return not design.settling(self.plan.design, index) and (record is None or not record.void)

    def baseline(self) -> ArmTally:
        """Better nights of the rated nights in the run-in."""
        ratings = [answer for place in range(RUN_IN) if (answer := usable(self.records.get(place))) is not None]
        return ArmTally(sum(Rating(answer).better_night for answer in ratings), len(ratings))

    def _rated(self, index: int) -> bool:
        return self._answer(index) is not None

    def _answer(self, index: int) -> Answer:
        return usable(self.after_run_in(index)) if self.counts(index) else None


def usable(record: AssignedNight | None) -> Answer:
    """A record's rating if it counts: given in time, for a night that is not void. Otherwise None."""
    if record is None or record.rating is None or record.late or record.void:
        return None
    return int(record.rating)


def placed(plan: design.Plan, records: Sequence[AssignedNight]) -> LivedPlan:
    """Return the records by their place. Those outside the plan (before, after, paused) are passed over.

    ValueError where a night comes twice or a record's arm is not the plan's.
    """
    arms = design.schedule(plan)
    by_place: dict[int, AssignedNight] = {}
    for record in records:
        place = design.place_of(plan, record.night)
        expected = arms[place - RUN_IN] if place is not None and place >= RUN_IN else None
        if record.arm is not expected:
            raise ValueError(f"{record.night}: the record says {record.arm}, the plan {expected}")
        if place in by_place:
            raise ValueError(f"{record.night} comes twice")
        if place is not None:
            by_place[place] = record
    return LivedPlan(plan, by_place)
