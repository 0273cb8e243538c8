"""Where the EC2 API answers (moto's form)."""

from lab.cloud.ec2.responses import Response

url_bases = [r"https?://ec2\.(.+)\.amazonaws\.com(|\.cn)"]

url_paths = {"{0}/": Response.dispatch}
