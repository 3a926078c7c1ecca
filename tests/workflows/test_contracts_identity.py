"""What we lean on in LangGraph to know a question again: its interrupt's id, and our own key."""

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.errors import UnknownInterruptError
from langgraph.types import Command

from bot.local.redis import EmbeddedRedis
from tests.workflows.graphs import Fails, asks, beside, gate, line, loop, spread, thread
from tests.workflows.rig import THREAD, AnyGraph, Compiled, Rig, Threads, approved, rig_on
from workflows.runner import Question


def inside(graph: AnyGraph) -> AnyGraph:
    """The graph as a node of another."""
    return line(sub=graph.compile())


async def rounds(threads: Threads) -> list[Question]:
    """Every question that the thread asks until it is finished, all of them approved."""
    state = await threads.advance(given={"log": []})
    asked = list(state.open)
    while not state.finished:
        state = await threads.advance(approved(state))
        asked += state.open
    return asked


@pytest.mark.parametrize(
    "graph",
    [
        line(one=gate("a", "b")),
        line(one=gate("a"), two=gate("a")),
        loop(gate("a"), 2),
        beside(a=gate("a"), b=gate("a")),
        spread(gate("a"), {"value": 1}, {"value": 1}),
        inside(line(one=gate("a", "a"))),
        inside(beside(a=gate("a"), b=gate("a"))),
    ],
    ids=["one node", "two nodes", "loop", "parallel", "send", "subgraph", "parallel in subgraph"],
)
async def test_fact_11_and_12_each_question_has_an_id_and_a_key_of_its_own(
    rig: Rig, graph: AnyGraph
) -> None:
    """Facts 11 and 12: also where the questions say the same."""
    asked = await rounds(await rig.threads(graph))

    assert len(asked) == 2
    assert len({question.interrupt_id for question in asked}) == 2
    assert len({question.key for question in asked}) == 2


@pytest.mark.parametrize("graph", [line(one=gate("a")), inside(line(one=gate("a", "b")))])
async def test_fact_11_and_12_a_question_keeps_its_id_and_key_in_another_process(
    rig: Rig, redis_server: EmbeddedRedis, graph: AnyGraph
) -> None:
    """Facts 11 and 12: nothing is shared but Redis, and another advance changes nothing."""
    first = await (await rig.threads(graph)).advance(given={"log": []})

    async with rig_on(redis_server.url, rig.namespace) as other:
        threads = await other.threads(graph)
        assert (await threads.look()).open == first.open
        assert (await threads.advance(given={"log": []})).open == first.open


async def test_fact_12_a_question_keeps_its_key_when_its_neighbour_is_answered(rig: Rig) -> None:
    """Fact 12: its node runs again from its top, and asks the same."""
    threads = await rig.threads(beside(a=gate("a"), b=gate("b")))
    both = {q.node: q for q in (await threads.advance()).open}

    after = await threads.advance(
        {k: v for k, v in approved(await threads.look()).items() if k == both["a"].key}
    )

    assert [question.key for question in after.open] == [both["b"].key]


async def test_fact_12_a_question_keeps_its_key_when_its_node_fails_behind_it(rig: Rig) -> None:
    """Facts 5 and 12: it is listed as answered, under the same key."""
    threads = await rig.threads(line(one=Fails(gate("a"))))
    before = await threads.advance()
    with pytest.raises(RuntimeError, match="broke"):
        await threads.advance(approved(before))

    after = await threads.look()

    assert [(q.key, q.answered) for q in after.questions] == [(before.open[0].key, True)]
    assert after.open == ()
    assert after.stalled


async def test_fact_12_the_second_question_of_a_node_that_failed_has_its_own_key(rig: Rig) -> None:
    """Facts 5 and 12: two answers are kept, and the listed question is the second one."""
    threads = await rig.threads(line(one=Fails(gate("a", "b"))))
    first = await threads.advance()
    second = await threads.advance(approved(first))
    with pytest.raises(RuntimeError, match="broke"):
        await threads.advance(approved(second))

    after = await threads.look()

    assert [(q.key, q.answered) for q in after.questions] == [(second.open[0].key, True)]
    assert second.open[0].key != first.open[0].key


async def test_fact_12_other_threads_have_other_keys(rig: Rig) -> None:
    """Fact 12: the thread is part of the key."""
    threads = await rig.threads(line(one=gate("a")))
    one, other = await threads.advance(), await threads.advance(thread_id="t-2")

    assert one.open[0].key != other.open[0].key


async def only_id(graph: Compiled, config: RunnableConfig) -> str:
    [question] = (await graph.aget_state(config)).interrupts
    return question.id


async def test_fact_18_and_19_a_fork_asks_under_another_id(rig: Rig) -> None:
    """Facts 18 and 19: what was posted is orphaned, and an answer to it is refused."""
    graph = line(one=gate("a"), two=gate("b")).compile(checkpointer=await rig.plain_saver())
    await graph.ainvoke({"log": []}, thread())
    before = await only_id(graph, thread())
    config = (await graph.aget_state(thread())).config

    fork = await graph.aupdate_state(config, {"log": ["changed"]}, as_node="__start__")
    await graph.ainvoke(None, fork)

    after = await only_id(graph, thread())
    assert after != before
    with pytest.raises(UnknownInterruptError):
        await graph.ainvoke(Command(resume={before: "yes"}), thread(strict=True))
    assert await only_id(graph, thread()) == after


async def test_fact_19_an_update_asks_again_under_another_key(rig: Rig) -> None:
    """Fact 19: our Runner sees the orphan as no longer open, and the new question as new."""
    threads = await rig.threads(line(prepare=asks(), one=gate("a")))
    before = await threads.advance()
    async with threads.leases.hold(THREAD):
        await threads.graph.aupdate_state(thread(), {"log": ["x"]}, as_node="prepare")

    unasked = await threads.look()
    after = await threads.advance(approved(before))

    assert unasked.stalled
    assert unasked.open == ()
    assert [question.node for question in after.open] == ["one"]
    assert after.open[0].key != before.open[0].key


async def test_fact_19_an_update_as_the_gate_skips_the_gate(rig: Rig) -> None:
    """Fact 19: so nothing but the answer of a person may write as the gate."""
    threads = await rig.threads(line(one=gate("a"), two=asks()))
    await threads.advance()
    async with threads.leases.hold(THREAD):
        await threads.graph.aupdate_state(thread(), {"log": ["skipped"]}, as_node="one")

    after = await threads.advance()

    assert after.finished
    assert after.values["log"] == ["skipped"]
