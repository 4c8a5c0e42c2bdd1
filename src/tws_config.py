"""A door: `from src.tws_config import TWSConfig`, as the setup guide writes it, from a checkout."""

from __future__ import annotations

try:
    from tws.config import TWSConfig
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"The package {missing.name!r} is not installed. From the folder of the checkout run:\n"
        "    Windows:          py -m pip install -e .\n"
        "    Linux and macOS:  python3 -m pip install -e .\n"
        "with the Python, or in the virtual environment, that runs this program.",
        name=missing.name,
    ) from None

__all__ = ["TWSConfig"]
