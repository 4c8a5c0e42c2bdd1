"""The notebook in examples/ runs as it stands, in a kernel of its own, whose loop runs all the time."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def printed(notebook: nbformat.NotebookNode) -> str:
    """All that its cells have written."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    return "".join(output.get("text", "") for output in outputs)


# Windows' own loop makes the kernel's client warn of a thread that it starts instead.
@pytest.mark.filterwarnings("ignore:Proactor event loop:RuntimeWarning")
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "saved with outputs: clear them"
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    text = printed(notebook)
    for line in (
        r"connected: True - accounts: DU1234567",
        r"756733 .* in steps of 0.01",
        r"refused: TWS error 200",
        r"minutes, none twice",
        r"SPY: [\d.]+ to [\d.]+, live data",
        r"fees [\d.]+ USD - orders placed: 0",
        r"both: True True",
        r"closed: True",
    ):
        assert re.search(line, text), text
