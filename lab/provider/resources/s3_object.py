"""aws:s3/bucketObjectv2: one object of a bucket."""

import base64
from collections.abc import Mapping
from typing import Any

from lab.provider.assets import asset_bytes
from lab.provider.aws import Aws
from lab.provider.resource_type import ResourceType, tag_list, tag_map
from lab.provider.resources.s3 import empty_bucket
from lab.provider.schema import asset, flag, mapping, output, table, text

_CONTENT = ("content", "contentBase64", "source", "sourceHash")
_HEADERS = (
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
)
_WRITTEN = ("metadata", "serverSideEncryption", "storageClass")


class BucketObjectv2(ResourceType):
    """A changed body is put under the same key, which in a versioned bucket makes a new version."""

    urn_type = "aws:s3/bucketObjectv2:BucketObjectv2"
    title = "S3 Object"
    service = "s3"
    gone = frozenset({"NoSuchBucket", "NoSuchKey", "404"})
    id_parts = ("bucket", "key")
    properties = table(
        {
            "bucket": text(required=True, replaces=True),
            "key": text(required=True, replaces=True),
            "content": text(unread=True),
            "contentBase64": text(unread=True),
            "source": asset(unread=True),
            "sourceHash": text(unread=True),
            "forceDestroy": flag(default=False, unread=True),
            "contentType": text(default="application/octet-stream"),
            "cacheControl": text(),
            "contentDisposition": text(),
            "contentEncoding": text(),
            "contentLanguage": text(),
            "metadata": mapping(),
            "serverSideEncryption": text(computed=True),
            "storageClass": text(default="STANDARD"),
            "tags": mapping(),
            "arn": output(),
            "etag": output(follows=(*_CONTENT, "serverSideEncryption")),
            "versionId": output(follows=(*_CONTENT, *_HEADERS, *_WRITTEN)),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("key") or id_)

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_both(inputs, "content", "contentBase64", "source")

    def _put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        body = inputs.get("content", "").encode()
        if inputs.get("contentBase64"):
            body = base64.b64decode(inputs["contentBase64"])
        if inputs.get("source"):
            body = asset_bytes(inputs["source"])
        names = ("bucket", "key", *_HEADERS, *_WRITTEN)
        aws.client("s3").put_object(Body=body, **self.to_aws(inputs, names))
        if inputs.get("tagsAll"):
            self._put_tags(aws, inputs, inputs["tagsAll"])

    def _put_tags(self, aws: Aws, at: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        aws.client("s3").put_object_tagging(
            Bucket=at["bucket"], Key=at["key"], Tagging={"TagSet": tag_list(tags)}
        )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        self._put(aws, inputs)
        return f"{inputs['bucket']}/{inputs['key']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        at = {"Bucket": known["bucket"], "Key": known["key"]}
        client = aws.client("s3")
        head = client.head_object(**at)
        return {
            **self.from_aws(head, (*_HEADERS, "metadata", "serverSideEncryption", "versionId")),
            "storageClass": head.get("StorageClass", "STANDARD"),
            "bucket": known["bucket"],
            "key": known["key"],
            "etag": head["ETag"].strip('"'),
            "arn": f"arn:{aws.partition}:s3:::{known['bucket']}/{known['key']}",
            "tagsAll": tag_map(client.get_object_tagging(**at)["TagSet"]),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        if changed - {"forceDestroy"}:
            self._put(aws, new)

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        at = {"Bucket": known["bucket"], "Key": known["key"]}
        tags = {**tag_map(aws.client("s3").get_object_tagging(**at)["TagSet"]), **put}
        left = {key: value for key, value in tags.items() if key not in drop}
        if left:
            self._put_tags(aws, known, left)
        else:
            aws.client("s3").delete_object_tagging(**at)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        empty_bucket(aws.client("s3"), known["bucket"], known["key"], only_key=known["key"])


TYPES = (BucketObjectv2,)
