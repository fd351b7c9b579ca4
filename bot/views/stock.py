"""The stock: how many evenings' worth are left, counted as the person counts, never as an amount to take."""

from __future__ import annotations

from bot.core.diary import Stock
from bot.texts.language import Words
from bot.views.message import Row, View, button, keyboard, lines

PACKS = (30, 60, 90)


def line(words: Words, stock: Stock) -> str:
    """What is left, and what is not counted yet."""
    return lines(_left(words, stock), _waiting(words, stock))


def _waiting(words: Words, stock: Stock) -> str | None:
    if not stock.bags:
        return None
    return words.plural(
        "{n} bag of your test is not counted yet: it waits for the test's end.",
        "{n} bags of your test are not counted yet: they wait for the test's end.",
        stock.bags,
    )


def _left(words: Words, stock: Stock) -> str:
    if not stock.left:
        return words("By my count nothing is left.")
    if stock.ends is None:
        return words.plural("{n} evening's worth left.", "{n} evenings' worth left.", stock.left)
    return words.plural(
        "{n} evening's worth left, until about {day}.",
        "{n} evenings' worth left, until about {day}.",
        stock.left,
        day=words.short_date(stock.ends),
    )


def page(words: Words, stock: Stock | None, *, pack: int | None) -> View:
    """The stock in the settings."""
    text = lines(
        words("<b>Stock</b>"),
        words("I can count down how many evenings your supply lasts, from the nights you took it.")
        if stock is None
        else line(words, stock),
        words("How many evenings' worth do you have? Type a number, such as 30."),
    )
    rows: list[Row] = []
    if stock is not None:
        rows.append(_refill(words, pack))
        rows.append([button(words("Pack size"), "stock_pack"), button(words("Do not count"), "stock_off")])
    return View(text, keyboard(*rows, [button("‹ " + words("Back"), "panel", "diary")]))


def _refill(words: Words, pack: int | None) -> Row:
    if pack is None:
        return [button(words("New pack"), "stock_pack")]
    return [button(words("New pack: + {n}", n=pack), "refill", style="success")]


def ask_pack(words: Words) -> View:
    """How many a new pack has."""
    choices = [button(str(size), "pack", size) for size in PACKS]
    return View(
        words("How many evenings does a new pack last you? Tap, or type a number."),
        keyboard(choices, [button("‹ " + words("Back"), "panel", "stock")]),
    )


def low(words: Words, stock: Stock, *, pack: int | None) -> View:
    """Said once, when few are left."""
    return View(
        line(words, stock), keyboard(_refill(words, pack), [button(words("Stock"), "panel", "stock")]), silent=True
    )


def not_a_number(words: Words) -> View:
    """A typed count that could not be read."""
    return View(words("Type a number from 0 to 2,000, such as 30."))
