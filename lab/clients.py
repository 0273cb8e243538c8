"""Those who call: for each client a place in an account's VPC, and files to call with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.attempt import Door, Files


@dataclass(frozen=True, kw_only=True)
class Client:
    """Somebody who calls the API: from a place in an account, and with which files."""

    name: str
    account: str
    door: Door
    files: Files

    def described(self) -> dict[str, str | None]:
        """As `.lab/lab.json` lists it."""
        return {
            "name": self.name,
            "account": self.account,
            "url": f"https://{self.door.host}",
            "connect_to": self.door.connect_to,
            "ca_file": str(self.files.ca),
            "cert_file": str(self.files.cert),
            "key_file": str(self.files.key),
            "token_file": str(self.files.token) if self.files.token else None,
        }


def write_client_files(folder: Path, ca: Path, name: str, chain: str, key: str) -> Files:
    """A client's files, below `folder`; the key readable by its owner only."""
    folder = folder / "clients"
    folder.mkdir(exist_ok=True)
    cert_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
    cert_file.write_text(chain)
    key_file.touch(mode=0o600)
    key_file.write_text(key)
    return Files(ca=ca, cert=cert_file, key=key_file)


def write_server_ca(folder: Path, elbv2: Any, acm: Any, alb_arn: str) -> Path:
    """The root that the server's certificate chains to, as ACM hands it out."""
    listeners = elbv2.describe_listeners(LoadBalancerArn=alb_arn)["Listeners"]
    arn = listeners[0]["Certificates"][0]["CertificateArn"]
    path = folder / "server-ca.pem"
    path.write_text(acm.get_certificate(CertificateArn=arn)["CertificateChain"])
    return path
