"""A plain agent in a thread: long-polls, and answers by what the text asks for.

`echo X` · `slow N X`: after N seconds · `ask X`: input-required first, then completed · `fail X`
"""
import threading
import time


class PollingAgent(threading.Thread):
    def __init__(self, client, workspace, delay=0.0):
        super().__init__(daemon=True)
        self.client, self.base, self.delay = client, f"/workspaces/{workspace}/inbox", delay
        self.ended = threading.Event()
        self.asked = set()

    def run(self):
        time.sleep(self.delay)
        while not self.ended.is_set():
            try:
                polled = self.client.call("GET", self.base + "?wait=2&max=8")
            except ConnectionError:
                time.sleep(0.1)
                continue
            for entry in polled.json.get("messages", []) if polled.status == 200 else []:
                self.work(entry)

    def stop(self):
        self.ended.set()
        self.join()

    def work(self, entry):
        verb, _, rest = entry["text"].partition(" ")
        result = {"text": f"you said: {rest}"}
        if verb == "slow":
            seconds, _, rest = rest.partition(" ")
            time.sleep(float(seconds))
            result = {"text": f"after {seconds} s: {rest}"}
        elif verb == "ask":
            self.asked.add(entry["task_id"])
            result = {"text": f"what about {rest}?", "state": "input-required"}
        elif verb == "fail":
            result = {"text": f"no: {rest}", "state": "failed"}
        elif entry["task_id"] in self.asked:
            result = {"text": f"thanks for {entry['text']}"}
        self.client.call("POST", f"{self.base}/{entry['id']}/result", result,
                         {"X-Relay-Lease": entry["lease"]["token"]})
