"""An OpenAI-compatible server, well and badly behaved."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from audiojourney.captions import endpoint
from audiojourney.captions.chat import ChatSettings, Turn
from audiojourney.captions.endpoint import Endpoint
from audiojourney.errors import MissingError, UsageError
from tests.captions.stub import Handler, serving

QUICK = ChatSettings(timeout_s=0.3, retries=2, backoff_s=0.001)


def one(behave, settings: ChatSettings = QUICK):
    """Return the reply to one question, and what the server saw."""
    with serving(behave) as (address, handler):
        return Endpoint(address, "tiny", settings).complete([Turn("rain?", 5, 0.7)])[0], handler


def test_a_question_goes_out_as_openai_has_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AJ_ENDPOINT_KEY", "secret-key")
    settings = replace(QUICK, body={"max_tokens": None, "max_completion_tokens": 9})
    reply, handler = one(lambda handler, *_: handler.say("Rain falls."), settings)
    assert (reply.text, reply.failure) == ("Rain falls.", "")
    assert handler.headers_seen[0]["Authorization"] == "Bearer secret-key"
    assert handler.seen[0] == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "rain?"}],
        "temperature": 0.7,
        "top_p": 0.95,
        "max_completion_tokens": 9,
        "seed": 5,
        "n": 1,
        "stream": False,
    }


def test_without_a_key_none_is_sent():
    _, handler = one(lambda handler, *_: handler.say("Rain falls."))
    assert "Authorization" not in handler.headers_seen[0]


def test_answers_keep_the_order_of_questions_and_the_bound_of_concurrency():
    running = [0, 0]

    def behave(handler: Handler, question: dict, _: int) -> None:
        running[0] += 1
        running[1] = max(running)
        time.sleep(0.01 * (question["seed"] % 3))
        running[0] -= 1
        handler.say(question["messages"][0]["content"].upper())

    with serving(behave) as (address, _):
        model = Endpoint(address, "tiny", replace(QUICK, concurrency=3))
        replies = model.complete([Turn(f"q{number}", number) for number in range(20)])
    assert [reply.text for reply in replies] == [f"Q{number}" for number in range(20)]
    assert running[1] <= 3


def send_json(value: object, code: int = 200):
    """Return a behaviour that sends a JSON value."""
    return lambda handler, *_: handler.send(json.dumps(value).encode(), code)


@pytest.mark.parametrize(
    ("behave", "asked", "failure"),
    [
        (lambda handler, *_: time.sleep(0.6), 3, "no answer within 0.3 s"),
        (lambda handler, *_: handler.send(b'{"choices": [{"mess'), 3, "no JSON"),
        (lambda handler, *_: handler.send(b"[" * 100_000), 3, "no JSON"),
        (lambda handler, *_: handler.send(b"\xff\xfe\x00"), 3, "no JSON"),
        (lambda handler, *_: handler.send(b"x" * (endpoint.MOST_BYTES + 9)), 3, "larger than 1048576 bytes"),
        (lambda handler, *_: handler.send(b"", Content_Length="100"), 3, "no JSON|broke|within"),
        (lambda handler, *_: handler.wfile.write(b"not http at all\r\n\r\n"), 3, "broke"),
        (send_json({"choices": []}), 3, "no text where it should be"),
        (send_json([1, 2]), 3, "no text where it should be"),
        (send_json({"choices": [{"message": {"content": 7}}]}), 3, "int instead of a text"),
        (send_json({"error": {"message": "too\nlong"}}, 400), 1, r"HTTP 400 \(too long\)"),
        (send_json({"error": "busy"}, 503), 3, r"HTTP 503 \(busy\)"),
        (lambda handler, *_: handler.send(b"<html>", 500), 3, "HTTP 500$"),
        (lambda handler, *_: handler.send(b"", 302, Location="http://127.0.0.1:9/"), 1, "HTTP 302"),
    ],
)
def test_trouble_is_a_reason_after_bounded_tries(behave, asked: int, failure: str):
    reply, handler = one(behave)
    assert reply.text == ""
    with pytest.raises(AssertionError, match=failure):
        raise AssertionError(reply.failure)
    assert len(handler.seen) == asked


def test_a_slow_server_is_not_asked_for_ever():
    reply, handler = one(lambda handler, *_: time.sleep(0.2), ChatSettings(timeout_s=0.1, retries=50, backoff_s=0))
    assert reply.failure == "no answer within 0.1 s"
    assert len(handler.seen) <= 5


def test_a_dripping_answer_ends():
    def drip(handler: Handler, *_: object) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(60):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)

    reply, _ = one(drip, replace(QUICK, retries=0))
    assert reply.failure == "the answer did not end in time"


def test_another_try_may_succeed():
    def behave(handler: Handler, _: dict, before: int) -> None:
        handler.send(b"", 429, Retry_After="0.01") if before < 2 else handler.say("Wind blows.")

    reply, handler = one(behave)
    assert reply.text == "Wind blows."
    assert len(handler.seen) == 3


def test_texts_in_parts_and_no_text():
    parts = [{"type": "text", "text": "Rain "}, {"type": "image"}, {"type": "text", "text": "falls."}]
    assert one(lambda handler, *_: handler.say(parts))[0].text == "Rain falls."
    assert one(lambda handler, *_: handler.say(None))[0].text == ""


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_server_that_refuses_altogether_ends_the_run(code: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AJ_ENDPOINT_KEY", "secret-key")
    with pytest.raises(MissingError, match=f"HTTP {code}, model 'tiny'") as caught:
        one(send_json({"error": {"message": "bad key secret-key"}}, code))
    assert "secret-key" not in str(caught.value)


def test_the_key_stands_in_no_failure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AJ_ENDPOINT_KEY", "secret-key")
    reply, _ = one(send_json({"error": {"message": "bad key secret-key"}}, 400))
    assert reply.failure == "the endpoint answers HTTP 400 (bad key ***)"


def test_nobody_at_the_address_ends_the_run():
    with serving(lambda *_: None) as (address, _):
        pass
    with pytest.raises(MissingError, match=r"Nobody answers at http://127.0.0.1:\d+/v1"):
        Endpoint(address, "tiny", QUICK).complete([Turn("rain?", 0)])


def test_the_only_model_is_found():
    with serving(lambda *_: None) as (address, _):
        assert Endpoint(address + "/", None, QUICK).name == "tiny"
    with (
        serving(lambda *_: None, models=("a", "b")) as (address, _),
        pytest.raises(UsageError, match=r"has 2 models: a, b.*--model"),
    ):
        Endpoint(address, None, QUICK)


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("file:///etc/passwd", UsageError, "is no address"),
        ("localhost:8000", UsageError, "is no address"),
        ("http://", UsageError, "is no address"),
        ("http://me:hunter2@host/v1", UsageError, "named with a password"),
        ("http://host:99999/v1", UsageError, "is no address"),
        ("https://api.example.org/v1", MissingError, "switched off"),
    ],
)
def test_addresses_that_cannot_be_asked(address: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message) as caught:
        Endpoint(address, "tiny", QUICK, offline=True)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"timeout_s": 0}, {"top_p": 0}, {"concurrency": 0}])
def test_settings_that_cannot_be_meant(wrong: dict):
    with pytest.raises(UsageError, match="chat"):
        ChatSettings(**wrong)


@pytest.mark.parametrize("models", [{"data": 3}, {"models": []}, [1], {"data": [{"name": "a"}]}])
def test_a_server_that_names_no_model_is_told(models, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Handler, "do_GET", lambda handler: handler.send(json.dumps(models).encode()))
    with (
        serving(lambda *_: None) as (address, _),
        pytest.raises(MissingError, match="names no model: the answer has no list of models"),
    ):
        Endpoint(address, None, QUICK)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-4", 0.0), ("1e9", 30.0), ("nan", 0.0), ("Wed, 21 Oct", 0.0), ("", 0.0)],
)
def test_how_long_a_server_asks_to_wait_is_bounded(text: str, seconds: float):
    assert endpoint._seconds(text) == seconds


def test_an_address_may_name_the_path_of_the_question():
    with serving(lambda handler, *_: handler.say("Rain falls.")) as (address, _):
        model = Endpoint(f"{address}/chat/completions/", "tiny", QUICK)
        assert model._address == address
        assert model.complete([Turn("rain?", 1)])[0].text == "Rain falls."
