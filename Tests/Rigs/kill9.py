"""kill -9 under load: nothing acknowledged is lost, nothing is answered twice.

    kill9.py [--rounds 20] [--seed N]      the release build
    kill9.py --control                     the planted faults of the debug build must be detected

More than 20 rounds run as several campaigns of 20, each on a fresh data directory.
"""
from campaign import Campaign, expect_detection, report
from relaykit import Relay, main, say, scratch

PLANTS = {"answer-before-commit": "lost", "drop-hand-out": "handed out"}


def campaign(folder, rounds, build="release", env=None, **options):
    relay = Relay(folder / "data", build=build, env=env).start()
    return Campaign(relay, folder, rounds, relay.kill, relay.start, **options), relay


def run(args):
    if args.control:
        return [control(plant) for plant in PLANTS]
    left, number = args.rounds, 0
    while left > 0:
        number += 1
        rounds = min(20, left)
        left -= rounds
        one, relay = campaign(scratch("kill9"), rounds)
        say(f"campaign {number}: {rounds} rounds")
        report(one, one.run())
        relay.stop()


def control(plant):
    say(f"negative control: {plant}")
    one, relay = campaign(
        scratch("kill9"), 10, build="debug", env={"A2A_RELAY_PLANT": plant}, pace=0.005)
    broken = one.run(stop_early=PLANTS[plant])
    relay.kill()
    expect_detection(one, broken, plant, PLANTS[plant])


if __name__ == "__main__":
    main(run, rounds=20, control=False)
