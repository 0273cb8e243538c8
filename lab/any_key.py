"""A request with a certificate that curl and its defaults are too careful to send."""

import http.client
import ssl

from lab.attempt import SECONDS, TLS_FAILURES, Answer, Door, Files


def get_with_any_key(door: Door, files: Files, path: str) -> Answer:
    """GET `path` with the client's files, whatever the strength of key and signature.

    In TLS 1.2, whose clients may sign with any of them; the answer as curl would tell it.
    """
    context = ssl.create_default_context(cafile=str(files.ca))
    context.check_hostname = False  # it connects to 127.0.0.1
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(str(files.cert), str(files.key))
    connection = http.client.HTTPSConnection(
        "127.0.0.1", door.local_port, context=context, timeout=SECONDS
    )
    try:
        connection.request("GET", path, headers={"Host": door.host, **files.headers})
        answer = connection.getresponse()
        lines = [f"{name}: {value}" for name, value in answer.getheaders()]
        body = answer.read().decode()
    except (ssl.SSLError, ConnectionError) as error:
        return Answer(exit_code=TLS_FAILURES[0], error=str(error))
    finally:
        connection.close()
    return Answer(exit_code=0, status=answer.status, body=body, headers="\n".join(lines))
