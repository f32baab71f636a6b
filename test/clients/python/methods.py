"""
A bot and a person by the library, which call each of its methods that asks the server for something. BOT and PERSON are
their tokens. Whoever tells the bot to `!try` gives it a file, and the rest in words.
"""

import asyncio
import importlib
import inspect
import os
import pkgutil
import tempfile
from logging import getLogger
from pathlib import Path

import osmium_chat
from osmium_chat import Bot, Button, ClipboardButton, Context, LinkButton, MessageCloak, Message, MessageQuote, commands
from osmium_chat.content import Bold, Content, Spoiler, TextUrl, UnicodeEmoji
from osmium_chat.member import Member
from osmium_chat.permissions import CommunityPermission
from reporting import Reports, report, report_log

logger = getLogger("osmium_chat")
report_log(logger)


async def tried(method, asked):
    """Says what came of it, and gives what it gave."""
    try:
        result = await asked
    except Exception as error:
        report(method=method, outcome=str(getattr(error, "code", error)))
        return None
    report(method=method, outcome="done")
    return result


def is_so(what, holds):
    report(method=what, outcome="done" if holds else "NOT SO")


def is_picture(data):
    """Whatever the server has made of it."""
    return data.startswith((b"\x89PNG", b"\xff\xd8\xff")) or data[8:12] == b"WEBP"


def public_coroutines():
    """Of all classes of the library: those that ask the server for something are among them."""
    for found in pkgutil.walk_packages(osmium_chat.__path__, "osmium_chat."):
        for name, cls in inspect.getmembers(importlib.import_module(found.name), inspect.isclass):
            if name.startswith("_") or not cls.__module__.startswith("osmium_chat"):
                continue
            for method, what in vars(cls).items():
                function = getattr(what, "__func__", what)
                asks = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
                if asks and not method.startswith("_"):
                    yield f"{cls.__qualname__}.{method}"


class Forgotten(Button):
    """The library does not remember it, as if the program had been started anew since."""

    @property
    def interactive(self):
        return False


class Tries(commands.Commands):
    @commands.listen("interaction")
    async def on_interaction(self, press):
        await tried("Interaction.respond, to a button of nobody", press.respond("nobody's"))

    @commands.guild_command("try")
    async def try_all(self, ctx: Context, member: Member, *, invite: str):
        self.ctx = ctx
        for part in (self.messages, self.files, self.places, self.roles, self.emoji, self.people, self.invites):
            try:
                await part(member, invite)
            except Exception as error:
                report(method=part.__name__, outcome=repr(error))
        report(method="!try", outcome="done")

    async def messages(self, _member, _invite):
        ctx = self.ctx
        sent = await tried("Channel.send", ctx.channel.send(Content("Hello ", Bold("bold"), Spoiler("hush"))))
        await tried("Message.edit", sent.edit(Content("Hello, ", TextUrl("docs", url="https://docs.example/"))))
        await tried("Message.edit, buttons alone", sent.edit(buttons=[[ClipboardButton("Copy", "copied")]]))
        await tried("Message.edit, suppress_embeds", sent.edit("no previews", suppress_embeds=True))
        answer = await tried("Message.reply", ctx.message.reply("a reply", quote=MessageQuote("!try", offset=0)))
        is_so("Message.reply names what it answers", answer.reply_to == ctx.message.id)
        cloak = MessageCloak("Somebody else")
        await tried("Context.reply", ctx.reply("cloaked", cloak=cloak, client_id=77, suppress_embeds=True))
        await tried("Message.add_reaction", sent.add_reaction("👍"))
        await tried("Message.add_reaction, UnicodeEmoji", sent.add_reaction(UnicodeEmoji("🎉")))
        await tried("Message.remove_reaction", sent.remove_reaction("👍"))
        channels = await tried("Community.fetch_channels", ctx.community.fetch_channels())
        other = next(one for one in channels if one.name == "elsewhere")
        await tried("Message.forward_to", sent.forward_to(other))
        gone = await tried("Context.send", ctx.send("soon gone"))
        await tried("Message.delete", gone.delete())

    async def files(self, _member, _invite):
        ctx = self.ctx
        given = ctx.message.attachments[0]
        data = await tried("File.download", given.download())
        is_so("File.download gives all of it", len(data) == given.size and data[:5] == b"given")
        with tempfile.TemporaryDirectory() as folder:
            path = await tried("File.save", given.save(folder))
            is_so("File.save writes all of it", path == Path(folder) / "given.txt" and path.read_bytes() == data)
        large = os.urandom(1_300_000)
        await tried("Channel.send_file", ctx.channel.send_file(large, "large.bin", send_as_file=True))
        await tried("Message.reply_file", ctx.message.reply_file(b"words", "words.txt", mimetype="text/plain"))
        picture = Path(os.environ["PICTURE"]).read_bytes()
        await tried("Channel.send_file, a picture", ctx.channel.send_file(picture, "a.png", mimetype="image/png"))

    async def places(self, _member, _invite):
        community = self.ctx.community
        category = await tried("Community.create_category", community.create_category("Rooms"))
        channel = await tried("Community.create_channel", community.create_channel("room", parent_id=category.id))
        is_so("Community.create_channel puts it below its category", channel.parent_id == category.id)
        await tried("Channel.edit", channel.edit(name="hall", description="wide", slowmode_seconds=5, explicit=True))
        notice = await channel.send("look")
        await tried("Channel.edit, highlight", channel.edit(highlighted_message_id=notice.id))
        await tried("Channel.edit, position", channel.edit(position=0))
        role = await community.create_role("Guests")
        await tried("Channel.create_override", channel.create_override(role, deny=CommunityPermission.SEND_MESSAGES))
        found = await tried("Channel.fetch_overrides", channel.fetch_overrides())
        is_so("Channel.fetch_overrides has it", any(one.role_id == role.id for one in found.overrides))
        await tried("Channel.delete_override", channel.delete_override(role))
        await tried("Channel.sync_overrides", channel.sync_overrides())
        await tried("Channel.fetch_members", channel.fetch_members())
        await tried("Channel.delete", channel.delete())
        await tried("Category.delete", category.delete())

    async def roles(self, member, _invite):
        community = self.ctx.community
        role = await tried("Community.create_role", community.create_role("Helpers", priority=3, color=255))
        await tried("Role.edit", role.edit(name="Friends", public=True, permissions=CommunityPermission.PIN_MESSAGES))
        await tried("Member.add_role", member.add_role(role))
        await tried("Member.remove_role", member.remove_role(role))
        await tried("Role.delete", role.delete())
        is_so("Community.fetch_roles", all(one.name != "Friends" for one in await community.fetch_roles()))
        await tried("Community.edit", community.edit(name="Renamed"))
        await tried("Community.add_member", community.add_member(member))

    async def emoji(self, _member, _invite):
        community = self.ctx.community
        picture = Path(os.environ["PICTURE"]).read_bytes()
        made = await tried("Community.create_custom_emoji", community.create_custom_emoji(picture, "blink"))
        is_so("Community.fetch_custom_emojis", [e.name for e in await community.fetch_custom_emojis()] == ["blink"])
        sent = await tried("Channel.send, a custom emoji", self.ctx.send(Content("See ", made)))
        await tried("Message.add_reaction, CustomEmoji", sent.add_reaction(made))
        await tried("Message.remove_reaction, CustomEmoji", sent.remove_reaction(made))
        await tried("CustomEmoji.delete", made.delete())
        is_so("CustomEmoji.delete leaves none", await community.fetch_custom_emojis() == [])

    async def people(self, member, _invite):
        profile = await tried("User.fetch_profile", member.fetch_profile(include_mutuals=True))
        is_so("Profile", profile.bio == "likes Python" and profile.mutual_communities == [self.ctx.community.id])
        picture = await tried("Photo.download", member.photo.download())
        is_so("Photo.download gives a picture", is_picture(picture))
        banner = await tried("Photo.download, a banner", profile.banner.download())
        is_so("Photo.download gives a banner", is_picture(banner))
        direct = member.dm_channel
        await tried("Channel.send, directly", direct.send("hello, you"))
        await tried("Channel.fetch_members, directly", direct.fetch_members())
        await tried("Channel.add_member", direct.add_member(member))
        await tried("Channel.edit_member", direct.edit_member(member, 0))
        await tried("Channel.remove_member", direct.remove_member(member))

    async def invites(self, _member, invite):
        found = await tried("Bot.lookup_invite", self.bot.lookup_invite(invite))
        is_so("Bot.lookup_invite says what to", found.target_id != 0 and found.target_type.name == "COMMUNITY")
        await tried("Bot.use_invite", self.bot.use_invite(invite))
        made = await tried("Channel.create_invite", self.ctx.channel.create_invite(max_uses=3))
        await tried("Channel.get_invites", self.ctx.channel.get_invites())
        # The library does not wait for the answer of this one.
        await tried("InvitePreview.delete", made.delete())
        buttons = [[Button("Own", callback=self.pressed), LinkButton("Docs", "https://docs.example/")]]
        await tried("Channel.send, with buttons", self.ctx.send("one", buttons=buttons))
        await self.ctx.send("press")
        await self.ctx.send("another", buttons=[[Forgotten("Forgotten", "nobody")]])
        await self.ctx.send("press")

    async def pressed(self, press):
        await tried("Interaction.respond", press.respond(f"pressed by {press.user_id}"))
        await tried("Interaction.respond, again", press.respond("again"))


class Presses(commands.Commands):
    """The person, who presses the newest button when told that the bot knows of it, and deletes a community."""

    @commands.listen("message")
    async def on_message(self, message: Message):
        if message.buttons:
            self.newest = message
        elif message.content == "press":
            button = self.newest.buttons[0][0]
            answer = await tried(f"Button.submit, {button.label}", button.submit(self.newest))
            report(method=f"Button.submit, answer to {button.label}", outcome=str(answer))
        elif message.content == "the end":
            await tried("Community.delete", message.community.delete())


async def main():
    report(methods=sorted(set(public_coroutines())))
    bot = Bot(prefix="!", client_id=150896, logger=logger)
    bot.add_commands(Tries)
    bot.add_commands(Reports, "bot")
    person = Bot(prefix="?", client_id=150896, logger=logger)
    person.add_commands(Presses)
    person.add_commands(Reports, "person")
    await asyncio.gather(bot.connect(os.environ["BOT"]), person.connect(os.environ["PERSON"]))


asyncio.run(main())
