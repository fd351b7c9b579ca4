"""Lull, a bedtime companion on Telegram."""

VERSION = "0.1.0"
"""The version that runs. It is written nowhere else."""
