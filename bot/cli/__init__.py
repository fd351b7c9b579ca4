"""The commands beside `run`: each ends with an exit code and prints for the person at the terminal.

`check` looks at everything that a start needs. `stats` counts people and tonight's reminders. `verify_experiment` recomputes
an exported self-experiment. `bot/__main__.py` reads the arguments and calls them.

Start reading at `check`. May import: anything below the composition root. A new command is a module here, its line in
`bot/__main__.py` and a test in tests/operators.
"""
