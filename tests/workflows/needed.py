"""What the workflows of the deployment need, so that each of them can be checked."""

from pathlib import Path


def needed(directory: Path) -> dict[str, str | None]:
    """Settings, and the files that their examples name; a setting that there is not is passed
    over."""
    (directory / "contracts").mkdir(exist_ok=True)
    (directory / "contracts" / "msa.pdf").write_bytes(b"%PDF-1.4")
    return {
        "COUNTERSIGN_LEGAL": "S0000LEGAL",
        "COUNTERSIGN_SIGNATORIES": "S000SIGNED",
        "COUNTERSIGN_FILES": str(directory),
        "COUNTERSIGN_OUTBOX": str(directory / "outbox"),
        "COUNTERSIGN_PAYMENTS_DB": str(directory / "payments.db"),
    }
