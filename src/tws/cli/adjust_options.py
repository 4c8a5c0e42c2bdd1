"""What `tws adjust` may be told, as types with their help."""

from __future__ import annotations

from typing import Annotated

import typer

Symbol = Annotated[
    str, typer.Argument(help="Such as SPY; of an option or a future the con_id of `tws positions`.")
]
Quantity = Annotated[str, typer.Option(help="The signed change in shares or contracts: 300, -100.")]
Price = Annotated[
    str, typer.Option(help="What each is booked at: a strike, what somebody paid; an expiry: 0.")
]
Split = Annotated[str, typer.Option(help="New shares for old: 4:1, or 1:10; needs no quantity.")]
Ours = Annotated[bool, typer.Option("--ours", help="Move our own book too, not the account's alone.")]
OursAlone = Annotated[
    bool, typer.Option("--ours-alone", help="Move our book alone: an execution has moved the account's.")
]
NoCash = Annotated[
    bool, typer.Option("--no-cash", help="No money moved with it, as for a transfer of shares.")
]
At = Annotated[str, typer.Option(help='When it was, unless now: "2026-11-23 09:30:00 America/New_York".')]
Opening = Annotated[
    bool, typer.Option("--opening", help="Confirm what the account held before our first fill.")
]
Expect = Annotated[
    list[str] | None,
    typer.Option(help="With --opening: SPY=300, refused unless it is so; name all (repeatable)."),
]
Cash = Annotated[str, typer.Option(help="A signed sum that no fill explains: 12.50, -3.")]
Currency = Annotated[str, typer.Option(help="Of that sum.")]
Account = Annotated[str, typer.Option(help="Another account of the login than the one we trade.")]
Operator = Annotated[str, typer.Option(help="Your name: it is kept with what you do.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept too.")]
