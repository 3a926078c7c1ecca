"""A reviewer asks the requester, who answers; the card shows that it waits for them."""

from bot.audit import Tag
from bot.local.person import Seen
from bot.services import Services
from tests.asking import Asking
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_absence import WITHIN, message_to
from tests.journey.test_together import MARA, TITLE, TOM, asks
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

GROUP = Policy(approvers=("S00FINANCE",))
SECRET = "Mrs Ek's dose"


async def asked(deployment: Deployment, bot: Services, known: Asking) -> Seen:
    await known.start(bot, requester=TOM)
    return await deployment.card(TITLE)


async def form(deployment: Deployment, who: str) -> str:
    """The modal that opens, as its JSON reads."""
    person = deployment.person(who)
    return str(await eventually(f"a form for {who}", lambda: person.modal, WITHIN))


async def question(deployment: Deployment, card: Seen, who: str, text: str) -> Seen:
    person = deployment.person(who)
    await person.click(card, "Ask back …")
    await form(deployment, who)
    assert await person.submit({"Your question": text}) == {}
    return await deployment.reads(card, "Waits for ", within=WITHIN)


async def test_the_requester_is_asked_and_answers(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which <@U000JONAS> parcel?")
        assert "Which <@U000JONAS> parcel?" in card.words
        assert "Ask back …" not in card.words
        await deployment.thread(card, 2, within=WITHIN)
        replies = deployment.person("mara").replies(card)
        assert replies[1].text == "Mara Okafor asks Tom Ferreira: Which &lt;@U000JONAS&gt; parcel?"
        assert replies[1].notifies == {MARA, TOM}

        direct = await message_to(deployment, "tom", "asks you, and waits for your answer")
        assert direct.text.startswith(f"Mara Okafor asks you, and waits for your answer: {TITLE}: ")
        assert "Answer in the card's thread, or by" in direct.words
        assert "Which <@U000JONAS> parcel?" in direct.words
        assert direct.notifies == set()

        await click_as_drawn(deployment, "jonas", card, "Answer")
        await deployment.told("jonas", "Only <@U00000TOM>, who is asked, answers this.")
        tom = deployment.person("tom")
        await tom.click(card, "Answer")
        assert "Which <@U000JONAS> parcel?" in await form(deployment, "tom")
        assert "text" in await tom.submit({"Your answer": "  "})
        assert await tom.submit({"Your answer": "The second"}) == {}
        card = await deployment.reads(card, "The second", within=WITHIN)
        assert "Waits for " not in card.words
        told = await deployment.thread(card, 3, within=WITHIN)
        assert told[2] == "Tom Ferreira answers Mara Okafor: The second"

        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, "Carried out", within=WITHIN)
        tags = [e.tag for e in await bot.store.trail("ask-1")]
        assert (tags.count(Tag.INQUIRED), tags.count(Tag.REPLIED)) == (1, 1)


async def test_it_can_be_decided_while_the_question_is_open(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which parcel?")
        tom = deployment.person("tom")
        await tom.click(card, "Answer")
        await form(deployment, "tom")
        await deployment.person("jonas").click(card, "Approve")
        done = await deployment.reads(card, "Carried out", within=WITHIN)
        assert "Answer" not in done.buttons
        await tom.submit({"Your answer": "The second"})
        assert "Already *approved* by <@U000JONAS>" in str(tom.modal)


async def test_a_form_for_a_question_before_answers_no_other(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which parcel?")
        tom = deployment.person("tom")
        await tom.click(card, "Answer")
        await form(deployment, "tom")
        first = tom.modal or {}
        await tom.submit({"Your answer": "The second"})
        card = await deployment.reads(card, "The second", within=WITHIN)
        await question(deployment, card, "mara", "And why?")
        values = {"text": {"text": {"type": "plain_text_input", "value": "The third"}}}
        payload = deployment.slack.acts.payloads.view_submission(tom.user, first, values)
        ack = await deployment.slack.delivery.send("interactive", payload, answerable=True)
        assert "This question is not open any more" in str(ack.body)
        [approval] = await bot.store.approvals_of("ask-1")
        assert [each.answer for each in approval.inquiries] == ["The second", ""]


async def test_the_same_form_asks_once_also_after_the_answer(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        mara, tom = deployment.person("mara"), deployment.person("tom")
        await mara.click(card, "Ask back …")
        await form(deployment, "mara")
        opened = mara.modal or {}
        await mara.submit({"Your question": "Which parcel?"})
        card = await deployment.reads(card, "Waits for ", within=WITHIN)
        await tom.click(card, "Answer")
        await form(deployment, "tom")
        await tom.submit({"Your answer": "The second"})
        await deployment.reads(card, "The second", within=WITHIN)
        values = {"text": {"text": {"type": "plain_text_input", "value": "Which parcel?"}}}
        payload = deployment.slack.acts.payloads.view_submission(mara.user, opened, values)
        await deployment.slack.delivery.send("interactive", payload, answerable=True)
        [approval] = await bot.store.approvals_of("ask-1")
        assert [each.answer for each in approval.inquiries] == ["The second"]


async def test_who_may_not_decide_asks_nothing_and_one_question_is_open(
    deployment: Deployment,
) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        mara, jonas, tom = (deployment.person(name) for name in ("mara", "jonas", "tom"))
        await tom.click(card, "Ask back …")
        await deployment.told("tom", "You asked for this")
        await deployment.person("lena").click(card, "Ask back …")
        await deployment.told("lena", "Only full members")
        assert tom.modal is None
        for who in (mara, jonas):
            await who.click(card, "Ask back …")
            await form(deployment, who.user.name)
        assert await mara.submit({"Your question": "Which parcel?"}) == {}
        await jonas.submit({"Your question": "And why?"})
        assert "A question to the requester is open already" in str(jonas.modal)
        await deployment.reads(card, "Which parcel?", within=WITHIN)
        [approval] = await bot.store.approvals_of("ask-1")
        assert [each.question for each in approval.inquiries] == ["Which parcel?"]


async def test_who_has_handed_it_over_meanwhile_asks_nothing(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,)))
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        mara = deployment.person("mara")
        await mara.click(card, "Ask back …")
        await form(deployment, "mara")
        await mara.command("/approvals reassign ask-1 @jonas")
        await deployment.told("mara", "is handed to")
        await mara.submit({"Your question": "Which parcel?"})
        assert "You are not among those who may decide this" in str(mara.modal)
        [approval] = await bot.store.approvals_of("ask-1")
        assert approval.inquiries == ()


async def test_of_a_restricted_request_only_the_modals_say_what_is_asked(
    deployment: Deployment,
) -> None:
    known = Asking(ApprovalRequest(title=TITLE, sensitivity="restricted"), GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", SECRET)
        tom = deployment.person("tom")
        await tom.click(card, "Answer")
        assert SECRET in await form(deployment, "tom")
        assert await tom.submit({"Your answer": f"{SECRET} is right"}) == {}
        card = await deployment.reads(card, " answered", within=WITHIN)
        await deployment.settled("ask-1", within=WITHIN)
        assert SECRET not in str([m.json for m in deployment.person("mara").sees()])
        replies = deployment.person("mara").replies(card)
        assert SECRET not in str([m.json for m in replies])
        assert [reply.text for reply in replies[1:]] == [
            "Mara Okafor asks Tom Ferreira",
            "Tom Ferreira answers Mara Okafor",
        ]
        assert SECRET not in str([m.json for m in tom.direct()])
