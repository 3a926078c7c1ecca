"""What can be run: a `Workflow` each, by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from workflows.clock import Clock, utc_now
from workflows.effects import ThreadEffects
from workflows.policy import Policy, Tier
from workflows.preconditions import Check


@dataclass(frozen=True)
class Context:
    """What a node reaches through LangGraph's `runtime.context`. now: what time it is, for a node
    that looks at what is so; what it asks comes from the state."""

    thread_id: str
    effects: ThreadEffects
    now: Clock = utc_now


@dataclass(frozen=True)
class Workflow:
    """A graph that can be started by name.

    input_model: checks what it is started with; its dump (JSON types) is the graph's input.
    graph: not compiled, or compiled by whoever wrote it; the saver is the runner's. version: of
    the code, kept in each run. policy: who may decide where a request does not say. state_types:
    the Enum, pydantic and dataclass types in its state. time_limit: of one attempt, from question
    to question. checks: of the preconditions that its requests declare, by name. lacks: what this
    deployment has to set before it can be started or gone on with; until then the rest of the
    deployment works without it.
    """

    name: str
    title: str
    input_model: type[BaseModel]
    graph: StateGraph[Any, Any, Any, Any] | Pregel[Any, Any, Any, Any]
    version: str = "1"
    policy: Policy | None = None
    tiers: tuple[Tier, ...] = ()
    state_types: tuple[type, ...] = ()
    time_limit: timedelta = timedelta(minutes=10)
    examples: tuple[str, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict[str, Check])
    lacks: str = ""

    def compiled(self, saver: BaseCheckpointSaver[str]) -> Pregel[Any, Any, Any, Any]:
        """The graph on this saver, with all else that it was compiled with."""
        if isinstance(self.graph, StateGraph):
            return self.graph.compile(checkpointer=saver)
        return self.graph.copy(update={"checkpointer": saver})

    def decided_by(self, default: Policy) -> Policy:
        """Who may decide where a request does not say. default: the deployment's."""
        return self.policy or default.model_copy(update={"tiers": (*default.tiers, *self.tiers)})

    def read_input(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The input as JSON values. InvalidInput names every field that does not fit, or that the
        model would drop silently."""
        try:
            return _strict(self.input_model).model_validate(dict(values)).model_dump(mode="json")
        except ValidationError as error:
            raise InvalidInput(self, error) from None

    def same_input(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Do both mean the same to the model? `1` and `1.00` are the same amount."""
        try:
            read = [self.input_model.model_validate(dict(values)) for values in (one, other)]
        except ValidationError:  # an input that an earlier version took
            return one == other
        return read[0] == read[1]


class UnknownWorkflow(Exception):
    """There is no workflow of that name; the message lists those there are."""


class InvalidInput(Exception):
    """The input does not fit the workflow's model; one line for each field."""

    def __init__(self, workflow: Workflow, error: ValidationError) -> None:
        self.error = error
        lines = [f"The input does not fit the workflow {workflow.name}:"]
        for item in error.errors(include_url=False):
            where = ".".join(str(part) for part in item["loc"]) or "input"
            lines.append(f"- {where}: {item['msg'].removeprefix('Value error, ')}")
        fields = ", ".join(_described(workflow.input_model))
        lines.append(f"It takes {fields}.")
        super().__init__("\n".join(lines))


class Catalog(Mapping[str, Workflow]):
    """The workflows of a deployment."""

    def __init__(self, workflows: Iterable[Workflow]) -> None:
        self._by_name = {workflow.name: workflow for workflow in workflows}

    def __getitem__(self, name: str) -> Workflow:
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(sorted(self._by_name)) or "none"
            raise UnknownWorkflow(f"There is no workflow {name!r}. There is: {known}.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def state_types(self) -> tuple[type, ...]:
        return tuple(cls for workflow in self.values() for cls in workflow.state_types)


@cache
def _strict(model: type[BaseModel]) -> type[BaseModel]:
    """The model, but that it refuses fields which it does not know, unless it allows them."""
    if issubclass(model, RootModel) or model.model_config.get("extra") in ("allow", "forbid"):
        return model

    class Strict(model):
        model_config = ConfigDict(extra="forbid")

    return Strict


def _described(model: type[BaseModel]) -> list[str]:
    return [
        name if info.is_required() else f"{name} (optional)"
        for name, info in model.model_fields.items()
    ]
