"""The self-experiment, pure: which nights are with magnesium, how a person's test runs, and what it says at its end.

`seed` and `design` fix the plan before night 1, `forecast` what to expect of it. `run` follows one person's test night by
night. `verdict` judges the rated nights with the exact test of `exact` and the ranges of `ranges`; `together` does so for
all tests of a person. `report` is a finished test as it is stored, exported and made again. `version1` holds what
earlier tests are judged and read by.

Start reading at `design`. May import: `bot.core` only. docs/experiment.md explains the method and its figures.
"""
