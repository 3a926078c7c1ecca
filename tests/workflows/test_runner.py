"""The Runner on graphs as users write them."""

from dataclasses import replace
from typing import Any

import pytest
from langgraph.errors import UnknownInterruptError
from langgraph.runtime import RunControl

from bot.local.redis import EmbeddedRedis
from tests.workflows.graphs import (
    Counted,
    Fails,
    Log,
    asks,
    beside,
    does,
    gate,
    line,
    loop,
    spread,
)
from tests.workflows.rig import (
    AnyGraph,
    NoInput,
    Rig,
    Threads,
    approve,
    approved,
    reject,
    rig_on,
)
from workflows.catalog import Catalog, Workflow
from workflows.payloads import read_question
from workflows.runner import NodeRemoved, Question, Runner, ThreadState


def title(question: Question) -> str:
    return read_question(question.value).request.title


def titles(state: ThreadState) -> list[str]:
    return sorted(title(question) for question in state.open)


def the(state: ThreadState, name: str) -> Question:
    [question] = [each for each in state.open if title(each) == name]
    return question


async def test_a_question_of_a_subgraph_that_was_answered_is_not_open_while_the_subgraph_works(
    rig: Rig,
) -> None:
    """Drained behind its gate: the parent still names the interrupt that began the pause."""
    control = RunControl()

    def drains(state: Log) -> Log:
        control.request_drain()
        return {"log": ["drains"]}

    inner = line(ask=gate("x"), drains=drains, end=does("end")).compile()
    threads = await rig.threads(line(inner=inner))
    paused = await threads.advance()
    drained = await threads.advance(approved(paused), control=control)

    assert (drained.questions, drained.stalled) == ((), True)
    assert (await threads.advance()).finished


async def test_two_gates_one_after_the_other(rig: Rig) -> None:
    threads = await rig.threads(line(one=gate("a"), two=gate("b"), end=does("end")))

    first = await threads.advance(given={"log": ["given"]})
    assert (titles(first), first.finished, first.stalled) == (["a"], False, False)
    second = await threads.advance(approved(first))
    assert titles(second) == ["b"]
    last = await threads.advance({second.open[0].key: reject(second.open[0])})

    assert (last.finished, last.stalled, last.questions) == (True, False, ())
    assert last.values["log"] == ["given", "a:approve", "b:reject", "end"]


async def test_two_questions_in_one_node(rig: Rig) -> None:
    node = Counted(gate("a", "b"))
    threads = await rig.threads(line(one=node))

    first = await threads.advance()
    second = await threads.advance(approved(first))
    assert titles(second) == ["b"]
    again = await threads.advance(approved(first))  # the first answer again answers nothing
    assert again == second
    last = await threads.advance({second.open[0].key: reject(second.open[0])})

    assert last.values["log"] == ["a:approve", "b:reject"]
    assert node.runs == 3


async def test_parallel_gates_are_answered_one_by_one(rig: Rig) -> None:
    threads = await rig.threads(beside(a=gate("a"), b=gate("b"), c=does("c")))

    both = await threads.advance()
    assert titles(both) == ["a", "b"]
    assert not both.stalled  # the node without a question has ended
    one = await threads.advance({the(both, "a").key: reject(the(both, "a"))})
    assert (titles(one), one.stalled) == (["b"], False)
    last = await threads.advance({the(both, "b").key: approve(the(both, "b"))})

    assert last.finished
    assert last.values["log"] == ["a:reject", "b:approve", "c"]


async def test_parallel_gates_are_answered_at_once(rig: Rig) -> None:
    threads = await rig.threads(beside(a=gate("a"), b=gate("b")))
    both = await threads.advance()
    answers = {
        the(both, "a").key: reject(the(both, "a")),
        the(both, "b").key: approve(both.open[1]),
    }

    last = await threads.advance(answers)

    assert last.values["log"] == ["a:reject", "b:approve"]


async def test_a_question_in_a_subgraph(rig: Rig) -> None:
    before = Counted(does("before"))
    inner = line(before=before, ask=gate("a", "b"), after=does("after")).compile()
    threads = await rig.threads(line(outer=does("outer"), sub=inner, end=does("end")))

    first = await threads.advance(given={"log": []})
    assert first.open[0].checkpoint_ns.startswith("sub:")
    second = await threads.advance(approved(first))
    assert titles(second) == ["b"]
    last = await threads.advance(approved(second))

    assert last.finished
    # The subgraph begins with the log of its parent, and its own is added to that.
    assert last.values["log"][-4:] == ["a:approve", "b:approve", "after", "end"]
    assert before.runs == 1


async def test_a_loop_asks_in_each_round(rig: Rig) -> None:
    threads = await rig.threads(loop(gate("again?"), 3))
    state, asked = await threads.advance(), set[str]()
    while state.open:
        asked.add(state.open[0].key)
        state = await threads.advance(approved(state))

    assert len(asked) == 3
    assert state.values["log"] == ["again?:approve"] * 3


async def test_sent_nodes_ask_each_for_itself(rig: Rig) -> None:
    def each(state: Log) -> Log:
        return gate(f"send {state.get('value')}")(state)

    threads = await rig.threads(spread(each, {"value": 1}, {"value": 2}, {"value": 3}))
    state = await threads.advance()
    assert titles(state) == ["send 1", "send 2", "send 3"]
    two = the(state, "send 2")
    state = await threads.advance({two.key: reject(two)})
    assert titles(state) == ["send 1", "send 3"]
    last = await threads.advance(approved(state))

    assert last.values["log"] == ["planned", "send 1:approve", "send 2:reject", "send 3:approve"]


async def test_a_node_that_fails_behind_the_gate_is_recovered(rig: Rig) -> None:
    one, two = Counted(gate("a")), Fails(does("two"))
    threads = await rig.threads(line(one=one, two=two))
    paused = await threads.advance()
    with pytest.raises(RuntimeError, match="the node broke"):
        await threads.advance(approved(paused))

    stuck = await threads.look()
    assert (stuck.finished, stuck.stalled, stuck.questions) == (False, True, ())
    two.broken = False
    last = await threads.advance()

    assert (last.finished, last.values["log"]) == (True, ["a:approve", "two"])
    assert (one.runs, two.runs) == (2, 2)  # asking, answered; failing, mended


async def test_a_gate_that_fails_keeps_its_answer(rig: Rig) -> None:
    """The decision is final: it needs no second answer, and another one changes nothing."""
    node = Fails(gate("a"))
    threads = await rig.threads(line(one=node))
    paused = await threads.advance()
    with pytest.raises(RuntimeError, match="the node broke"):
        await threads.advance(approved(paused))

    stuck = await threads.look()
    assert [question.answered for question in stuck.questions] == [True]
    assert (stuck.open, stuck.stalled) == ((), True)
    node.broken = False
    last = await threads.advance({paused.open[0].key: reject(paused.open[0])})

    assert last.values["log"] == ["a:approve"]


async def test_a_failing_neighbour_leaves_the_question_open(rig: Rig) -> None:
    broken = Fails(does("b"))
    threads = await rig.threads(beside(a=gate("a"), b=broken))
    with pytest.raises(RuntimeError, match="the node broke"):
        await threads.advance()

    stuck = await threads.look()
    assert stuck.stalled
    broken.broken = False
    state = await threads.advance()
    assert (titles(state), state.stalled) == (["a"], False)

    assert (await threads.advance(approved(state))).values["log"] == ["a:approve", "b"]


async def test_an_answer_to_what_is_not_open_is_left_out(rig: Rig) -> None:
    threads = await rig.threads(line(one=gate("a"), two=gate("b")))
    first = await threads.advance()
    second = await threads.advance(approved(first))

    late = await threads.advance({first.open[0].key: reject(first.open[0]), "ap_unknown": {}})

    assert late == second
    mixed = {first.open[0].key: reject(first.open[0]), **approved(second)}
    assert (await threads.advance(mixed)).values["log"] == ["a:approve", "b:approve"]


class Stale(Runner):
    """Has looked at the thread before someone else went on with it."""

    seen: ThreadState | None = None

    async def look(self, workflow: str, thread_id: str) -> ThreadState | None:
        seen, self.seen = self.seen, None
        return seen or await super().look(workflow, thread_id)


async def test_an_answer_to_what_was_answered_meanwhile_is_refused_by_langgraph(rig: Rig) -> None:
    """The second line, behind the lease and the look: the resume is strict."""
    graph = line(one=gate("a", "b"))
    threads = await rig.threads(graph)
    first = await threads.advance()
    second = await threads.advance(approved(first))
    known = Catalog([Workflow("graph", "Graph", NoInput, graph)])
    stale = Stale(known, threads.saver, rig.ledger)
    stale.seen = first

    with pytest.raises(UnknownInterruptError):
        await replace(threads, runner=stale).advance(approved(first))

    assert await threads.look() == second


async def test_an_answer_on_a_thread_that_was_never_started_starts_it(rig: Rig) -> None:
    threads = await rig.threads(line(one=does("one"), two=gate("a")))

    state = await threads.advance({"ap_unknown": {}}, given={"log": ["given"]})

    assert (state.values["log"], titles(state)) == (["given", "one"], ["a"])
    assert await threads.runner.look("graph", "t-2") is None


async def test_a_finished_thread_stays_as_it_is(rig: Rig) -> None:
    nodes = [Counted(gate("a")), Counted(does("end"))]
    threads = await rig.threads(line(one=nodes[0], two=nodes[1]))
    paused = await threads.advance()
    finished = await threads.advance(approved(paused))
    runs = [node.runs for node in nodes]

    for answers in ({}, approved(paused)):
        assert await threads.advance(answers, given={"log": ["again"]}) == finished

    assert [node.runs for node in nodes] == runs


async def test_a_waiting_thread_that_is_started_again_runs_nothing(rig: Rig) -> None:
    node = Counted(gate("a"))
    threads = await rig.threads(line(one=node))
    paused = await threads.advance(given={"log": []})

    assert await threads.advance(given={"log": ["other"]}) == paused
    assert node.runs == 1


def renamed(name: str, node: Any) -> AnyGraph:
    return line(**{"prepare": does("prepare"), name: node})


async def started(rig: Rig, graph: AnyGraph) -> tuple[Threads, ThreadState]:
    threads = await rig.threads(graph)
    return threads, await threads.advance()


async def refused(rig: Rig, graph: AnyGraph, paused: ThreadState, name: str) -> None:
    """The changed code says what is missing, runs nothing, and does not call it finished."""
    changed = await rig.threads(graph)
    assert not (await changed.look()).finished
    for answers in ({}, approved(paused)):
        with pytest.raises(
            NodeRemoved, match=f"to go on at {name}, which this code of graph lacks"
        ):
            await changed.advance(answers)


async def test_a_gate_that_a_deploy_renamed_is_not_passed_over(rig: Rig) -> None:
    """And when the old code is back, it goes on."""
    threads, paused = await started(rig, renamed("gate", gate("a")))

    await refused(rig, renamed("approval", gate("a")), paused, "gate")

    assert await threads.look() == paused
    assert (await threads.advance(approved(paused))).finished


async def test_a_node_that_failed_and_was_removed_is_not_passed_over(rig: Rig) -> None:
    threads = await rig.threads(renamed("pay", Fails(does("paid"))))
    with pytest.raises(RuntimeError, match="the node broke"):
        await threads.advance()

    await refused(rig, line(prepare=does("prepare")), await threads.look(), "pay")


async def test_a_sent_node_that_was_removed_is_not_passed_over(rig: Rig) -> None:
    _, paused = await started(rig, spread(gate("a"), {"value": 1}))

    await refused(rig, line(plan=does("planned")), paused, "each")


async def test_a_removed_node_of_a_subgraph_is_not_passed_over(rig: Rig) -> None:
    def outer(name: str) -> AnyGraph:
        return line(sub=line(**{"first": does("first"), name: gate("a")}).compile())

    _, paused = await started(rig, outer("gate"))

    await refused(rig, outer("approval"), paused, "gate")


async def test_a_node_that_a_deploy_added_is_no_obstacle(rig: Rig) -> None:
    _, paused = await started(rig, line(gate=gate("a")))
    changed = await rig.threads(line(gate=gate("a"), more=does("more")))

    assert (await changed.advance(approved(paused))).values["log"] == ["a:approve", "more"]


async def test_a_deferred_node_is_waited_for_and_not_missed(rig: Rig) -> None:
    graph = beside(before=does("before"), b=does("b"))
    graph.add_node("a", gate("a"))
    graph.add_edge("before", "a")
    graph.add_node("last", does("last"), defer=True)
    graph.add_edge("b", "last")
    threads, paused = await started(rig, graph)
    assert (titles(paused), paused.stalled, paused.gone) == (["a"], False, ())

    last = await threads.advance(approved(paused))

    assert last.values["log"][2:] == ["a:approve", "last"]


@pytest.mark.parametrize(
    "graph",
    [
        line(one=gate("a"), two=gate("b"), end=does("end")),
        line(one=gate("a", "b")),
        beside(a=gate("a"), b=gate("b")),
        line(sub=line(one=gate("a"), two=gate("b")).compile(), end=does("end")),
        loop(gate("a"), 2),
        spread(gate("a"), {"value": 1}, {"value": 2}),
    ],
    ids=["line", "one node", "parallel", "subgraph", "loop", "send"],
)
async def test_new_objects_at_each_step_lead_to_the_same_state(
    rig: Rig, redis_server: EmbeddedRedis, graph: AnyGraph
) -> None:
    """To the byte: one process all the way, and another process for each step."""

    async def as_stored(name: str, *, new: bool) -> bytes:
        threads = await rig.threads(graph)
        state = await threads.advance(given={"log": ["given"]}, thread_id=name)
        while not state.finished:
            async with rig_on(redis_server.url, rig.namespace) as other:
                threads = await other.threads(graph) if new else threads
                state = await threads.advance(approved(state), thread_id=name)
        return threads.saver.serde.dumps_typed(state.values)[1]

    assert await as_stored("t-new", new=True) == await as_stored("t-old", new=False)


async def test_a_foreign_question_is_told_as_it_is(rig: Rig) -> None:
    threads, paused = await started(rig, line(one=asks("Really?")))

    assert [question.value for question in paused.open] == ["Really?"]
    last = await threads.advance({paused.open[0].key: True})
    assert last.values["log"] == ["Really?=True"]
