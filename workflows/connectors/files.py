"""The files that workflows may send: named before anyone is asked, and the very same bytes when
they are sent, or none."""

import asyncio
import hashlib
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from workflows.effects import EffectRefused
from workflows.hidden import ONE_LINE, VISIBLE

AT_MOST = 25_000_000  # bytes of a file: what most mail servers take
UNITS = ("kB", "MB")


class StoredFile(BaseModel):
    """A file as it was when someone was asked about it. path: below the directory of files."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def described(self) -> str:
        """For a card, two lines."""
        return f"{self.path} ({readable_size(self.size)})\nSHA-256 {self.sha256}"


class Files:
    """One directory, which every worker sees. Nothing outside of it is read, whatever links there
    are in it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def fix(self, path: str) -> StoredFile:
        """The file as it is now. EffectRefused where there is none."""
        content = await self._content(path)
        return StoredFile(path=path, size=len(content), sha256=_digest(content))

    async def read(self, file: StoredFile) -> bytes:
        """Exactly what was approved. EffectRefused where it is something else by now."""
        content = await self._content(file.path)
        if _digest(content) != file.sha256:
            raise EffectRefused(
                f"{file.path} was changed after it was shown (SHA-256 {file.sha256[:12]}… was "
                f"approved, {_digest(content)[:12]}… is there now). Nothing was sent"
            )
        return content

    async def _content(self, path: str) -> bytes:
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> bytes:
        root = self._root.resolve()
        file = (root / path).resolve()
        try:
            if not file.is_relative_to(root) or not stat.S_ISREG(file.stat().st_mode):
                raise FileNotFoundError
            with file.open("rb") as opened:
                content = opened.read(AT_MOST + 1)
        except OSError as error:
            why = "" if isinstance(error, FileNotFoundError) else f" ({error.strerror})"
            raise EffectRefused(
                f"There is no file {path} among those that may be sent (COUNTERSIGN_FILES){why}. "
                "Nothing was sent"
            ) from None
        if len(content) > AT_MOST:
            raise EffectRefused(f"{path} is larger than {readable_size(AT_MOST)}. Nothing was sent")
        return content


def readable_size(size: int) -> str:
    """`24.1 kB`."""
    if size < 1000:
        return f"{size} bytes"
    scaled = size / 1000
    unit = 0
    while scaled >= 1000 and unit < len(UNITS) - 1:
        scaled, unit = scaled / 1000, unit + 1
    return f"{scaled:.1f} {UNITS[unit]}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _below(path: str) -> str:
    parts = path.split("/")
    if path.startswith(("/", "~")) or "\\" in path or {"", ".", ".."} & set(parts):
        raise ValueError("name a file below COUNTERSIGN_FILES, such as offers/offer.pdf")
    return path


FilePath = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    VISIBLE,
    ONE_LINE,
    AfterValidator(_below),
]
