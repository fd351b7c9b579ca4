"""The self-experiment, pure: which nights are with magnesium, how a person's test runs, and what it says at its end.

`design` draws the plan from a seed and says who may not start. `run` follows one person's test night by night. `analysis`
turns the rated nights into a verdict. `report_json` is the report in the form that is stored, exported and verified.

Start reading at `design`. May import: `bot.core` only. docs/experiment.md explains the method and its figures.
"""
