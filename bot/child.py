"""`countersign ...` as a child that ends with its owner, however that ends: standard input is a
pipe that only the owner holds open, and at its end this process stops as on SIGTERM."""

import os
import signal
import sys
import threading


def main() -> None:
    # Ctrl-C in a terminal reaches the owner too; while this one starts it is the owner's to tell.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_stop_with_owner, daemon=True).start()
    from bot.cli import cli  # noqa: PLC0415 - it takes a second

    cli(sys.argv[1:], prog_name="countersign")


def _stop_with_owner() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
