"""The table of faults at its full sizes: `python -m tests.crash.soak`. The tests beside it play small samples of the same rows."""
