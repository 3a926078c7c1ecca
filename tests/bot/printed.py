"""What stands in a terminal, without colours."""

import io

from rich.console import Console, RenderableType


def printed(shown: RenderableType, width: int = 300) -> str:
    out = io.StringIO()
    Console(file=out, width=width, no_color=True).print(shown)
    return out.getvalue()
