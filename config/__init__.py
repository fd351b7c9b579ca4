"""What is set from outside, and what every other folder may import: settings, logs, fail points.

`settings` reads the environment and `.env` (`envfile`) and refuses what cannot work in one sentence; `addresses` checks the
addresses among them; `reference` writes docs/settings.md. `logs` is the one way to log: one line an event, nothing personal.
`failpoints` lets a test end the process at a named line.

Start reading at `settings`. May import: nothing of `bot` or `db`.
"""
