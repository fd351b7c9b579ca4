"""What stands in the command menu, for people and for admins."""

from __future__ import annotations

from bot.texts.language import Words

Menu = tuple[tuple[str, str], ...]
"""Command and what it does, in order."""


def commands(words: Words) -> Menu:
    """Everybody's menu."""
    return (
        ("tonight", words("Tonight at a glance")),
        ("diary", words("Your nights, month by month")),
        ("insight", words("What your own nights say")),
        ("experiment", words("Does it help you? A fair test")),
        ("tips", words("One more tip, and the topics")),
        ("settings", words("Bedtime, zone, form and the rest")),
        ("pause", words("Rest for some nights")),
        ("export", words("All I hold about you, as a file")),
        ("delete", words("Erase everything")),
        ("privacy", words("What is kept, and who runs this bot")),
        ("help", words("What I can do, and all shortcuts")),
        ("start", words("Set up, or see tonight")),
    )


def for_admins(words: Words) -> Menu:
    """An admin's menu. One chat's menu replaces the general one, so it repeats it."""
    own = (("broadcast", words("Write to everyone")), ("admin", words("How things stand")))
    return (*commands(words), *own)
