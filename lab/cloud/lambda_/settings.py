"""What Lambda checks of a function's code and configuration.

"CreateFunction" (Lambda API Reference), "Lambda quotas" and "Using environment variables"
(Developer Guide).
"""

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from moto.core.utils import get_service_model
from moto.s3.exceptions import MissingBucket

from lab.cloud.lambda_.exceptions import InvalidParameterValueException, invalid_value

TIMEOUT_SECONDS = (1, 900)
MEMORY_MB = (128, 10_240)
MAX_ENVIRONMENT_BYTES = 4 * 1024
MAX_UNZIPPED_BYTES = 262_144_000
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
RESERVED_VARIABLES = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
}
# What CreateFunction and UpdateFunctionConfiguration may say here; the rest is not modelled.
MODELLED = {
    "FunctionName",
    "Runtime",
    "Role",
    "Handler",
    "Code",
    "Description",
    "Timeout",
    "MemorySize",
    "Publish",
    "PackageType",
    "Environment",
    "TracingConfig",
    "Tags",
    "Architectures",
    "EphemeralStorage",
    "LoggingConfig",
    "SnapStart",
}


def check_settings(request: Mapping[str, Any]) -> None:
    """Raises for settings that Lambda refuses, and NotImplementedError for those not modelled."""
    unknown = {name for name, value in request.items() if value and name not in MODELLED}
    if unknown or request.get("PackageType", "Zip") != "Zip":
        raise NotImplementedError(
            f"Lambda functions with {min(unknown, default='container images')}"
        )
    for name, (low, high) in (("Timeout", TIMEOUT_SECONDS), ("MemorySize", MEMORY_MB)):
        value = request.get(name, low)
        if value < low:
            raise invalid_value(
                f"{name[0].lower()}{name[1:]}",
                value,
                f"Member must have value greater than or equal to {low}",
            )
        if value > high:
            raise invalid_value(
                f"{name[0].lower()}{name[1:]}",
                value,
                f"Member must have value less than or equal to {high}",
            )
    if "Runtime" in request:
        runtimes = get_service_model("lambda").shape_for("Runtime").enum  # type: ignore[attr-defined]
        if request["Runtime"] not in runtimes:
            allowed = ", ".join(runtimes)
            raise invalid_value(
                "runtime", request["Runtime"], f"Member must satisfy enum value set: [{allowed}]"
            )
    check_environment(request.get("Environment", {}).get("Variables", {}))


def check_environment(variables: Mapping[str, str]) -> None:
    unable = "Lambda was unable to configure your environment variables because the environment"
    reserved = sorted(RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise InvalidParameterValueException(
            f"{unable} variables you have provided contains reserved keys that are currently not"
            " supported for modification. Reserved keys used in this request:"
            f" {', '.join(reserved)}"
        )
    if len(json.dumps(variables, separators=(",", ":")).encode()) > MAX_ENVIRONMENT_BYTES:
        raise InvalidParameterValueException(
            f"{unable} variables you have provided exceeded the 4KB limit."
        )


def check_code(code: Mapping[str, Any], s3: Any) -> None:
    """Raises InvalidParameterValueException unless the code is a zip archive of a legal size.

    `s3`: moto's S3 backend of the account, for code that is in a bucket.
    """
    if "S3ObjectVersion" in code or "ImageUri" in code:
        raise NotImplementedError("Lambda code by S3 object version or as a container image")
    archive = base64.b64decode(code["ZipFile"]) if "ZipFile" in code else _in_bucket(code, s3)
    try:
        unzipped = sum(e.file_size for e in zipfile.ZipFile(io.BytesIO(archive)).infolist())
    except zipfile.BadZipFile:
        raise InvalidParameterValueException(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None
    if unzipped >= MAX_UNZIPPED_BYTES:
        raise InvalidParameterValueException(
            f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes"
        )
    if "ZipFile" in code and len(archive) > MAX_UPLOAD_BYTES:
        raise InvalidParameterValueException(
            f"Request must be smaller than {MAX_UPLOAD_BYTES} bytes for the CreateFunction"
            " operation"
        )


def _in_bucket(code: Mapping[str, Any], s3: Any) -> bytes:
    refusal = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"
    try:
        found = s3.get_object(code["S3Bucket"], code["S3Key"])
    except MissingBucket:
        words = "The specified bucket does not exist"
        raise InvalidParameterValueException(refusal.format("NoSuchBucket", words)) from None
    if found is None:
        words = "The specified key does not exist."
        raise InvalidParameterValueException(refusal.format("NoSuchKey", words))
    return found.value


def logging_config(function_name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The complete logging configuration. Raises InvalidParameterValueException for levels of Text.

    "Configuring advanced logging controls" (Developer Guide): levels are for the JSON format.
    """
    config = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function_name}", **given}
    if config["LogFormat"] == "JSON":
        return {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **config}
    if "ApplicationLogLevel" in given or "SystemLogLevel" in given:
        raise InvalidParameterValueException(
            "ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON."
        )
    return config
