"""Seeded faults: each is put into a copy of the code, and the tests that it names must then fail.

`mutant` says what one is, `outbox`, `sending`, `incoming` and `experiment` hold them, `running` plays one, and
`python -m tests.mutants` (`make mutants`) plays all of them.
"""
