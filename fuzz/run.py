"""Run the fuzzer for so many minutes and write a line of the ledger, `docs/fuzz-ledger.md`.

python fuzz/run.py --minutes 30
"""

from __future__ import annotations

import argparse
import datetime
import random
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEDGER = ROOT / "docs" / "fuzz-ledger.md"
SHOWN = re.compile(r"#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)")
SEEDS = 200
"""Inputs that a new corpus begins with, so that the first minutes are not spent on short ones."""
LONGEST = 600
"""Bytes of an input: some twenty acts."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "fuzz")
    args = parser.parse_args()
    corpus, findings = args.work / "corpus", args.work / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    if not any(corpus.iterdir()):
        for seed in range(SEEDS):
            (corpus / f"seed-{seed}").write_bytes(random.Random(seed).randbytes(20 + seed))
    known = set(findings.glob("*.txt"))
    command = [
        sys.executable, str(ROOT / "fuzz" / "fuzz_requests.py"), "--findings", str(findings), "--",
        f"-max_total_time={int(args.minutes * 60)}", f"-max_len={LONGEST}", "-len_control=0",
        "-timeout=60", "-rss_limit_mb=4096",
        f"-artifact_prefix={findings}/", str(corpus),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
    assert process.stderr is not None
    last: re.Match[str] | None = None
    for line in process.stderr:
        sys.stderr.write(line)
        last = SHOWN.search(line) or last
    ended = process.wait()
    if last is None:
        sys.stderr.write("the fuzzer did not run: nothing is written to the ledger\n")
        return 2
    new = sorted(path.stem for path in set(findings.glob("*.txt")) - known)
    new += sorted(
        path.name for path in findings.iterdir() if re.match(r"(crash|timeout|oom|leak)-", path.name)
    )
    runs, coverage, features, inputs = last.groups()
    today = datetime.datetime.now(datetime.UTC).date()
    row = f"| {today} | {args.minutes:g} | {int(runs):,} | {coverage} | {features} | {inputs} | "
    with LEDGER.open("a", encoding="utf-8") as ledger:
        ledger.write(row + (", ".join(new) or "none") + " |\n")
    print(row, new or "no findings")
    return 1 if new or ended else 0


if __name__ == "__main__":
    raise SystemExit(main())
