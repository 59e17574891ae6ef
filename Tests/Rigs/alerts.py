"""The alert rules and the metrics, read by Prometheus' own tool.

promtool comes from the system, or from Debian's package of Prometheus, which is unpacked here and
not installed: its service would start.
"""
import pathlib
import shutil
import subprocess

from relaykit import ROOT, Relay, check, main, say, scratch, skip

# What must fire, on made-up series: the rules' own test, in promtool's form.
CASES = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'up{{job="a2a-relay",instance="a"}}', values: '1 0 0 0 0 0'}}
      - {{series: 'up{{job="a2a-relay",instance="b"}}', values: '1 1 1 1 1 1'}}
    alert_rule_test:
      - eval_time: 3m
        alertname: RelayDown
        exp_alerts:
          - exp_labels: {{severity: page, job: a2a-relay, instance: a}}
            exp_annotations:
              summary: a does not answer
              runbook: docs/operations.md#alert-relay-down
  - interval: 1m
    input_series:
      - {{series: 'a2a_relay_messages_ended_total{{reason="dead",instance="a"}}', values: '0 0 2 2 2'}}
      - {{series: 'a2a_relay_messages_ended_total{{reason="expired",instance="a"}}', values: '0 0 2 2 2'}}
      - {{series: 'a2a_relay_oldest_unanswered_age_seconds{{instance="a"}}', values: '0x10'}}
    alert_rule_test:
      - eval_time: 4m
        alertname: MessagesDie
        exp_alerts:
          - exp_labels: {{severity: ticket, reason: dead, instance: a}}
            exp_annotations:
              summary: "a: messages have used up their attempts"
              runbook: docs/operations.md#alert-dead
      - eval_time: 4m
        alertname: MessagesUnansweredForLong
        exp_alerts: []
"""


def promtool(scratch_path):
    found = shutil.which("promtool")
    if found:
        return found
    fetched = subprocess.run(["apt-get", "download", "prometheus"], cwd=scratch_path,
                             capture_output=True, text=True)
    packages = list(scratch_path.glob("prometheus_*.deb"))
    if not packages:
        skip("alerts", f"no promtool, and no package of it: {fetched.stderr.strip()[-200:]}")
    subprocess.run(["dpkg", "-x", str(packages[0]), str(scratch_path)], check=True)
    return str(scratch_path / "usr/bin/promtool")


def tool(command, *arguments, text=None):
    done = subprocess.run([command, *arguments], input=text, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def run(_):
    path = scratch("alerts")
    command = promtool(path)
    rules = ROOT / "deploy" / "alerts.yaml"
    code, told = tool(command, "check", "rules", str(rules))
    check(code == 0, f"promtool check rules: {told}")
    say(told.splitlines()[-1].strip())
    cases = path / "cases.yaml"
    cases.write_text(CASES.format(rules=rules))
    code, told = tool(command, "test", "rules", str(cases))
    check(code == 0, f"promtool test rules: {told}")
    # The control: an alert that must not fire is expected to.
    cases.write_text(CASES.format(rules=rules).replace("values: '0 0 2 2 2'", "values: '0 0 0 0 0'"))
    code, _ = tool(command, "test", "rules", str(cases))
    check(code != 0, "promtool finds nothing wrong with a wrong expectation")

    relay = Relay(path / "data", args=["--metrics-per-workspace", "10"]).start()
    identity, token = relay.workspace("na\"me\\")
    with relay.client(relay.admin) as admin:
        sent = admin.call("POST", f"/w/{identity}/", {
            "jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {
                "message": {"kind": "message", "role": "user", "messageId": "m",
                            "parts": [{"kind": "text", "text": "x"}]},
                "configuration": {"blocking": False}}})
        check(sent.status == 200, f"sending: {sent}")
        page = admin.call("GET", "/metrics")
        check(page.status == 200, f"/metrics: {page}")
        text = bytes(page.body).decode()
    code, told = tool(command, "check", "metrics", text=text)
    check(code == 0, f"promtool check metrics: {told}")
    code, _ = tool(command, "check", "metrics", text=text.replace("# TYPE", "# TIPE", 1) + "x{")
    check(code != 0, "promtool takes what is no metrics page")
    say(f"{text.count('# TYPE')} families, as Prometheus reads them")
    relay.stop()


if __name__ == "__main__":
    main(run)
