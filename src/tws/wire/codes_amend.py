"""What a configuration may change in the catalogue of codes, and what it may not.

    [codes.10349]                     [codes.4711]
    order = "notice"                  order = "rejects order"
    stream = "question"               force = true

    catalogue = amended(settings.plain_codes())        # CATALOGUE with these effects, or ConfigError

An effect that ends nothing is free: a notice or a question leaves the order to the broker's next word. An
effect by which a code alone settles an order (rejects, cancels, refuses a change) is a claim against
invariant 4, so it wants `force = true`; it is refused even so for codes of our own client, which are never
the broker's word, and for codes that are known as notices, whose orders are known to live. The other way
round, a refusal may become a question; to make a notice of it hides that a stop is not there, and wants
force too. What the link's own codes do is not read from the catalogue, so there is nothing to amend.
"""

from __future__ import annotations

from collections.abc import Mapping

from tws.errors import ConfigError
from tws.wire.codes import CATALOGUE, Catalogue, Code, is_client_code
from tws.wire.codes_words import FITS, Context, Effect

__all__ = ["FORCE", "amended"]

FORCE = "force"
"""The field that says: I know that this is the broker's word."""

_SETTLES = (Effect.REJECTS_ORDER, Effect.CANCELS_ORDER, Effect.REFUSES_CHANGE)
_MOST = 2**31 - 1  # TWS writes its codes as 32-bit numbers


def amended(plain: Mapping[int, Mapping[str, str | bool]], catalogue: Catalogue = CATALOGUE) -> Catalogue:
    """The catalogue with what a configuration says about each code: context to effect, and perhaps `force`.

    Raises ConfigError, which names the field (`codes.4711.order`), its value and the cure.
    """
    changes: dict[int, dict[Context, Effect]] = {}
    for number, words in plain.items():
        field = f"codes.{number}"
        if isinstance(number, bool) or not 0 <= number <= _MOST:
            raise ConfigError(
                field, number, "no code of TWS", "Give the number that TWS writes, such as 10349"
            )
        forced = words.get(FORCE, False)
        if not isinstance(forced, bool):
            raise ConfigError(
                f"{field}.{FORCE}", forced, "neither true nor false", "Write true or leave it out"
            )
        for name, word in words.items():
            if name != FORCE:
                context, effect = _read(f"{field}.{name}", name, word)
                _judge(f"{field}.{name}", catalogue.lookup(number), context, effect, forced)
                changes.setdefault(number, {})[context] = effect
    return catalogue.amended(changes)


def _read(field: str, name: str, word: str | bool) -> tuple[Context, Effect]:
    if name not in list(Context):
        raise ConfigError(field, word, "no such context", f"Known: {', '.join(Context)}, {FORCE}")
    context = Context(name)
    fitting = ", ".join(f'"{effect}"' for effect in FITS[context])
    if word not in list(Effect):
        raise ConfigError(field, word, "no such effect", f"Known here: {fitting}")
    effect = Effect(word)
    if effect not in FITS[context]:
        raise ConfigError(
            field, word, f"no effect that a code can have on this: {context}", f"Known here: {fitting}"
        )
    return context, effect


def _judge(field: str, code: Code, context: Context, effect: Effect, forced: bool) -> None:
    known = code.effect(context)
    if effect is known or (effect is Effect.QUESTION and known is not Effect.LINK):
        return
    if Effect.LINK in (effect, known):
        cure = f"Leave {field} out"
        raise ConfigError(
            field, effect.value, "what the link's codes do is not read from the catalogue", cure
        )
    if effect in _SETTLES:
        ask = 'Write "question": it warns, and asks the broker, whose status or list then settles the order'
        if is_client_code(code.code):
            raise ConfigError(
                field, effect.value, "this code is our own client's, never the broker's word", ask
            )
        if known is Effect.NOTICE:
            reason = f"known as a notice ({code.confidence}, {code.source}): its orders live"
            raise ConfigError(field, effect.value, reason, ask)
        if not forced:
            reason = "a code alone would settle orders"
            raise ConfigError(field, effect.value, reason, f"{ask}; or add {FORCE} = true, if you have proof")
    elif known in _SETTLES and not forced:
        reason = f'it hides a refusal: this code is known as "{known}" ({code.confidence}, {code.source})'
        cure = f'Write "question", or add {FORCE} = true, if you have proof'
        raise ConfigError(field, effect.value, reason, cure)
