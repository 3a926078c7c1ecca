"""What the demo prints to be copied does what it says."""

import asyncio
from pathlib import Path

from bot.local.demo import commands
from tests.deployment import Deployment


async def test_the_commands_of_the_demo_can_be_pasted(deployment: Deployment) -> None:
    await deployment.payments.refund("k1", customer="Ada", amount_minor=990, currency="EUR")
    listing, counting = commands(deployment.environment)
    outputs: list[str] = []
    for each in (listing, counting):
        shell = await asyncio.create_subprocess_shell(
            each, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parent
        )
        output, _ = await shell.communicate()
        assert shell.returncode == 0
        outputs.append(output.decode())
    assert "Nothing is waiting" in outputs[0]
    assert "'k1', 'Ada', 990, 'EUR'" in outputs[1]
