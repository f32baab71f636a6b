"""Runs the bots of the library's examples, all at once: TOKENS has the token of each by the name of its file."""

import asyncio
import json
import os
import sys
from pathlib import Path

from reporting import Reports, module_at, report_log


def bot_of(path: Path):
    module = module_at(path)
    module.bot.add_commands(Reports, path.stem)
    report_log(module.logger)
    return module.bot


async def main():
    tokens = json.loads(os.environ["TOKENS"])
    examples = Path(sys.prefix) / "examples"
    bots = [(bot_of(examples / f"{name}.py"), token) for name, token in tokens.items()]
    await asyncio.gather(*(bot.connect(token) for bot, token in bots))


asyncio.run(main())
