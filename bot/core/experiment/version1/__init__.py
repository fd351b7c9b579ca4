"""What only the first version of the self-experiment has: its verdict, and its report as it is stored and exported.

No new test begins with it. A test that was begun with it ends with it, and what was told once stays readable and checkable.

Start reading at `analysis`. May import: `bot.core` only.
"""
