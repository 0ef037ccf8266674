"""`thalweg server` checks what unmodified SDKs sign; `thalweg dev` takes anything."""

import subprocess

import boto3
import botocore.exceptions
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from node import Thalweg

KEY, SECRET = "AKIDTHALWEG", "a/secret+of=the%tests"


class Server(Thalweg):
    """`thalweg server` with a configuration file."""

    def command(self):
        config = self.log_path.with_name("thalweg.toml")
        config.write_text(
            f'data_dir = "{self.data_dir}"\n'
            f'api_addr = "127.0.0.1:{self.api_port}"\n'
            f'admin_addr = "127.0.0.1:{self.admin_port}"\n'
            f'access_key_id = "{KEY}"\nsecret_access_key = "{SECRET}"\nlimits = "{self.limits}"\n'
        )
        return [self.binary, "server", "--config", str(config)]


@pytest.fixture
def server(binary, tmp_path):
    node = Server(binary, tmp_path).start()
    yield node
    node.stop()


def client(node, key=KEY, secret=SECRET, region="us-east-1", token=None, **config):
    return boto3.client(
        "kinesis",
        endpoint_url=node.endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 1}, **config),
    )


def refusal(of):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        of.list_streams()
    return caught.value.response["Error"]["Code"]


def test_what_an_sdk_signs_with_the_right_key_is_served(server):
    for token in (None, "a-session-token"):
        kinesis = client(server, token=token)
        assert kinesis.list_streams()["StreamNames"] == []
    kinesis.create_stream(StreamName="signed", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="signed", WaiterConfig={"Delay": 1})
    data = bytes(range(256)) * 100
    kinesis.put_record(StreamName="signed", PartitionKey="é ü", Data=data)


def test_wrong_secrets_keys_regions_and_no_signature_are_refused_as_aws_does(server):
    assert refusal(client(server, secret="another")) == "InvalidSignatureException"
    assert refusal(client(server, key="AKIDOTHER")) == "UnrecognizedClientException"
    assert refusal(client(server, region="eu-west-1")) == "InvalidSignatureException"
    assert refusal(client(server, signature_version=UNSIGNED)) == "MissingAuthenticationTokenException"
    assert client(server).list_streams()["StreamNames"] == []


def test_a_server_without_a_key_does_not_start_and_says_what_to_do(binary, tmp_path):
    config = tmp_path / "thalweg.toml"
    config.write_text(f'data_dir = "{tmp_path / "data"}"\n')
    done = subprocess.run([binary, "server", "--config", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "access_key_id" in done.stderr and "THALWEG_SECRET_ACCESS_KEY" in done.stderr


def test_dev_takes_any_signature_or_none(thalweg):
    assert client(thalweg, key="who", secret="ever").list_streams()["StreamNames"] == []
    assert client(thalweg, signature_version=UNSIGNED).list_streams()["StreamNames"] == []
