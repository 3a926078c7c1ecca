"""What we lean on in LangGraph when a paused thread is resumed, on its real Redis saver.

The numbers are those of the facts that were measured; where our way of doing it is a cure, the
test shows the illness too, so that an upgrade that changes either is noticed.
"""

import pytest
from langgraph._internal._constants import CONFIG_KEY_STRICT_RESUME, RESUME
from langgraph.errors import UnknownInterruptError
from langgraph.types import Command, Interrupt

from tests.workflows.graphs import Counted, Fails, Log, asks, beside, does, empty, line, thread
from tests.workflows.rig import AnyGraph, Compiled, Rig


async def compiled(rig: Rig, graph: AnyGraph) -> Compiled:
    return graph.compile(checkpointer=await rig.plain_saver())


async def pending(graph: Compiled, name: str = "t-1") -> list[Interrupt]:
    return list((await graph.aget_state(thread(name))).interrupts)


async def log(graph: Compiled) -> list[str]:
    return (await graph.aget_state(thread())).values.get("log", [])


async def paused(rig: Rig, graph: AnyGraph) -> tuple[Compiled, list[Interrupt]]:
    made = await compiled(rig, graph)
    await made.ainvoke({"log": []}, thread())
    return made, await pending(made)


async def test_fact_1_a_plain_resume_value_answers_the_next_question_too(rig: Rig) -> None:
    """Fact 1, the illness: the value stays behind without a task, and `None` finds it."""
    graph, _ = await paused(rig, line(one=asks("first", "second"), two=does("end")))

    await graph.ainvoke(Command(resume="yes"), thread())
    assert await log(graph) == []  # it waits for the second question
    await graph.ainvoke(None, thread())

    assert await log(graph) == ["first=yes", "second=yes", "end"]


async def test_fact_1_a_resume_by_id_answers_only_its_question(rig: Rig) -> None:
    """Fact 1, the cure."""
    graph, [first] = await paused(rig, line(one=asks("first", "second"), two=does("end")))

    await graph.ainvoke(Command(resume={first.id: "yes"}), thread(strict=True))
    await graph.ainvoke(None, thread(strict=True))

    assert [question.value for question in await pending(graph)] == ["second"]
    assert await log(graph) == []


def test_fact_2_the_strict_switch_has_its_name() -> None:
    """Fact 2: the switch is private; without it all the tests below would pass for nothing."""
    assert CONFIG_KEY_STRICT_RESUME == "__pregel_strict_resume"


async def test_fact_2_without_strict_an_unknown_id_is_ignored_silently(rig: Rig) -> None:
    """Fact 2, the illness."""
    graph, [first] = await paused(rig, line(one=asks("first")))

    await graph.ainvoke(Command(resume={"0" * 32: "yes"}), thread())

    assert await pending(graph) == [first]


async def test_fact_2_without_strict_a_missing_thread_is_started_by_a_resume(rig: Rig) -> None:
    """Fact 2, the illness."""
    node = Counted(does("ran"))
    graph = await compiled(rig, line(one=node))

    await graph.ainvoke(Command(resume={"0" * 32: "yes"}), thread())

    assert node.runs == 1


async def test_fact_2_strict_refuses_a_resume_that_was_given_before(rig: Rig) -> None:
    """Fact 2: the first id again is not an answer to the second question."""
    graph, [first] = await paused(rig, line(one=asks("first", "second")))
    resume: Command[str] = Command(resume={first.id: "yes"})
    await graph.ainvoke(resume, thread(strict=True))

    with pytest.raises(UnknownInterruptError) as refused:
        await graph.ainvoke(resume, thread(strict=True))

    assert refused.value.reason == "not_pending"
    assert refused.value.interrupt_ids == (first.id,)
    assert [question.value for question in await pending(graph)] == ["second"]


async def test_fact_2_without_strict_a_resume_given_before_answers_another_question(
    rig: Rig,
) -> None:
    """Fact 2, the illness."""
    graph, [first] = await paused(rig, line(one=asks("first", "second")))
    resume: Command[str] = Command(resume={first.id: "yes"})
    await graph.ainvoke(resume, thread())
    await graph.ainvoke(resume, thread())

    assert await log(graph) == ["first=yes", "second=yes"]


async def test_fact_2_strict_refuses_an_unknown_id_an_empty_map_and_a_bare_value(
    rig: Rig,
) -> None:
    """Fact 2 and 10: whatever does not name an open question is refused, and nothing ran."""
    node = Counted(asks("a"))
    graph, both = await paused(rig, beside(a=node, b=asks("b")))

    for resume, reason in (
        ({"0" * 32: 1}, "not_pending"),
        ({}, "empty_map"),
        ("yes", "ambiguous"),
    ):
        with pytest.raises(UnknownInterruptError) as refused:
            await graph.ainvoke(Command(resume=resume), thread(strict=True))
        assert refused.value.reason == reason

    assert await pending(graph) == both
    assert node.runs == 1


async def test_fact_2_strict_does_not_start_a_missing_thread(rig: Rig) -> None:
    """Fact 2: a resume finds nothing to resume, and START does not run."""
    node = Counted(does("ran"))
    graph = await compiled(rig, line(one=node))

    with pytest.raises(UnknownInterruptError):
        await graph.ainvoke(Command(resume={"0" * 32: "yes"}), thread(strict=True))

    assert node.runs == 0


async def test_fact_4_an_answer_is_stored_only_when_its_node_ends(rig: Rig) -> None:
    """Fact 4: while the node runs, Redis knows nothing of the answer; so our record must."""
    saver = await rig.plain_saver()
    stored: list[list[str]] = []

    async def node(state: Log) -> Log:
        answer = asks("first")(state)
        found = await saver.aget_tuple(thread())
        assert found is not None
        stored.append([channel for _, channel, _ in found.pending_writes or []])
        return answer

    graph = empty()
    graph.add_node("one", node)
    graph.add_edge("__start__", "one")
    made = graph.compile(checkpointer=saver)
    await made.ainvoke({"log": []}, thread())
    [first] = await pending(made)
    await made.ainvoke(Command(resume={first.id: "yes"}), thread(strict=True), durability="sync")

    assert stored == [["__interrupt__"]]
    assert await log(made) == ["first=yes"]


async def test_fact_5_an_answer_is_kept_when_its_node_fails_and_another_is_ignored(
    rig: Rig,
) -> None:
    """Fact 5: the question is still listed, with its id; another answer is taken and not used."""
    node = Fails(asks("first"))
    graph, [first] = await paused(rig, line(one=node))
    with pytest.raises(RuntimeError, match="broke"):
        await graph.ainvoke(Command(resume={first.id: "yes"}), thread(strict=True))
    assert await pending(graph) == [first]

    node.broken = False
    await graph.ainvoke(Command(resume={first.id: "no"}), thread(strict=True))

    assert await log(graph) == ["first=yes"]


async def test_fact_5_the_kept_answer_is_used_by_none(rig: Rig) -> None:
    """Fact 5: to try again is `ainvoke(None)`; the answer stands beside the error in Redis."""
    node = Fails(asks("first"))
    graph, [first] = await paused(rig, line(one=node))
    with pytest.raises(RuntimeError, match="broke"):
        await graph.ainvoke(Command(resume={first.id: "yes"}), thread(strict=True))
    found = await (await rig.plain_saver()).aget_tuple(thread())
    assert found is not None
    assert [v for _, channel, v in found.pending_writes or [] if channel == RESUME] == [["yes"]]

    node.broken = False
    await graph.ainvoke(None, thread(strict=True))

    assert await log(graph) == ["first=yes"]


async def test_fact_7_a_partial_resume_ends_one_task_and_asks_the_other_again(rig: Rig) -> None:
    """Fact 7: the other runs from its top to its interrupt, which keeps its id."""
    a, b = Counted(asks("a")), Counted(asks("b"))
    graph, both = await paused(rig, beside(a=a, b=b))
    ids = {question.value: question.id for question in both}

    await graph.ainvoke(Command(resume={ids["a"]: "yes"}), thread(strict=True))

    state = await graph.aget_state(thread())
    still = {task.name: [each.id for each in task.interrupts] for task in state.tasks}
    assert still["b"] == [ids["b"]]
    assert (a.runs, b.runs) == (2, 2)

    await graph.ainvoke(Command(resume={ids["b"]: "no"}), thread(strict=True))
    assert sorted(await log(graph)) == ["a=yes", "b=no"]
    assert a.runs == 2
