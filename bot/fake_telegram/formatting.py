"""Message text: the Bot API's HTML in, plain text and entities out, and back to HTML for reading."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import cast

from bot.fake_telegram.values import Fields, Refused, utf16


@dataclass(frozen=True, slots=True)
class Entity:
    """A formatted stretch; offset and length in UTF-16 units, `extra` as (name, value) pairs."""

    kind: str
    offset: int
    length: int
    extra: tuple[tuple[str, str | int], ...] = ()

    def fields(self) -> Fields:
        return {"type": self.kind, "offset": self.offset, "length": self.length, **dict(self.extra)}


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text with its entities."""

    plain: str = ""
    entities: tuple[Entity, ...] = ()


_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_ATTRIBUTES = {
    "span": {"class"},
    "a": {"href"},
    "code": {"class"},
    "blockquote": {"expandable"},
    "tg-emoji": {"emoji-id"},
    "tg-time": {"unix", "format"},
}
_TOKEN = re.compile(r"[^<&]+|&[^&;<\s]{0,32};?|<[^<>]*>?")
_START = re.compile(r"<([a-zA-Z][\w-]*)((?:\s+[\w-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[\w.-]+))?)*)\s*>")
_ATTRIBUTE = re.compile(r"([\w-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\w.-]+)))?")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_TIME_FORMAT = re.compile(r"r|w?[dD]?[tT]?")
URL = re.compile(r"(?:https?://|tg://)[^\s<>\"]+|mailto:[^\s<>\"]+|tel:\+?\d+")


def from_html(source: str) -> Text:
    """Parses what `parse_mode=HTML` allows; anything else is refused as Telegram refuses it, where it is laxer than its
    documentation (a bare `&`, an unknown attribute, a link that is none) as documented."""
    return trimmed(_Parser(source).parse())


class _Parser:
    """One pass over the source with a stack of open tags."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.length = 0
        self.open: list[tuple[str, Entity]] = []
        self.done: list[Entity] = []

    def parse(self) -> Text:
        for match in _TOKEN.finditer(self.source):
            self._token(match.group(), len(self.source[: match.start()].encode()))
        if self.open:
            raise _unparsable(f'Can\'t find end tag corresponding to start tag "{self.open[-1][0]}"')
        return Text("".join(self.parts), tuple(sorted(self.done, key=lambda found: (found.offset, -found.length))))

    def _token(self, token: str, at: int) -> None:
        if token.startswith("</"):
            self._close(token, at)
        elif token.startswith("<"):
            self._start(token, at)
        elif token.startswith("&"):
            self._add(_character(token, at))
        else:
            self._add(token)

    def _add(self, text: str) -> None:
        self.parts.append(text)
        self.length += utf16(text)

    def _start(self, token: str, at: int) -> None:
        match = _START.fullmatch(token)
        tag = (match.group(1) if match else token[1:].split(" ")[0].rstrip(">")).lower()
        if match is None and token.endswith(">") and tag in _TAGS:
            raise _unparsable(f'Bad attributes of the tag "{tag}" at byte offset {at}')
        if not token.endswith(">"):
            raise _unparsable(f"Unclosed start tag at byte offset {at}")
        if tag not in _TAGS or match is None:
            raise _unparsable(f'Unsupported start tag "{tag}" at byte offset {at}')
        self.open.append((tag, replace(_entity(tag, _attributes(match.group(2)), at), offset=self.length)))

    def _close(self, token: str, at: int) -> None:
        if not token.endswith(">"):
            raise _unparsable(f"Unclosed end tag at byte offset {at}")
        if not self.open:
            raise _unparsable(f"Unexpected end tag at byte offset {at}")
        tag, entity = self.open.pop()
        found = token[2:-1].strip().lower()
        if found not in (tag, ""):
            raise _unparsable(f'Unmatched end tag at byte offset {at}, expected "</{tag}>", found "</{found}>"')
        if self.length > entity.offset:
            self.done.append(replace(entity, length=self.length - entity.offset))


def _unparsable(detail: str) -> Refused:
    return Refused(f"can't parse entities: {detail}")


def _character(token: str, at: int) -> str:
    if not _REFERENCE.fullmatch(token):
        raise _unparsable(f'Unescaped "&" or unsupported entity "{token}" at byte offset {at}')
    return html.unescape(token)


def _attributes(source: str) -> dict[str, str]:
    found = _ATTRIBUTE.findall(source)
    return {name.lower(): html.unescape(double or single or bare) for name, double, single, bare in found}


def _entity(tag: str, attributes: dict[str, str], at: int) -> Entity:
    if unknown := set(attributes) - _ATTRIBUTES.get(tag, set()):
        raise _unparsable(f'Unsupported attribute "{min(unknown)}" of the tag "{tag}" at byte offset {at}')
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
    if tag == "blockquote" and "expandable" in attributes:
        return Entity("expandable_blockquote", 0, 0)
    return Entity(_TAGS[tag], 0, 0, _extra(tag, attributes, at))


def _extra(tag: str, attributes: dict[str, str], at: int) -> tuple[tuple[str, str | int], ...]:
    match tag:
        case "a":
            return (("url", _link(attributes.get("href", ""), at)),)
        case "tg-emoji" if re.fullmatch(r"\d{1,20}", attributes.get("emoji-id", "")):
            return (("custom_emoji_id", attributes["emoji-id"]),)
        case "tg-emoji":
            raise _unparsable(f"Invalid custom emoji identifier specified at byte offset {at}")
        case "tg-time":
            return _moment(attributes, at)
        case "code" if "class" in attributes:
            return (("language", attributes["class"].removeprefix("language-")),)
    return ()


def _moment(attributes: dict[str, str], at: int) -> tuple[tuple[str, str | int], ...]:
    unix, form = attributes.get("unix", ""), attributes.get("format", "")
    if not re.fullmatch(r"\d{1,12}", unix):
        raise _unparsable(f'Invalid date specified in the tag "tg-time" at byte offset {at}')
    if not _TIME_FORMAT.fullmatch(form):
        raise _unparsable(f'Invalid date format specified in the tag "tg-time" at byte offset {at}')
    moment = (("unix_time", int(unix)),)
    return (*moment, ("date_time_format", form)) if form else moment


def _link(href: str, at: int) -> str:
    if not URL.fullmatch(href):
        raise _unparsable(f'Invalid URL "{href}" in the tag "a" at byte offset {at}')
    return href


_KINDS = {*_TAGS.values(), "expandable_blockquote", "text_mention"}
_DETECTED_KINDS = {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}


def from_entities(plain: str, given: list[Fields]) -> Text:
    """Text with entities that the caller counted; their bounds are checked."""
    entities = []
    for fields in given:
        kind, offset, length = cast("str", fields["type"]), cast("int", fields["offset"]), cast("int", fields["length"])
        if kind not in _KINDS | _DETECTED_KINDS:
            raise Refused(f'can\'t parse MessageEntity: unsupported type "{kind}"')
        if offset < 0 or length <= 0 or offset + length > utf16(plain):
            raise Refused(f"entity beyond the text: offset {offset}, length {length}")
        if kind in _DETECTED_KINDS:
            continue
        extra = {name: value for name, value in fields.items() if name not in ("type", "offset", "length")}
        entities.append(Entity(kind, offset, length, tuple(cast("dict[str, str | int]", extra).items())))
    return trimmed(Text(plain, tuple(entities)))


def trimmed(text: Text) -> Text:
    """Without the white space at both ends, which Telegram cuts off; entities move with it."""
    plain = text.plain.rstrip()
    start = len(plain) - len(plain.lstrip())
    shift, plain = utf16(plain[:start]), plain[start:]
    if plain == text.plain:
        return text
    kept = []
    for entity in text.entities:
        low = max(entity.offset - shift, 0)
        high = min(entity.offset + entity.length - shift, utf16(plain))
        if high > low:
            kept.append(replace(entity, offset=low, length=high - low))
    return Text(plain, tuple(kept))


_DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>\"]*[^\s<>\".,;:!?)\]])|(?P<bot_command>(?<![\w/])/\w{1,64}(?:@\w{4,32})?)"
    r"|(?P<mention>(?<!\w)@[A-Za-z]\w{3,31})|(?P<hashtag>(?<!\w)#\w*[^\W\d]\w*)"
)


def detected(text: Text) -> Text:
    """With the commands, links, mentions and hashtags that Telegram finds by itself, outside of links and code."""
    taken = [found for found in text.entities if found.kind in ("text_link", "code", "pre", "custom_emoji")]
    found = list(text.entities)
    for match in _DETECTED.finditer(text.plain):
        offset, length = utf16(text.plain[: match.start()]), utf16(match.group())
        if not any(one.offset < offset + length and offset < one.offset + one.length for one in taken):
            found.append(Entity(str(match.lastgroup), offset, length))
    return Text(text.plain, tuple(sorted(found, key=lambda one: (one.offset, -one.length))))


def to_html(text: Text) -> str:
    """The text as the HTML that would make it; what Telegram detects by itself carries no tag."""
    units = text.plain.encode("utf-16-le")
    events: dict[int, tuple[list[str], list[str]]] = {}
    for entity in text.entities:
        opening, closing = _tag_of(entity)
        if opening:
            events.setdefault(entity.offset, ([], []))[0].append(opening)
            events.setdefault(entity.offset + entity.length, ([], []))[1].insert(0, closing)
    out, last = [], 0
    for at in sorted(events):
        out.append(_escaped(units[2 * last : 2 * at]))
        out.extend(events[at][1] + events[at][0])
        last = at
    return "".join([*out, _escaped(units[2 * last :])])


def _escaped(units: bytes) -> str:
    return html.escape(units.decode("utf-16-le", "replace"), quote=False)


def _tag_of(entity: Entity) -> tuple[str, str]:
    extra = {name: html.escape(str(value)) for name, value in entity.extra}
    match entity.kind:
        case "text_link":
            return f'<a href="{extra["url"]}">', "</a>"
        case "custom_emoji":
            return f'<tg-emoji emoji-id="{extra["custom_emoji_id"]}">', "</tg-emoji>"
        case "date_time":
            form = f' format="{extra["date_time_format"]}"' if "date_time_format" in extra else ""
            return f'<tg-time unix="{extra["unix_time"]}"{form}>', "</tg-time>"
        case "expandable_blockquote":
            return "<blockquote expandable>", "</blockquote>"
        case "spoiler":
            return "<tg-spoiler>", "</tg-spoiler>"
        case kind if kind in _TAGS.values():
            tag = next(name for name, meaning in _TAGS.items() if meaning == kind)
            return f"<{tag}>", f"</{tag}>"
    return "", ""
