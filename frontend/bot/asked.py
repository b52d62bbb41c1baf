"""What a message asks of the bot: which command, and whether it is spoken to at all."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Chat, Message, MessageEntity, User

GROUPS = (Chat.GROUP, Chat.SUPERGROUP)


@dataclass(frozen=True)
class Command:
    """A command without its slash, in lower case, and what follows it. `addressed`: it names this bot."""

    name: str
    words: str
    addressed: bool


def find_command(message: Message, me: User) -> Command | None:
    """The command that a text or a caption begins with; None where there is none, or where it is another bot's."""
    text, entities = _written(message)
    if not entities or entities[0].type != MessageEntity.BOT_COMMAND or entities[0].offset != 0:
        return None
    spoken, _, rest = text.partition(" ")
    spoken, _, more = spoken.partition("\n")
    name, _, bot = spoken.removeprefix("/").partition("@")
    if bot and bot.lower() != (me.username or "").lower():
        return None
    return Command(name.lower(), f"{more} {rest}".strip(), bool(bot))


def is_mentioned(message: Message, me: User) -> bool:
    """Whether a text or a caption names the bot."""
    text, entities = _written(message)
    units = text.encode("utf-16-le")  # Telegram counts in units of UTF-16
    for entity in entities:
        part = units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le", "replace")
        if entity.type == MessageEntity.MENTION and part.lower() == f"@{me.username}".lower():
            return True
        if entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == me.id:
            return True
    return False


def is_group(message: Message) -> bool:
    """Whether several people read along."""
    return message.chat.type in GROUPS


def _written(message: Message) -> tuple[str, tuple[MessageEntity, ...]]:
    if message.text:
        return message.text, tuple(message.entities)
    return message.caption or "", tuple(message.caption_entities)
