"""`python -m lab.cloud`: the AWS API alone, until interrupted."""

import argparse
import signal
import sys
import threading

from lab.cloud.server import Cloud


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.cloud", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--account", default="123456789012", metavar="ID", help="12 digits")
    parser.add_argument("--region", default="eu-west-1")
    options = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with Cloud({"main": options.account}, options.region, options.port) as cloud:
        key = cloud.credentials["main"]
        sys.stdout.write(
            f"export AWS_ENDPOINT_URL={cloud.endpoint_url} AWS_REGION={options.region} \\\n"
            f"  AWS_ACCESS_KEY_ID={key.access_key_id} \\\n"
            f"  AWS_SECRET_ACCESS_KEY={key.secret_access_key}\n"
        )
        sys.stdout.flush()
        done.wait()


if __name__ == "__main__":
    main()
