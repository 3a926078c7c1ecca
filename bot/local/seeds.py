"""The workspace a newcomer meets: two reviewers, a requester, guests, and channels of each kind."""

from __future__ import annotations

from bot.local.records import App, Channel, Command, Seed, Team, User, Usergroup

TEAM = Team(id="T0000ACME", name="Acme (local)", domain="acme-local")
APP = App(id="A0COUNTER", name="Countersign", bot_id="B0COUNTER", bot_user_id="U0COUNTER")

MARA = User(
    id="U0000MARA",
    name="mara",
    real_name="Mara Okafor",
    title="Head of Finance",
    email="mara@acme.example",
    color="#7c3aed",
    is_admin=True,
)
JONAS = User(
    id="U000JONAS",
    name="jonas",
    real_name="Jonas Weber",
    title="Finance Operations",
    email="jonas@acme.example",
    color="#0f766e",
)
TOM = User(
    id="U00000TOM",
    name="tom",
    real_name="Tom Ferreira",
    title="Customer Support",
    email="tom@acme.example",
    color="#b45309",
    tz="Europe/Lisbon",
)
LENA = User(
    id="U0000LENA",
    name="lena",
    real_name="Lena Brandt",
    title="Auditor (guest)",
    email="lena@partner.example",
    color="#be185d",
    is_restricted=True,
)
PIOTR = User(
    id="U000PIOTR",
    name="piotr",
    real_name="Piotr Nowak",
    title="Left the company",
    email="piotr@acme.example",
    color="#64748b",
    deleted=True,
)
BOT = User(
    id=APP.bot_user_id,
    name="countersign",
    real_name=APP.name,
    color="#1d4ed8",
    tz="UTC",
    is_bot=True,
)

_EVERYONE = (MARA.id, JONAS.id, TOM.id)

APPROVALS = Channel(
    id="C0APPROVAL",
    name="approvals",
    topic="What the workflows ask",
    members=(*_EVERYONE, LENA.id, BOT.id),
)
GENERAL = Channel(
    id="C00GENERAL",
    name="general",
    topic="Everyone at Acme",
    members=(*_EVERYONE, BOT.id),
)
FINANCE = Channel(
    id="C00FINANCE",
    name="finance",
    topic="Behind closed doors",
    is_private=True,
    members=(MARA.id, JONAS.id, BOT.id),
)
SALES = Channel(
    id="C0000SALES",
    name="sales",
    topic="The bot is not in here",
    members=_EVERYONE,
)
BOARD = Channel(
    id="C0000BOARD",
    name="board",
    topic="Private, and the bot is not in here",
    is_private=True,
    members=(MARA.id,),
)
ARCHIVED = Channel(
    id="C0ARCHIVED",
    name="approvals-2023",
    topic="Archived",
    is_archived=True,
    members=(*_EVERYONE, BOT.id),
)

FINANCE_APPROVERS = Usergroup(
    id="S00FINANCE",
    handle="finance-approvers",
    name="Finance approvers",
    users=(MARA.id, JONAS.id),
)
PARTNERS = Usergroup(
    id="S0PARTNERS",
    handle="partners",
    name="Partners (holds a guest)",
    users=(JONAS.id, LENA.id),
)

ACME = Seed(
    team=TEAM,
    app=APP,
    users=(MARA, JONAS, TOM, LENA, PIOTR, BOT),
    channels=(APPROVALS, GENERAL, FINANCE, SALES, BOARD, ARCHIVED),
    usergroups=(FINANCE_APPROVERS, PARTNERS),
)

COMMANDS = (
    Command("/approvals", "Ask for, list and decide approvals", "[list | start <workflow>]"),
)
