"""What the workflows of the deployment need, so that each of them can be checked."""

from pathlib import Path

from bot.trying import nowhere


def needed(directory: Path) -> dict[str, str | None]:
    """Settings, and the files that their examples name; a setting that there is not is passed
    over."""
    (directory / "contracts").mkdir(exist_ok=True)
    (directory / "contracts" / "msa.pdf").write_bytes(b"%PDF-1.4")
    return {
        "COUNTERSIGN_LEGAL": "S0000LEGAL",
        "COUNTERSIGN_SIGNATORIES": "S000SIGNED",
        "COUNTERSIGN_FILES": str(directory),
        **{name: path and str(path) for name, path in nowhere(directory).items()},
    }
