"""Language models that are asked for captions, whichever way they are reached, and how often they are asked again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from audiojourney.captions.answers import kept_raw
from audiojourney.captions.names import CaptionerOptions
from audiojourney.errors import UsageError

DEFAULT_LLM = "Qwen/Qwen2.5-7B-Instruct"
V = TypeVar("V")


@dataclass(frozen=True, kw_only=True)
class ChatSettings:
    """How a language model is asked.

    Attributes:
        attempts: answers that are asked for until one is usable.
        temperature: of all answers but the first, which is the likeliest one.
        top_p: share of the likelihood that drawn words come from.
        max_tokens: longest answer.
        timeout_s: longest wait for an answer of an endpoint.
        retries: times that a request is sent again when an endpoint fails.
        backoff_s: pause before the first of them; it doubles each time.
        concurrency: requests under way at once.
        key_variable: environment variable that holds the key of an endpoint.
        body: further fields of a request; null takes one away.
        batch: conversations that a model of the Hub continues at once. More are faster, and may change a word here
            and there, since sums of floating-point numbers depend on how they are grouped.
    """

    attempts: int = 3
    temperature: float = 0.8
    top_p: float = 0.95
    max_tokens: int = 128
    timeout_s: float = 60.0
    retries: int = 4
    backoff_s: float = 0.5
    concurrency: int = 8
    key_variable: str = "AJ_ENDPOINT_KEY"
    body: dict[str, Any] = field(default_factory=dict)
    batch: int = 1

    def __post_init__(self) -> None:
        for name, least in (("attempts", 1), ("concurrency", 1), ("retries", 0), ("max_tokens", 1), ("batch", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"chat.{name} is {getattr(self, name)}; expected {least} or more.")
        if self.timeout_s <= 0 or self.backoff_s < 0 or self.temperature < 0 or not 0 < self.top_p <= 1:
            raise UsageError(
                f"chat: timeout_s {self.timeout_s}, backoff_s {self.backoff_s}, temperature {self.temperature} and "
                f"top_p {self.top_p} cannot all be meant."
            )


@dataclass(frozen=True)
class Turn:
    """One question to a model.

    Attributes:
        prompt: all that is said to it.
        seed: of what is drawn.
        temperature: 0 for the likeliest answer.
    """

    prompt: str
    seed: int
    temperature: float = 0.0


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        text: the answer.
        failure: why there is none, or "".
    """

    text: str = ""
    failure: str = ""


class ChatModel(Protocol):
    """A language model.

    Attributes:
        name: model and, where known, its revision.
    """

    name: str

    def complete(self, turns: Sequence[Turn]) -> list[Reply]:
        """Answer each question on its own; an answer that cannot be had is a `Reply` with a reason.

        Raises:
            MissingError: the model cannot be reached at all.
        """


@dataclass(frozen=True)
class Result(Generic[V]):
    """What became of a question.

    Attributes:
        value: what was read out of the answer, or None.
        raw: the last answer word for word, cut where it is very long.
        failure: why there is no value, or "".
        answered: whether there was an answer, usable or not.
    """

    value: V | None
    raw: str
    failure: str = ""
    answered: bool = True


def ask(
    model: ChatModel,
    prompts: Sequence[str],
    seeds: Sequence[int],
    read: Callable[[str], tuple[V | None, str]],
    settings: ChatSettings,
    likeliest: Sequence[bool] | None = None,
) -> list[Result[V]]:
    """Ask until each answer can be read, at most `settings.attempts` times.

    A question that got no answer at all is not asked again: whoever is asked has tried often enough.

    Args:
        model: who is asked.
        prompts: the questions.
        seeds: one each.
        read: takes an answer; gives what was read, or None and the fault behind "the answer".
        settings: attempts and temperature.
        likeliest: whether the first attempt asks for the likeliest answer; all do when None.
    """
    first = likeliest or [True] * len(prompts)
    results: list[Result[V]] = [Result(None, "", "was never asked")] * len(prompts)
    pending = list(range(len(prompts)))
    for attempt in range(settings.attempts):
        turns = [
            Turn(
                prompts[i],
                derived_seed(seeds[i], attempt),
                0.0 if first[i] and attempt == 0 else settings.temperature,
            )
            for i in pending
        ]
        for place, reply in zip(pending, model.complete(turns) if turns else [], strict=True):
            results[place] = _result(reply, read, attempt + 1)
        pending = [place for place in pending if results[place].value is None and results[place].answered]
    return results


def _result(reply: Reply, read: Callable[[str], tuple[V | None, str]], attempts: int) -> Result[V]:
    if reply.failure:
        return Result(None, kept_raw(reply.text), f"no answer: {reply.failure}", answered=False)
    value, fault = read(reply.text)
    failure = "" if value is not None else f"no usable answer in {attempts} attempts: the last one {fault}"
    return Result(value, kept_raw(reply.text), failure)


def derived_seed(seed: int, *parts: int) -> int:
    """Return a seed below 2^31 that depends on `seed` and `parts` alone."""
    text = ":".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest()[:4], "big") >> 1


def open_chat(options: CaptionerOptions, settings: ChatSettings) -> ChatModel:
    """Open the language model that a captioner was told to use: an endpoint, else a model of the Hub.

    Raises:
        UsageError: the endpoint is no address.
        MissingError: the model is not on this machine and cannot be had.
    """
    if options.endpoint:
        from audiojourney.captions.endpoint import Endpoint

        return Endpoint(options.endpoint, options.model, settings, options.offline)
    from audiojourney.captions.instruct import HubChat

    return HubChat(options.model or DEFAULT_LLM, options.device, options.dtype, settings)
