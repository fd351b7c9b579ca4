"""Lull, a bedtime companion on Telegram."""

VERSION = "0.1.0"
