"""Bot instances as processes of their own: started, watched, stopped and killed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OURS = ("SLACK_", "COUNTERSIGN_", "REDIS_URL", "PORT")
GRACE = 45.0  # seconds that a stopping instance may take to finish what it has begun


@dataclass
class Instance:
    """One `countersign` process. log: where its standard error goes."""

    name: str
    process: Process
    log: Path

    @classmethod
    async def start(
        cls,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        directory: Path,
        module: str = "bot.child",
    ) -> "Instance":
        """command: `["bot"]`, `["worker"]`, … environment: its settings; the owner's own are not
        passed on. module: what is run."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        settings = {**inherited, **environment, "COUNTERSIGN_INSTANCE": name}
        log = directory / f"{name}.log"
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(

                sys.executable, "-m", module, *command,
                stdin=asyncio.subprocess.PIPE, stdout=file, stderr=file,
                env=settings, cwd=directory, start_new_session=True,
            )  # fmt: skip
        return cls(name, process, log)

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-2000:].strip()

    async def kill(self) -> None:
        """SIGKILL, to its worker too: no time for anything."""
        self.signal_all(signal.SIGKILL)
        await self.process.wait()

    def signal_all(self, number: signal.Signals) -> None:
        """To the process and its worker, while it runs."""
        if self.running:
            os.killpg(self.process.pid, number)

    async def stop(self) -> int:
        """SIGTERM, and SIGKILL where it does not end in time; answers its exit code."""
        if self.running:
            self.process.terminate()
        try:
            return await asyncio.wait_for(self.process.wait(), GRACE)
        except TimeoutError:
            await self.kill()
            return -9
