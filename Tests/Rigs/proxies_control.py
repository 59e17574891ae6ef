"""The control of the rig `proxies`: without the settings of deploy/, its checks must fail.

    proxies_control.py

nginx with nothing but `proxy_pass`, and Caddy with the `flush_interval -1` that is often advised.
"""
import re

import proxies
from rigkit.proxy import Caddy, Nginx, Stage
from rigkit.relay import Failed, check, main, say

SETTINGS = re.compile(
    r"\s*(proxy_(?!pass)|X-Accel|client_max|large_client|gzip|merge|keepalive|error_page)")


class BareNginx(Nginx):
    def command(self):
        command, site = super().command(), self.folder / "site.conf"
        lines = site.read_text().splitlines(keepends=True)
        site.write_text("".join(line for line in lines if not SETTINGS.match(line)))
        return command


class FlushingCaddy(Caddy):
    def command(self):
        command, own = super().command(), self.folder / "Caddyfile"
        place = command.index("--config") + 1
        with open(command[place]) as shipped:
            own.write_text(shipped.read().replace(
                "lb_try_duration 0", "lb_try_duration 0\n\t\tflush_interval -1"))
        command[place] = str(own)
        return command


MUST_FAIL = {
    BareNginx: (proxies.an_agent_that_takes_8_s, proxies.paths_and_hosts_arrive_as_they_were_sent,
                proxies.a_broken_post_is_not_sent_again, proxies.large_bodies),
    FlushingCaddy: (proxies.a_client_that_leaves_is_seen_to_leave,),
}


def run(args):
    folder, cert, key = proxies.prepared("proxies-control")
    for kind, functions in MUST_FAIL.items():
        stage = Stage(kind, folder, cert, key, None)
        for function in functions:
            try:
                function(stage)
            except (Failed, OSError) as error:
                say(f"fails as it must: {stage.name}: {function.__name__}: {str(error)[:60]!r}")
            else:
                check(False, f"{stage.name}: {function.__name__} held without the settings")
        for part in (stage.relay, stage.proxy, stage.mirror):
            part.kill()


if __name__ == "__main__":
    main(run)
