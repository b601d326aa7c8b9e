"""Custom resources: a function is called, and its answer awaited, as CloudFormation does it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..api import Properties
from ..resource import Context, Live, Made, ResourceType

LONGEST_SECONDS = 600
"""Waited for an answer; CloudFormation waits for ServiceTimeout, an hour by default."""


class CustomResourceError(Exception):
    """The function answered FAILED, broke, or did not answer."""


class _Mailbox(ThreadingHTTPServer):
    """Where ResponseURLs lead: takes what is PUT to a token's path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Letter)
        self.daemon_threads = True
        self.answers: dict[str, dict[str, Any]] = {}
        self.arrived = threading.Condition()
        threading.Thread(target=self.serve_forever, name="custom resource answers", daemon=True).start()

    def address(self, token: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{token}"


class _Letter(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        mailbox: Any = self.server
        with mailbox.arrived:
            mailbox.answers[self.path.strip("/")] = json.loads(body)
            mailbox.arrived.notify_all()
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """The stack's events tell enough."""


_mailbox: _Mailbox | None = None
_mailbox_lock = threading.Lock()


def _open_mailbox() -> _Mailbox:
    global _mailbox
    with _mailbox_lock:
        if _mailbox is None:
            _mailbox = _Mailbox()
        return _mailbox


def _ask(context: Context, request_type: str, kind: str, properties: Properties, more: Properties) -> Made:
    mailbox = _open_mailbox()
    token = uuid.uuid4().hex
    event = {
        "RequestType": request_type,
        "RequestId": token,
        "ResponseURL": mailbox.address(token),
        "ResourceType": kind,
        "LogicalResourceId": context.logical_id,
        "StackId": context.stack_id,
        "ServiceToken": properties["ServiceToken"],
        "ResourceProperties": _texts(properties),
        **more,
    }
    outcome = _invoke(context, properties["ServiceToken"], event)
    seconds = min(float(properties.get("ServiceTimeout", LONGEST_SECONDS)), LONGEST_SECONDS)
    # A function that broke will not answer any more, one that ended may have left its answer on the way.
    with mailbox.arrived:
        mailbox.arrived.wait_for(lambda: token in mailbox.answers, 2 if outcome else seconds)
        answer = mailbox.answers.pop(token, None)
    if answer is None:
        raise CustomResourceError(outcome or f"the function put no answer to its ResponseURL in {seconds:.0f} s")
    if answer["Status"] != "SUCCESS":
        raise CustomResourceError(f"the function answered {answer['Status']}: {answer.get('Reason', 'no reason')}")
    return Made(answer["PhysicalResourceId"], answer.get("Data") or {})


def _invoke(context: Context, function_arn: str, event: dict[str, Any]) -> str | None:
    """Calls the function and waits; what it broke with, or None. (CloudFormation doesn't wait, and can't tell.)"""
    client = context.services.client("lambda")
    answer = client.invoke(FunctionName=function_arn, Payload=json.dumps(event).encode())
    if "FunctionError" not in answer:
        return None
    return f"the function broke: {answer['Payload'].read().decode()[:2000]}"


def _texts(value: Any) -> Any:
    """CloudFormation hands numbers and booleans to custom resources as text."""
    if isinstance(value, dict):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _update(context: Context, live: Live, properties: Properties) -> Made:
    more = {"PhysicalResourceId": live.physical_id, "OldResourceProperties": _texts(live.properties)}
    return _ask(context, "Update", live.type, properties, more)


def _delete(context: Context, live: Live) -> None:
    _ask(context, "Delete", live.type, live.properties, {"PhysicalResourceId": live.physical_id})


def custom_type(name: str) -> ResourceType:
    """A `Custom::` type; replaced when another function is to answer for it."""
    return ResourceType(
        create=lambda context, properties: _ask(context, "Create", name, properties, {}),
        delete=_delete,
        update=_update,
        replaced_by=frozenset(["ServiceToken"]),
    )
