"""A secret that shows itself to no log: a key that we send, a token that we are sent."""

from __future__ import annotations

from tws.errors import ConfigError

__all__ = ["Key"]


class Key:
    """`text` is asked for where it is needed; `env` names the variable that it came from.

    Raises ConfigError, without the text, for what can't stand in a header, or is shorter than `least`.
    """

    __slots__ = ("env", "text")

    def __init__(self, text: str, env: str, *, least: int = 1) -> None:
        if not (text.isascii() and text.isprintable()) or " " in text:
            reason = "holds a sign that no header takes"
            raise ConfigError(env, "***", reason, "Copy it again, without blanks")
        if len(text) < least:
            cure = f"Set it in the environment or in .env, at least {least} signs"
            raise ConfigError(env, "", "is not set" if not text else "is too short to be a secret", cure)
        self.text, self.env = text, env

    def __repr__(self) -> str:
        return f"Key({self.env})"

    def hidden(self, text: str) -> str:
        """The same text without the key in it."""
        return text.replace(self.text, "***")
