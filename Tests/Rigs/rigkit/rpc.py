"""A2A bodies in both dialects, and what a rig reads from the answers."""


def send(text, dialect="0.3", blocking=True, message_id=None, task=None, context=None):
    """The JSON-RPC body of a send, and the headers that go with it."""
    message = {"messageId": message_id or text}
    message |= {"taskId": task} if task else {}
    message |= {"contextId": context} if context else {}
    if dialect == "0.3":
        message |= {"kind": "message", "role": "user", "parts": [{"kind": "text", "text": text}]}
        params = {"message": message, "configuration": {"blocking": blocking}}
        return call("message/send", params, dialect)
    message |= {"role": "ROLE_USER", "parts": [{"text": text}]}
    params = {"message": message, "configuration": {"returnImmediately": not blocking}}
    return call("SendMessage", params, dialect)


def cancel(task, dialect="0.3"):
    return call("tasks/cancel" if dialect == "0.3" else "CancelTask", {"id": task}, dialect)


def get(task, dialect="0.3"):
    return call("tasks/get" if dialect == "0.3" else "GetTask", {"id": task}, dialect)


def call(method, params, dialect="0.3"):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return body, ({} if dialect == "0.3" else {"A2A-Version": "1.0"})


def task_of(answer):
    """The Task in a JSON-RPC result, or None."""
    result = answer.get("result") or {}
    return result.get("task") or (result if "status" in result else None)


def state_of(task):
    state = (task.get("status") or {}).get("state", "")
    return state.removeprefix("TASK_STATE_").lower().replace("_", "-")


def text_of(task):
    """The text of a task's artifacts: the agent's answer."""
    parts = [p for a in task.get("artifacts") or [] for p in a.get("parts") or []]
    return "".join(p.get("text", "") for p in parts) or None


def error_of(answer):
    """(code, reason, delivered) of a JSON-RPC error, or None."""
    error = answer.get("error")
    if not isinstance(error, dict):
        return None
    data = error.get("data")
    info = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    return error.get("code"), info.get("reason"), (info.get("metadata") or {}).get("delivered")
