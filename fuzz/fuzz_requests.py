"""Coverage-guided fuzzing of the simulated TWS by atheris (libFuzzer): `make fuzz MINUTES=30`.

Each input is a program for `tests/simulator/hostile.py`: what to say at which server version, in what order
and pieces. libFuzzer keeps inputs that reach new code and changes them further. A finding does not stop the
run: inputs since the simulator's start are written to a file in `--findings`, once for each place where
something failed, and the fuzzing goes on with a new simulator. Without arguments of libFuzzer's behind
`--` it runs until it is ended.

    python fuzz/fuzz_requests.py --findings build/fuzz/findings -- -max_total_time=60 build/fuzz/corpus
    python fuzz/fuzz_requests.py --replay build/fuzz/findings/KeyError-words.py-120.bin
"""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]


class Fuzzer:
    """Programs against one arena after the other."""

    def __init__(self, findings: Path) -> None:
        from tests.simulator.hostile import RENEW, Arena

        self._renew, self._arena_type = RENEW, Arena
        self._findings = findings
        self._story: list[bytes] = []
        self._arena = Arena()

    def one(self, data: bytes) -> None:
        """libFuzzer's callback."""
        self._story.append(data)
        try:
            self._arena.attack(data)
        except Exception as error:
            self._note(error)
            self._begin()
        if len(self._story) >= self._renew:
            self._begin()

    def _begin(self) -> None:
        self._arena.close()
        self._arena = self._arena_type()
        self._story.clear()

    def _note(self, error: Exception) -> None:
        """Write how it came to this, unless the place is known."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        name = f"{type(error).__name__}-{Path(last.filename).name}-{last.lineno}"
        path = self._findings / f"{name}.bin"
        if not path.exists():
            path.write_bytes(join(self._story))
            (self._findings / f"{name}.txt").write_text(
                "".join(traceback.format_exception(error)), encoding="utf-8"
            )
            print(f"finding {name}: {error}", file=sys.stderr, flush=True)


def join(story: list[bytes]) -> bytes:
    """Several inputs as one file, each behind its length."""
    return b"".join(len(data).to_bytes(4, "big") + data for data in story)


def split(data: bytes) -> list[bytes]:
    """The opposite of `join`."""
    story = []
    while data:
        size = int.from_bytes(data[:4], "big")
        story.append(data[4 : 4 + size])
        data = data[4 + size :]
    return story


def replay(path: Path) -> None:
    """Play a finding again; raises what it found."""
    from tests.simulator.hostile import Arena

    arena = Arena()
    for data in split(path.read_bytes()):
        arena.attack(data)
    print("nothing is wrong any more")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--findings", type=Path, default=ROOT / "build" / "fuzz" / "findings")
    parser.add_argument("--replay", type=Path)
    parser.add_argument(
        "libfuzzer", nargs="*", help="options of libFuzzer, then folders of inputs; behind --"
    )
    args = parser.parse_args()
    if args.replay:
        replay(args.replay)
        return
    import atheris

    logging.getLogger("tws.simulator").setLevel(logging.ERROR)
    logging.getLogger("tws.simulator").propagate = False
    with atheris.instrument_imports(include=["tws"]):
        import tests.simulator.hostile  # noqa: F401  instrumented as it is imported
    args.findings.mkdir(parents=True, exist_ok=True)
    fuzzer = Fuzzer(args.findings)
    atheris.Setup([sys.argv[0], *args.libfuzzer], fuzzer.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
