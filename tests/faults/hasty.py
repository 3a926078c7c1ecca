"""`countersign ...` with short limits for stopping, as a process of its own: for tests of what
happens once they are over."""

import sys

from bot import app, supervising
from bot.child import main

app.DRAIN = 1.0  # pyright: ignore[reportConstantRedefinition]
app.AFTER = 2.0  # pyright: ignore[reportConstantRedefinition]
app.LISTENERS = 1.0  # pyright: ignore[reportConstantRedefinition]
supervising.COMMAND = (sys.executable, "-m", "tests.faults.hasty", "worker", "--of")  # pyright: ignore[reportConstantRedefinition]

if __name__ == "__main__":
    main()
