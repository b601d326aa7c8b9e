"""Custom resources: what a function is sent, and what becomes of its answer."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cloudformation.resource import Context, Live, Services
from cloudformation.types.custom import CustomResourceError, custom_type

PROPERTIES = {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:answers", "Count": 3, "On": True}
Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


class Lambda:
    """Lambda's API with one function: `answer` says what it puts to the ResponseURL; None breaks it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: Answer = lambda event: None
        outer = self

        class Api(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.events.append(event)
                answer = outer.answer(event)
                if answer is not None:
                    put(event["ResponseURL"], answer)
                body = b"{}" if answer is not None else b'{"errorMessage": "out of order"}'
                self.send_response(200)
                if answer is None:
                    self.send_header("x-amz-function-error", "Unhandled")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def put(url: str, answer: dict[str, Any]) -> None:
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(answer).encode(), method="PUT"), timeout=60).close()


@pytest.fixture
def function() -> Iterator[Lambda]:
    started = Lambda()
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.fixture
def context(function: Lambda) -> Context:
    url = f"http://127.0.0.1:{function.server.server_address[1]}"
    return Context(Services(url, url, "us-east-1"), "stack", "arn:stack", "Thing")


def success(event: dict[str, Any]) -> dict[str, Any]:
    return {"Status": "SUCCESS", "PhysicalResourceId": "thing-1", "Data": {"Address": "here"}}


def test_gives_what_the_function_answers(function: Lambda, context: Context) -> None:
    function.answer = success
    made = custom_type("Custom::Thing").create(context, PROPERTIES)
    assert (made.physical_id, made.attributes) == ("thing-1", {"Address": "here"})
    (event,) = function.events
    assert (event["RequestType"], event["ResourceType"], event["LogicalResourceId"]) == (
        "Create",
        "Custom::Thing",
        "Thing",
    )
    assert (event["ResourceProperties"]["Count"], event["ResourceProperties"]["On"]) == ("3", "true")


def test_sends_the_old_properties_with_an_update_and_the_id_with_a_delete(function: Lambda, context: Context) -> None:
    function.answer = success
    kind = custom_type("Custom::Thing")
    live = Live("Thing", "Custom::Thing", PROPERTIES, "thing-1", {})
    assert kind.update is not None
    kind.update(context, live, {**PROPERTIES, "Count": 4})
    kind.delete(context, live)
    updated, deleted = function.events
    assert (updated["OldResourceProperties"]["Count"], updated["ResourceProperties"]["Count"]) == ("3", "4")
    assert (deleted["RequestType"], deleted["PhysicalResourceId"]) == ("Delete", "thing-1")


def test_fails_with_the_reason_that_the_function_gives(function: Lambda, context: Context) -> None:
    function.answer = lambda event: {"Status": "FAILED", "Reason": "no wal_level", "PhysicalResourceId": "x"}
    with pytest.raises(CustomResourceError, match="no wal_level"):
        custom_type("Custom::Thing").create(context, PROPERTIES)


def test_fails_at_once_when_the_function_breaks(function: Lambda, context: Context) -> None:
    with pytest.raises(CustomResourceError, match="out of order"):
        custom_type("Custom::Thing").create(context, PROPERTIES)
