"""`make bench ARGS=NAME`: measured here and now, a table, and exit 1 where it misses its goal."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console

from tests.bench import ack

BENCHES: dict[str, tuple[str, Callable[[Console], Coroutine[Any, Any, bool]]]] = {
    "ack": ("how long a click waits for its acknowledgement while workers are busy", ack.bench),
}


def main(names: list[str]) -> int:
    out = Console(highlight=False)
    if len(names) != 1 or names[0] not in BENCHES:
        for name, (what, _) in BENCHES.items():
            out.print(f"  make bench ARGS={name:<8} {what}", soft_wrap=True)
        return 2 if names else 0
    return 0 if asyncio.run(BENCHES[names[0]][1](out)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
