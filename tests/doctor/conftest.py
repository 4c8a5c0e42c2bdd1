"""A busy machine is no slow TWS: in the doctor's tests an answer may take its time."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tws.monitor.doctor.questions._SLOW_MS", 60_000)
