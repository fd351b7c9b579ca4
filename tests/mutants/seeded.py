"""All mutants, in the order of the report."""

from __future__ import annotations

from tests.mutants import experiment, incoming, outbox, sending

MUTANTS = (*outbox.MUTANTS, *sending.MUTANTS, *incoming.MUTANTS, *experiment.MUTANTS)
