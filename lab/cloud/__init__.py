"""An AWS API on 127.0.0.1: moto's server, and operations, checks and limits of AWS that moto lacks.

Any AWS client can use it: `--endpoint-url`, `AWS_ENDPOINT_URL`. Not modelled: request signatures
and IAM permissions (every call of a known access key is allowed).
"""

from lab.cloud.server import Cloud, Credentials

__all__ = ["Cloud", "Credentials"]
