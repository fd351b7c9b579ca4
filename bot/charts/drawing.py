"""From a drawing to its bytes. Imports matplotlib, which takes a second and a half and 60 MB: import it in the worker."""

from __future__ import annotations

import json

from bot.charts import Drawing, bag_labels, calendars, intervals

_BY_NAME = {
    "nights": calendars.nights,
    "week": calendars.week,
    "interval": intervals.interval,
    "pairs": intervals.pairs,
    "page": intervals.page,
    "labels": bag_labels.labels,
}


def draw(drawing: Drawing) -> bytes:
    """The bytes of a picture: PNG, or PDF where the drawing asks for it."""
    return _BY_NAME[drawing.name](json.loads(drawing.values))
