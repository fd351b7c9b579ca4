"""The self-experiment, version 2: the plan, the exact test, its range, and what is said beside them. Plain Python."""
