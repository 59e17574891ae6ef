"""The tar of deploy/bundle.sh, installed and used where there is no network at all.

    bundle.py

It is made in a fresh clone, where nothing has been built. It is unpacked in a network namespace of its own, in which only loopback is up, and whose PATH has no
Swift; the commands of README's "By hand" are run there, word for word, with what the bundle brings.
Every relative link of the pages must lead somewhere, in the bundle and in the repository. The files
for containers are held against what they name, as no engine runs here.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tarfile

from rigkit.pages import blocks, broken_links
from rigkit.relay import ROOT, check, main, say, scratch, skip

# What stands before and after the commands of the README.
BEFORE = r"""
set -eu
cd "$1"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$1"
ip link set lo up
test -z "$(ip route show table main)" || { echo "there is a route"; exit 1; }
if python3 -c 'import socket; socket.create_connection(("192.0.2.1", 80), 2)' 2>/dev/null; then
  echo "there is a network"; exit 1
fi
tar xzf bundle.tar.gz
(cd a2a-relay-*/ && ./install.sh --prefix "$1/prefix")
# Where the README's build would have put it.
mkdir -p .build
ln -s "$1/prefix/bin" .build/release
swift() { test "$*" = "build -c release --product a2a-relay"; }
"""
# The terminal in which the relay is started.
SERVE = r"""
{ exec >out 2>log
%s
} &
pid=$!
trap 'kill $pid 2>/dev/null || true' EXIT
for _ in $(seq 100); do grep -q "ready on http://127.0.0.1:8080$" out && break; sleep 0.1; done
.build/release/a2a-relay health
"""
AFTER = r"""
a2a-relay check "$PWD/monday"
# The agent of the bundle, too.
RELAY=$U WORKSPACE=$ID TOKEN=$TOKEN python3 prefix/share/a2a-relay/deploy/agent.py 2>/dev/null &
agent=$!
curl -sf $U/w/$ID/ -H "X-Relay-Key: $ADMIN_TOKEN" -d '{"jsonrpc":"2.0","id":1,
  "method":"message/send","params":{"message":{"kind":"message","role":"user","messageId":"m-2",
  "parts":[{"kind":"text","text":"again"}]}}}' | grep -q "You said: again"
kill $agent
test "$(pgrep -cx a2a-relay)" = 1
pkill -TERM -x a2a-relay  # of this namespace's only
wait $pid
trap - EXIT
"""
MARK = "@@ the next block @@"


def script():
    """The blocks of README's "By hand", as they stand there, and what each should print."""
    serve, make, send, poll, result, explain, commands = blocks("README.md", "By hand")
    next_block = f"echo; echo '{MARK}'\n"
    return "".join([
        BEFORE, SERVE % serve, make, send, "caller=$!\n", next_block, poll, next_block, result,
        "wait $caller\n", next_block, explain, next_block, commands, next_block, AFTER])


def quick_start(folder, tar):
    shutil.copy(tar, folder / "bundle.tar.gz")
    done = subprocess.run(
        ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", "bash", "-c", script(),
         "bash", str(folder)], capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)
    check(done.returncode == 0, f"{done.stdout[-1500:]} {done.stderr[-800:]}")
    _, entry, answer, told, printed, _ = done.stdout.split(MARK)
    check('"text":"hello"' in entry and '"lease":' in entry, f"the poll: {entry}")
    check('"status":"accepted"' in answer and '"completed"' in answer and "echo: hello" in answer,
          f"the result, and the caller's answer: {answer}")
    check('"state":"answered"' in told and '"timeline":' in told, f"the timeline: {told}")
    for expected in ("1 active", "no problem found", "handed_out", "replayed, as", "/monday: 2 files"):
        check(expected in printed, f"the operator's commands: {expected} is not in {printed}")
    say("installed, and the README's commands run, in a network namespace without a route")


def links(root):
    broken = broken_links(root)
    check(not broken, f"links that lead nowhere: {broken}")


def content(tar):
    with tarfile.open(tar) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
        sums = files.extractfile(files.getnames()[0] + "/SHA256SUMS").read().decode()
    needed = {"bin/a2a-relay", "install.sh", "LICENSE", "README.md", "deploy/nginx.conf",
              "deploy/Caddyfile", "deploy/a2a-relay.service", "deploy/alerts.yaml", "docs/operations.md"}
    check(needed <= names, f"not in the bundle: {needed - names}")
    files = {line.split("  ", 1)[1] for line in sums.splitlines()}
    check(needed <= files, f"without a checksum: {needed - files}")


def damaged(folder, tar):
    """install.sh refuses a bundle with one changed byte, and installs nothing."""
    (folder / "damaged").mkdir()
    subprocess.run(["tar", "xzf", str(tar), "-C", str(folder / "damaged")], check=True)
    unpacked = next((folder / "damaged").iterdir())
    links(unpacked)
    page = unpacked / "docs" / "protocol.md"
    page.write_bytes(page.read_bytes()[:-1] + b"x")
    prefix = folder / "nothing"
    done = subprocess.run([str(unpacked / "install.sh"), "--prefix", str(prefix)],
                          capture_output=True, text=True)
    check(done.returncode == 1 and "damaged" in done.stderr, f"{done}")
    check(not prefix.exists(), "something of a damaged bundle was installed")


def containers():
    """What can be seen without an engine: every file that is named exists, and so does every flag."""
    text = (ROOT / "deploy" / "Containerfile").read_text()
    ignored = (ROOT / "deploy" / "Containerfile.dockerignore").read_text().split()
    lines = re.sub(r"\\\n", " ", text).splitlines()
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    known = {"FROM", "LABEL", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "ENV",
             "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    check({w[0] for w in words} <= known, f"instructions: {({w[0] for w in words} - known)}")
    for word in words:
        if word[0] == "COPY" and not word[1].startswith("--"):
            for source in word[1:-1]:
                check((ROOT / source).exists(), f"Containerfile copies {source}, which is not there")
                check(f"!{source.removeprefix('./')}" in ignored, f"{source} is ignored")
    check(not next(w for w in words if w[0] == "USER")[1].startswith(("root", "0")), "runs as root")
    flags = subprocess.run([os.environ.get("RELAY_BINARY_RELEASE") or str(
        ROOT / ".build/release/a2a-relay"), "--help"], capture_output=True, text=True).stdout
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    for name in re.findall(r"A2A_RELAY_([A-Z_]+)[=:]", text + compose):
        check("--" + name.lower().replace("_", "-") + " " in flags, f"no flag for A2A_RELAY_{name}")
    for name in re.findall(r"^ +(RELAY_[A-Z]+):", compose, re.M):
        check("{$" + name in caddy, f"the Caddyfile does not read {name}")
    for path in re.findall(r"(?:dockerfile: |- \./)([\w/]+)", compose):
        check((ROOT / path).exists() or (ROOT / "deploy" / path).exists(), f"compose names {path}")
    try:
        import yaml
    except ImportError:
        say("compose.yaml was not parsed: python3-yaml is not installed")
        return
    parsed = yaml.safe_load(compose)
    relay = parsed["services"]["relay"]
    check(relay["read_only"] and relay["cap_drop"] == ["ALL"], f"{relay}")
    named = {v.split(":")[0] for s in parsed["services"].values() for v in s["volumes"]
             if not v.startswith(".")}
    check(named == set(parsed["volumes"]), f"volumes {named}, {set(parsed['volumes'])}")
    say("Containerfile and compose.yaml name only what there is")


# The sources are the same: what this checkout has built, static, serves the clone too.
SWIFT = r"""#!/bin/sh
for word; do
  shift
  case $word in "$CLONE"*) word=$ROOT${word#"$CLONE"} ;; esac
  set -- "$@" "$word"
done
exec "$SWIFT" "$@" --package-path "$ROOT"
"""


def made(folder):
    """The tar, made by the script of a clone (with what is not committed yet) that has no .build."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    (folder / "bin").mkdir()
    (folder / "bin" / "swift").write_text(SWIFT)
    (folder / "bin" / "swift").chmod(0o755)
    environment = dict(os.environ, ROOT=str(ROOT), CLONE=str(clone), SWIFT=shutil.which("swift"),
                       PATH=f"{folder / 'bin'}:{os.environ['PATH']}")
    tars = []
    # Without a folder named, and into one that is not there yet, named from where its caller stands.
    for into in ([], ["new/folder"]):
        check(into or not (clone / ".build").exists(), "the clone has been built")
        done = subprocess.run(["bash", str(clone / "deploy" / "bundle.sh"), *into], cwd=folder,
                              env=environment, stdout=subprocess.PIPE, text=True)
        check(done.returncode == 0, f"deploy/bundle.sh {into} failed in a fresh clone")
        tars.append(pathlib.Path(done.stdout.splitlines()[-1]))
    check(tars[0].parent == clone / ".build" and tars[1].parent == folder / "new" / "folder", f"{tars}")
    check(tars[0].read_bytes() == tars[1].read_bytes(), "the same content is not the same bytes")
    return tars[1]


def run(args):
    links(ROOT)
    containers()
    folder = scratch("bundle")
    tar = made(folder)
    say(f"{tar.name}, {tar.stat().st_size >> 10} KiB")
    content(tar)
    damaged(folder, tar)
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        skip("bundle", "a network namespace needs root, unshare and ip")
    quick_start(folder, tar)


if __name__ == "__main__":
    main(run)
