"""What the programs of this folder have in common: bots of the library, as it is, against a server of the test's."""

import json
import logging
import os
from importlib import util
from pathlib import Path

from osmium_chat import commands
from osmium_chat.client import Client

Client.WS_URL = os.environ["URL"]


def report(**line):
    """One line for the test, which reads them all."""
    print(json.dumps(line), flush=True)


class Log(logging.Handler):
    def emit(self, record):
        line = record.getMessage()
        if record.exc_info is not None:
            line = f"{line}: {record.exc_info[1]!r}"
        report(log=line, level=record.levelname)


def report_log(logger):
    logger.handlers[:] = [Log()]
    logger.setLevel(logging.INFO)


class Reports(commands.Commands):
    """Says when the bot is connected, and what a command of it ended with."""

    def __init__(self, bot, name):
        super().__init__(bot)
        self.name = name

    @commands.listen("connect")
    async def connected(self):
        report(bot=self.name, connected=True)

    @commands.listen("command_error")
    async def failed(self, ctx, error):
        report(bot=self.name, failed=ctx.invoked_with, error=str(error))


def module_at(path: Path):
    spec = util.spec_from_file_location(path.stem, path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
