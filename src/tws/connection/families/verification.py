"""Programs that IB has registered prove to a TWS what they are.

For IB's internal purpose, says the official client, and it refuses to ask by itself; here it is told that
the wish was expressed (`extraAuth`). A TWS answers with a challenge or at once with its verdict. It moves no
money and changes nothing, so no gate stands before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.connection.families.base import Asking, Handlers, first
from tws.connection.hearing.replies import Reply
from tws.model.settings import Verdict
from tws.wire.messages import (
    VerifyAndAuthCompleted,
    VerifyAndAuthMessageApi,
    VerifyCompleted,
    VerifyMessageApi,
)

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["VerificationQuestions", "hear"]

VERIFICATION = "verification"
CHALLENGES = (VerifyMessageApi, VerifyAndAuthMessageApi)


class VerificationQuestions(Asking):
    """The question whether TWS knows this program."""

    def request_verification(
        self, name: str, version: str, respond: Callable[[str, str], tuple[str, str]], key: str = ""
    ) -> Reply[Verdict]:
        """Ask TWS to verify this program; with `key` (the vendor's) it proves the login too.

        `respond(data, challenge)` gives the two texts that answer a challenge; the second of each is used
        with a key alone. An exception of it ends the request.
        """
        self._must_be_ready()
        official = self._engine.official

        def ask() -> None:
            official.extraAuth = True
            if key:
                official.verifyAndAuthRequest(name, version, key)
            else:
                official.verifyRequest(name, version)

        async def work() -> Verdict:
            said: Any = await self._question(VERIFICATION, VERIFICATION, first, ask)
            if isinstance(said, CHALLENGES):
                data, answer = respond(said.api_data, getattr(said, "xyz_challenge", ""))

                def prove() -> None:
                    if key:
                        official.verifyAndAuthMessage(data, answer)
                    else:
                        official.verifyMessage(data)

                said = await self._question(VERIFICATION, VERIFICATION, first, prove)
            verified = getattr(said, "is_successful", None)  # a second challenge is no verdict
            return Verdict(verified=verified, text=getattr(said, "error_text", ""))

        return self._task(work())


def hear(answers: Answers) -> Handlers:
    """Answers 65, 66, 69 and 70: each ends what was asked last."""
    questions = answers.questions

    def said(message: Any) -> None:
        questions.row(VERIFICATION, message)
        questions.end(VERIFICATION)

    return dict.fromkeys((*CHALLENGES, VerifyCompleted, VerifyAndAuthCompleted), said)
