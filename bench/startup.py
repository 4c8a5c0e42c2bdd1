"""How long `tws --help` takes, how soon the demo is ready, what a demo's day costs in time and memory.

    python bench/startup.py [--json] [--runs 5]

Each figure is of a whole process, seen from outside; memory is the greatest resident size, sampled
every 20 ms.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

import psutil

TWS = [sys.executable, "-c", "from tws.cli.app import main; main()"]


def helped(runs: int) -> float:
    """Median seconds of `tws --help`."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([*TWS, "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def demo() -> dict[str, float]:
    """One demo of a synthetic day: ready, whole, greatest memory."""
    began = time.perf_counter()
    process = subprocess.Popen([*TWS, "demo", "--json"], stdout=subprocess.PIPE, text=True)
    watched, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        try:
            text, _ = process.communicate(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        break
    whole = time.perf_counter() - began
    report = json.loads(text)
    assert report["exact"] and report["flat"], "a demo that does not reconcile is no measurement"
    return {
        "demo_ready_s": report["ready_seconds"],
        "demo_whole_s": whole,
        "demo_ticks": report["messages"],
        "demo_peak_mb": peak / 2**20,
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--json", action="store_true")
    ask.add_argument("--runs", type=int, default=5)
    wanted = ask.parse_args()
    figures = {"help_s": helped(wanted.runs), **demo()}
    if wanted.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<16}{value:>12,.3f}")


if __name__ == "__main__":
    main()
