"""TWS from a file: what it once said is said again, when the client asks as it once asked.

A recorded session is cut into turns: one frame of the client and all that TWS said until the client's next.
The n-th connection gets the n-th session of the file.

*Strict*: the client must send the recorded frames in their order, byte for byte. At the first departure the
difference is noted and the connection is closed.

*Lenient*: a frame may come at another place, or with other request and order ids; the answers then carry the
client's ids. A frame that was never recorded is noted and left unanswered; recorded frames that never came
are noted at the end. What TWS said by itself during a turn (ticks, order events) comes with that turn.

Time passes as recorded, divided by `speed`; with None everything is said at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tws.errors import TWSError
from tws.log import get_logger
from tws.recording.file import Frame, Recording
from tws.recording.ids import Ids
from tws.wire import codec
from tws.wire.framing import FrameDecoder, frame
from tws.wire.session import Accepted, Ignored, Refused, ServerSession, Started

__all__ = ["Departure", "Replay", "ReplayOptions"]

log = get_logger("tws.recording")

CHUNK = 64 * 1024
LONGEST_SHOWN = 400
MOST_DEPARTURES = 10_000
"""Further ones are counted, not kept."""


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """How a file is served. `speed` divides the recorded pauses, None leaves them out."""

    strict: bool = True
    speed: float | None = None
    host: str = "127.0.0.1"
    port: int = 7400


class Departure(Struct, frozen=True):
    """Where the client left the recording: `line` of the file, what was recorded there, what came."""

    session: int
    line: int
    expected: str
    came: str

    def __str__(self) -> str:
        return f"session {self.session}, line {self.line}: recorded {self.expected}, came {self.came}"


class _Turn(Struct):
    """What the client sent (None before its first frame), and all that followed it."""

    asked: Frame | None
    answers: list[Frame]
    message: object = None
    """What was asked, decoded when somebody first looked for it."""


class Replay:
    """A recording as a server. `departures` grows while clients come and go."""

    def __init__(self, recording: Recording, options: ReplayOptions) -> None:
        self.recording = recording
        self.options = options
        self.departures: list[Departure] = []
        self.untold = 0  # departures beyond those that are kept
        self.served = 0
        self._sessions = recording.sessions()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.all_served = asyncio.Event()

    async def start(self) -> tuple[str, int]:
        """Listen. Returns host and port. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, self.options.host, self.options.port)
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Close every connection. Safe twice."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number, self.served = self.served + 1, self.served + 1
        try:
            if number > len(self._sessions):
                self._depart(number, 0, "no further session", "a connection")
            else:
                await _Player(self, number, self._sessions[number - 1], reader, writer).play()
        except OSError as error:
            log.info("the client is gone", session=number, reason=str(error))
        except asyncio.CancelledError:
            return  # by `stop` alone: whoever started this task would report it as a failure
        finally:
            self._tasks.discard(task)
            writer.close()
            if number >= len(self._sessions):
                self.all_served.set()

    def _depart(self, session: int, line: int, expected: str, came: str) -> None:
        departure = Departure(session, line, expected, came)
        if len(self.departures) >= MOST_DEPARTURES:
            self.untold += 1
            return
        log.info("departure", where=str(departure))
        self.departures.append(departure)


class _Player:
    """One recorded session against one client."""

    def __init__(
        self,
        replay: Replay,
        number: int,
        frames: Sequence[Frame],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._replay = replay
        self._number = number
        self._frames = frames
        self._reader = reader
        self._writer = writer
        self._version = _version(frames)
        self._turns = _turns(frames[2:])
        self._ids = Ids()
        self._clock = frames[0].t if frames else 0.0

    async def play(self) -> None:
        """Until the client goes, departs (strict), or the session is over and the client has gone."""
        if not self._frames:
            return
        frames = await self._handshake()
        if frames is None:
            return
        decoder, waiting = frames
        if self._turns and self._turns[0].asked is None:
            await self._say(self._turns.pop(0).answers)
        while True:
            for payload in waiting:
                if not await self._hear(payload):
                    return
            data = await self._reader.read(CHUNK)
            if not data:
                break
            waiting = decoder.feed(data)
        for turn in self._turns:
            if turn.asked is not None:
                self._depart(turn.asked, "nothing: the client closed")

    def _depart(self, asked: Frame | None, came: str) -> None:
        line, expected = (0, "nothing more") if asked is None else (asked.line, self._words(asked.payload))
        self._replay._depart(self._number, line, expected, came)

    async def _handshake(self) -> tuple[FrameDecoder, list[bytes]] | None:
        """The hello must allow the recorded version; the reply is the recorded one."""
        wire = ServerSession("", self._version, self._version) if self._version else None
        if wire is None:
            self._replay._depart(self._number, self._frames[0].line, "a whole handshake", "a connection")
            return None
        reply = self._frames[1].payload
        startup = self._turns[0] if self._turns else None
        while True:
            data = await self._reader.read(CHUNK)
            if not data:
                self._depart(self._frames[0], "the client closed during the handshake")
                return None
            said, events = wire.receive(data)
            if said:
                self._writer.write(frame(reply))
            for at, event in enumerate(events):
                if isinstance(event, Refused):
                    self._depart(self._frames[0], event.reason)
                    return None
                if isinstance(event, Started):
                    decoder = FrameDecoder()
                    rest = wire.release()
                    waiting = [one for one in events[at + 1 :] if isinstance(one, bytes)]
                    if startup is not None and startup.asked is not None:
                        self._turns.pop(0)
                        self._check_start(startup, event)
                        await self._say(startup.answers)
                    return decoder, waiting + (decoder.feed(rest) if rest else [])
                assert isinstance(event, Accepted | Ignored | bytes)

    def _check_start(self, startup: _Turn, event: Started) -> None:
        assert startup.asked is not None
        recorded = self._decode(startup.asked.payload)
        if getattr(recorded, "client_id", None) != event.client_id:
            self._depart(startup.asked, f"startApi with client id {event.client_id}")

    # -- one frame of the client ------------------------------------------------------------------

    async def _hear(self, payload: bytes) -> bool:
        """Answer a frame; False ends the connection (strict, and it departed)."""
        strict = self._replay.options.strict
        place = 0 if strict else self._find(payload)
        turn = self._turns[place] if place is not None and place < len(self._turns) else None
        asked = turn.asked if turn is not None else None
        if strict and asked is not None and asked.payload != payload:
            self._differ(asked, payload)
            return False
        if asked is None:
            self._depart(None, self._words(payload))
            return not strict
        assert turn is not None and place is not None
        self._turns.pop(place)
        await self._say(turn.answers)
        return True

    def _differ(self, asked: Frame, payload: bytes) -> None:
        """Another frame than the recorded one came: what differs, where both are the same kind of message."""
        recorded, came = self._decode(asked.payload), self._decode(payload)
        unlike = list(differences(recorded, came)) if type(recorded) is type(came) else []
        if not unlike:  # other kinds, unreadable, or the same message in other bytes
            self._depart(asked, self._words(payload))
            return
        theirs, ours = (", ".join(f"{one[0]}={one[side]!r}" for one in unlike) for side in (1, 2))
        name, line = type(came).__name__, asked.line
        self._replay._depart(self._number, line, _cut(f"{name} with {theirs}"), _cut(f"with {ours}"))

    def _find(self, payload: bytes) -> int | None:
        """The first turn that fits: equal, or equal but for its ids, which are then noted."""
        for place, turn in enumerate(self._turns):
            if turn.asked is not None and turn.asked.payload == payload:
                return place
        came = self._decode(payload)
        for place, turn in enumerate(self._turns):
            if turn.asked is not None:
                if turn.message is None:
                    turn.message = self._decode(turn.asked.payload)
                if self._ids.match(turn.message, came):
                    return place
        return None

    def _decode(self, payload: bytes) -> object:
        try:
            return codec.decode_request(payload, self._version, lenient=True)
        except TWSError:
            return None

    def _words(self, payload: bytes) -> str:
        """A frame for people: its message, or its raw bytes."""
        message = self._decode(payload)
        return _cut(repr(message) if message is not None else repr(payload))

    # -- what TWS says ----------------------------------------------------------------------------

    async def _say(self, answers: Sequence[Frame]) -> None:
        speed = self._replay.options.speed
        for answer in answers:
            if speed is not None:
                await asyncio.sleep(max(0.0, (answer.t - self._clock) / speed))
            self._clock = answer.t
            self._writer.write(frame(self._renumbered(answer.payload)))
        await self._writer.drain()

    def _renumbered(self, payload: bytes) -> bytes:
        """The answer with the client's own ids in place of the recorded ones."""
        if not self._ids:
            return payload
        try:
            message = codec.decode_answer(payload, self._version, lenient=True)
            if isinstance(message, codec.Unknown):
                return payload
            changed = self._ids.put_in(message)
            return payload if changed is message else codec.encode(changed, self._version)
        except TWSError:
            return payload


def differences(one: object, other: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """The attributes in which two values of one kind differ: (path, of the one, of the other)."""
    if isinstance(one, Struct) and type(one) is type(other):
        for name in one.__struct_fields__:
            inner = f"{path}.{name}" if path else name
            yield from differences(getattr(one, name), getattr(other, name), inner)
    elif one != other:
        yield path, one, other


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _version(frames: Sequence[Frame]) -> int:
    """The agreed server version, 0 when the handshake was never finished or is not spoken here."""
    if len(frames) < 2:
        return 0
    head = frames[1].payload.split(b"\0", 1)[0]
    version = int(head) if head.isdigit() and len(head) < 6 else 0
    return version if codec.MIN_VERSION <= version <= codec.MAX_VERSION else 0


def _turns(frames: Sequence[Frame]) -> list[_Turn]:
    turns: list[_Turn] = []
    for one in frames:
        if one.source == "client":
            turns.append(_Turn(one, []))
        else:
            if not turns:
                turns.append(_Turn(None, []))
            turns[-1].answers.append(one)
    return turns
