"""Logs: one line an event, and a reference number that ties a person's message to its traceback."""

import logging
import secrets
import traceback

log = logging.getLogger("countersign")


def reference(error: BaseException, *, hides: bool = False, **about: str) -> str:
    """Log the error with its traceback; answers the number to tell the person. hides: not
    what it says, which may be a value that no log may have; its kind, and where it was raised."""
    number = secrets.token_hex(4)
    known = " ".join(f"{key}={value}" for key, value in about.items())
    log.error(
        "reference %s: %s %s%s",
        number,
        type(error).__name__,
        known,
        "\n" + "".join(traceback.format_tb(error.__traceback__)) if hides else "",
        exc_info=None if hides else error,
    )
    return number


def configure_logging(level: str) -> None:
    """To standard error; libraries from warning on, ours from `level`."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in ("bot", "workflows", "countersign"):
        logging.getLogger(name).setLevel(level)
