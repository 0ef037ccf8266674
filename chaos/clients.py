"""Unmodified boto3 clients of the cluster's nodes."""

import os

import boto3
import botocore.exceptions
from botocore.config import Config

from nodes import KEY, SECRET

STREAM = "chaos"
REGION = "us-east-1"
# Definite refusals: by the server's documentation nothing was stored. Every other error leaves it open.
NOT_STORED = {"ProvisionedThroughputExceededException", "ResourceNotFoundException", "InvalidSignatureException"}
# What a request can come to that is no fault of this program.
FAILURES = (botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)


def alone():
    """Clients must see neither the account nor the proxy of whoever runs this."""
    for variable in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        del os.environ[variable]
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true")


def kinesis(endpoint, **config):
    """A client; without `retries` in `config` its retries are the SDK's default."""
    return boto3.session.Session().client(
        "kinesis",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(**config),
    )


def code_of(error):
    """A name for what went wrong."""
    if isinstance(error, botocore.exceptions.ClientError):
        return error.response["Error"]["Code"] or str(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return type(error).__name__
