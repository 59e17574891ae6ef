"""a2a-sdk 0.3.26 behind the few verbs that scenario.py uses. Time-outs are the SDK's own."""
import uuid

import httpx
from a2a.client import A2ACardResolver, AuthInterceptor, ClientConfig, ClientFactory, CredentialService
from a2a.types import (
    Message, MessageSendConfiguration, MessageSendParams, Part, PushNotificationConfig, Role,
    TaskIdParams, TaskPushNotificationConfig, TaskQueryParams, TextPart)

ERRORS = {
    "unauthorized": ("A2AClientHTTPError", "401"),
    "task not found": ("A2AClientJSONRPCError", "-32001"),
    "not cancelable": ("A2AClientJSONRPCError", "-32002"),
    # It asks for SSE and gets a JSON-RPC error as plain JSON: to this client a protocol error.
    "unsupported": ("A2AClientHTTPError", "400"),
    "ended task": ("A2AClientJSONRPCError", "-32"),
    "no push": ("A2AClientJSONRPCError", "-32003"),
    "bad params": ("A2AClientJSONRPCError", "-32602"),
    "relay": ("A2AClientJSONRPCError", "-32603"),
}


class Key(CredentialService):
    """The credential of the card's scheme `relay`."""

    def __init__(self, token):
        self.token = token

    async def get_credentials(self, name, context):
        return self.token if name == "relay" else None


async def card(url):
    async with httpx.AsyncClient() as client:
        found = await A2ACardResolver(client, url).get_agent_card()
    return {"name": found.name, "urls": [found.url], "streaming": bool(found.capabilities.streaming),
            "schemes": list(found.security_schemes or {})}


async def connect(url, token=None, way="interceptor", headers=None):
    """`interceptor`: by the card's scheme; `bearer`, `key`: by headers of the HTTP client."""
    given = dict(headers or {})
    if token and way == "bearer":
        given["Authorization"] = f"Bearer {token}"
    if token and way == "key":
        given["X-Relay-Key"] = token
    config = ClientConfig(httpx_client=httpx.AsyncClient(headers=given) if given else None)
    interceptors = [AuthInterceptor(Key(token))] if token and way == "interceptor" else []
    return Official(await ClientFactory.connect(url, config, interceptors=interceptors))


class Official:
    def __init__(self, client):
        self.client = client

    def message(self, text, task=None, context=None):
        return Message(message_id=str(uuid.uuid4()), role=Role.user,
                       parts=[Part(root=TextPart(text=text))], task_id=task, context_id=context)

    async def send(self, text, blocking=True, task=None, context=None):
        events = [e async for e in self.client.send_message(
            self.message(text, task, context),
            configuration=MessageSendConfiguration(blocking=blocking))]
        return plain(events[-1][0])

    async def stream(self, text):
        params = MessageSendParams(message=self.message(text))
        return [e async for e in self.client._transport.send_message_streaming(params)]

    async def get(self, task, history=None):
        return plain(await self.client.get_task(TaskQueryParams(id=task, history_length=history)))

    async def cancel(self, task):
        return plain(await self.client.cancel_task(TaskIdParams(id=task)))

    async def push(self, task):
        await self.client.set_task_callback(TaskPushNotificationConfig(
            task_id=task,
            push_notification_config=PushNotificationConfig(url="http://127.0.0.1:1/")))


def plain(task):
    message = task.status.message
    return {"id": task.id, "context": task.context_id, "state": task.status.state.value,
            "text": "".join(p.root.text for a in task.artifacts or [] for p in a.parts),
            "status_text": "".join(p.root.text for p in message.parts) if message else "",
            "history": [m.parts[0].root.text for m in task.history or []]}


def details(error):
    """What the relay said besides: the error's data."""
    return str(error.error.data)
