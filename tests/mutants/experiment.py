"""Faults of the self-experiment: what is revealed, what may be left out, what counts, and when the seal breaks."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_VERDICT = "bot/core/experiment/verdict.py"
_STORE, _RUN, _DESIGN = "db/experiments.py", "bot/core/experiment/run.py", "bot/core/experiment/design.py"

_LIVED = ("tests/core/experiment/test_experiment_run.py",)
_DESIGNED = ("tests/core/experiment/test_experiment_design.py", "tests/core/experiment/test_design_of_a_test.py")
_PAGES = ("tests/handlers/test_experiment_pages.py",)
_LOOKS = ("tests/core/experiment/test_looks.py",)
_BAGS = ("tests/handlers/test_bags.py", "tests/db/test_bags_migration.py")

MUTANTS = (
    Mutant(
        "a-copy-reveals-nothing",
        "a night whose reminder is on its way can be left out",
        _STORE,
        "    left = sa.or_(_box.c.copies > 0, _box.c.message_id.is_not(None))",
        "    left = sa.false()",
        _PAGES,
    ),
    Mutant(
        "left-out-after-the-reveal",
        "a night can be left out once its arm was shown",
        _DESIGN,
        "return revealed_at is None or now < revealed_at",
        "return revealed_at is None or now >= revealed_at",
        _DESIGNED,
    ),
    Mutant(
        "the-evening-opens-the-bag",
        "in the blind mode the reminder tells what the bag holds",
        _RUN,
        "    if trial.blind:\n        return Assignment(Tonight.BAG",
        "    if trial.blind is None:\n        return Assignment(Tonight.BAG",
        _LIVED,
    ),
    Mutant(
        "a-bag-is-magnesium",
        "a bag that was taken is kept as magnesium while the seal holds",
        _RUN,
        "    if sealed:\n        return replace(record, intake=Intake.BAG, reason=None)\n",
        "",
        _BAGS,
    ),
    Mutant(
        "the-bags-stay-shut",
        "when the seal breaks the bags are not told apart",
        _STORE,
        "    if one.blind:\n        await _unseal(db, one)\n",
        "",
        _BAGS,
    ),
    Mutant(
        "every-bag-was-full",
        "a bag of a night without counts as magnesium",
        _RUN,
        "planned if isinstance(planned, Arm) else Arm.ON, sealed=False)",
        "Arm.ON, sealed=False)",
        _BAGS,
    ),
    Mutant(
        "finished-twice",
        "a self-experiment can be judged a second time",
        _STORE,
        "        .where(_trials.c.id == one.id, _trials.c.ended_at.is_(None))\n        .values(ended_at=now",
        "        .where(_trials.c.id == one.id)\n        .values(ended_at=now",
        ("tests/db/test_experiment_ends.py",),
    ),
    Mutant(
        "the-list-opens-twice",
        "two helpers open the list of bags with one code",
        _STORE,
        ".where(_trials.c.id == one.id, _trials.c.bags_code == one.bags_code)",
        ".where(_trials.c.id == one.id)",
        ("tests/db/test_experiment_ends.py",),
    ),
    Mutant(
        "a-second-one-beside-it",
        "a self-experiment begins while another is under way",
        _STORE,
        "    if await open_of(db, user_id) is not None:\n        return None\n",
        "",
        _PAGES,
    ),
    Mutant(
        "a-night-without-a-reminder-counts",
        "a night whose reminder did not arrive counts in its arm",
        _RUN,
        "void=one.void is not None or not one.revealed,",
        "void=one.void is not None,",
        _LIVED,
    ),
    Mutant(
        "late-ratings-count",
        "a rating given after the next reminder counts",
        _RUN,
        "late=one.diary.late and one.in_time is None,",
        "late=False,",
        _LIVED,
    ),
    Mutant(
        "the-late-word-wins",
        "a late correction takes the place of the rating given in time",
        _RUN,
        "rating=one.diary.rating if one.in_time is None else one.in_time,",
        "rating=one.diary.rating,",
        _LIVED,
    ),
    Mutant(
        "an-uncertain-reminder-arrived",
        "a night whose reminder may not have arrived counts",
        _RUN,
        "return delivery is Delivery.SENT",
        "return delivery in (Delivery.SENT, Delivery.UNKNOWN)",
        _LIVED,
    ),
    Mutant(
        "over-before-its-last-morning",
        "the seal breaks before the last morning was answered",
        _RUN,
        "return last_is_rated or now >= times.plan(schedule, last + _DAY).remind_at",
        "return True",
        _LIVED,
    ),
    Mutant(
        "told-at-bedtime",
        "the result comes in the middle of the night",
        _RUN,
        "            return due.bed_at + _MORNING_AFTER\n",
        "            return now\n",
        _LIVED,
    ),
    Mutant(
        "a-loaded-coin",
        "some fortnights are drawn more often than others",
        _DESIGN,
        "_FAIR = 256 - 256 % len(FORTNIGHTS)",
        "_FAIR = 256",
        _DESIGNED,
    ),
    Mutant(
        "bags-in-order",
        "the number of a bag tells its night",
        _DESIGN,
        'return sorted(range(plan.length), key=lambda index: _keyed(plan.seed, f"bag/{index + 1}"))',
        "return list(range(plan.length))",
        _DESIGNED,
    ),
    Mutant(
        "a-pause-of-days",
        "a pause moves the plan by days, so that weekdays no longer stand opposite",
        _DESIGN,
        "weeks = -((since - back).days // 7)  # rounded up",
        "weeks = (back - since).days // 7",
        _DESIGNED,
    ),
    Mutant(
        "a-half-fortnight-counts",
        "after a stop the begun fortnight counts",
        _DESIGN,
        "return lived // FORTNIGHT\n",
        "return -(-lived // FORTNIGHT)\n",
        _DESIGNED,
    ),
    # -- what it says --------------------------------------------------------------------------------------------------
    Mutant(
        "clear-at-a-moment-of-ones-own",
        "who stops at a lucky moment is told that it helps",
        _VERDICT,
        "if end is not End.STOPPED and call in (Call.BETTER, Call.WORSE):",
        "if call in (Call.BETTER, Call.WORSE):",
        _LOOKS,
    ),
    Mutant(
        "a-bound-twice-as-wide",
        "chance alone is called clear twice as often",
        _VERDICT,
        "if chances.smaller <= bound:",
        "if chances.smaller <= 2 * bound:",
        _LOOKS,
    ),
    Mutant(
        "harm-is-thrown-away",
        "a test that begins to show harm is ended as hopeless",
        _VERDICT,
        "hopeless = chances.better > design.HOPELESS_BETTER and chances.worse > design.HOPELESS_WORSE",
        "hopeless = chances.better > design.HOPELESS_BETTER",
        _LOOKS,
    ),
    Mutant(
        "earlier-looks-cost-nothing",
        "the luck of earlier looks is not counted",
        _VERDICT,
        "if before + p < 1 / many),",
        "if p < 1 / many),",
        _LOOKS,
    ),
    Mutant(
        "worse-is-better",
        "the two directions are mixed up",
        _VERDICT,
        "return Call.BETTER if chances.better <= chances.worse else Call.WORSE",
        "return Call.BETTER if chances.better >= chances.worse else Call.WORSE",
        _LOOKS,
    ),
)
