"""kill -9 under load: nothing acknowledged is lost, nothing is answered twice.

    kill9.py [--rounds 20] [--seed N]      the release build
    kill9.py --control                     the planted faults of the debug build must be detected

The rounds are shared out over several campaigns, each on a fresh data directory and with other
bounds (campaign.TEMPERS).
"""
from rigkit.campaign import Campaign, expect_detection, limits, report, tempers
from rigkit.relay import Relay, main, say, scratch

PLANTS = {"answer-before-commit": "lost", "drop-hand-out": "handed out"}


def campaign(rounds, temper, build="release", env=None, **options):
    folder = scratch("kill9")
    relay = Relay(folder / "data", build=build, args=limits(temper), env=env).start()
    return Campaign(relay, folder, rounds, relay.kill, relay.start, temper, **options), relay


def run(args):
    if args.control:
        return [control(plant) for plant in PLANTS]
    for temper, rounds in tempers(args.rounds):
        say(f"{rounds} rounds, {temper}")
        one, relay = campaign(rounds, temper)
        report(one, one.run())
        relay.stop()


def control(plant):
    say(f"negative control: {plant}")
    one, relay = campaign(
        10, "as shipped", build="debug", env={"A2A_RELAY_PLANT": plant}, pace=0.005)
    broken = one.run(stop_early=PLANTS[plant])
    relay.kill()
    expect_detection(one, broken, plant, PLANTS[plant])


if __name__ == "__main__":
    main(run, rounds=20, control=False)
