"""The rules, pure: values in, values out. No clock, database, network or log; `now` is an argument.

Start reading at `schedule` (when a reminder is due), then `planning` (what an evening owes), `outcome` (what can become of a
send) and `pacing` (who goes first). `model` has the words that all others use: a person, a night, a kind of message.
`parsing` reads what people type, `callback_data` what their buttons say. `experiment/` is the self-experiment.

May import: only itself and the standard library. A rule about time, delivery, the diary or the experiment belongs here,
with a table test in tests/core; reading, writing and answering belong to its callers.
"""
