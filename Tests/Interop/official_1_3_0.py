"""a2a-sdk 1.3.0 behind the few verbs that scenario.py uses. Time-outs are the SDK's own."""
import uuid

import httpx
from a2a.client import (
    A2ACardResolver, AuthInterceptor, ClientCallContext, ClientConfig, ClientFactory,
    CredentialService)
from a2a.types.a2a_pb2 import (
    CancelTaskRequest, GetTaskRequest, Message, Part, Role, SendMessageConfiguration,
    SendMessageRequest, TaskPushNotificationConfig, TaskState)

ERRORS = {
    "unauthorized": ("A2AClientError", "401"),
    "task not found": ("TaskNotFoundError", ""),
    "not cancelable": ("TaskNotCancelableError", ""),
    "unsupported": ("UnsupportedOperationError", ""),
    "ended task": ("UnsupportedOperationError", ""),
    "no push": ("PushNotificationNotSupportedError", ""),
    "bad params": ("InvalidParamsError", ""),
    "relay": ("InternalError", ""),
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
    return {"name": found.name, "urls": [i.url for i in found.supported_interfaces],
            "streaming": found.capabilities.streaming, "schemes": list(found.security_schemes)}


async def connect(url, token=None, way="interceptor", headers=None):
    """`interceptor`: by the card's scheme; `bearer`, `key`: by headers of the HTTP client."""
    given = dict(headers or {})
    if token and way == "bearer":
        given["Authorization"] = f"Bearer {token}"
    if token and way == "key":
        given["X-Relay-Key"] = token
    http = httpx.AsyncClient(headers=given) if given else None
    interceptors = [AuthInterceptor(Key(token))] if token and way == "interceptor" else []
    factory = ClientFactory(ClientConfig(httpx_client=http))
    return Official(await factory.create_from_url(url, interceptors))


class Official:
    def __init__(self, client):
        self.client = client

    def request(self, text, blocking, task, context):
        message = Message(message_id=str(uuid.uuid4()), role=Role.ROLE_USER,
                          parts=[Part(text=text)], task_id=task or "", context_id=context or "")
        return SendMessageRequest(
            message=message,
            configuration=SendMessageConfiguration(return_immediately=not blocking))

    async def send(self, text, blocking=True, task=None, context=None):
        request = self.request(text, blocking, task, context)
        return plain([e async for e in self.client.send_message(request)][-1].task)

    async def stream(self, text):
        transport, context = self.client._transport, ClientCallContext()
        request = self.request(text, True, None, None)
        return [e async for e in self.client._execute_stream_with_interceptors(
            request, "send_message_streaming", context,
            lambda req, ctx: transport.send_message_streaming(req, context=ctx))]

    async def get(self, task, history=None):
        return plain(await self.client.get_task(GetTaskRequest(id=task, history_length=history)))

    async def cancel(self, task):
        return plain(await self.client.cancel_task(CancelTaskRequest(id=task)))

    async def push(self, task):
        await self.client.create_task_push_notification_config(
            TaskPushNotificationConfig(task_id=task, url="http://127.0.0.1:1/"))


def plain(task):
    state = TaskState.Name(task.status.state).removeprefix("TASK_STATE_").lower()
    return {"id": task.id, "context": task.context_id, "state": state.replace("_", "-"),
            "text": "".join(p.text for a in task.artifacts for p in a.parts),
            "status_text": "".join(p.text for p in task.status.message.parts),
            "history": [m.parts[0].text for m in task.history]}


def details(error):
    """What the relay said besides: the ErrorInfo's metadata."""
    return str(error.data)
