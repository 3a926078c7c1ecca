"""A model that says what a script says: for an agent to be tried and tested without a provider."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

Script = Callable[[Sequence[BaseMessage]], AIMessage]


class ScriptedModel(BaseChatModel):
    """says: the next message, from those so far and nothing else, so that every process of a
    deployment goes on with the same conversation."""

    says: Script

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "ScriptedModel":  # noqa: ARG002 - a model's
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - a model's
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.says(messages))])


def turns(*said: AIMessage) -> Script:
    """One after the other: the n-th message of the model is the n-th of these."""

    def says(messages: Sequence[BaseMessage]) -> AIMessage:
        n = sum(isinstance(each, AIMessage) for each in messages)
        return said[min(n, len(said) - 1)].model_copy()

    return says
