"""`countersign ...` as a child that ends with its owner, however that ends: standard input is a
pipe that only the owner holds open, and at its end this process stops as on SIGTERM."""

import os
import signal
import sys
import threading

from bot.cli import cli


def main() -> None:
    threading.Thread(target=_stop_with_owner, daemon=True).start()
    cli(sys.argv[1:], prog_name="countersign")


def _stop_with_owner() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
