"""Starts LocalStack as the lab does, sends a message through a topic and a queue, and stops it in order.

What Python compiles meanwhile stays beside the sources.
"""

import os
import subprocess
import sys
import time
import urllib.request

import boto3

environment = {
    **os.environ,
    "SERVICES": "sns,sqs",
    "EAGER_SERVICE_LOADING": "1",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    "GATEWAY_LISTEN": "127.0.0.1:4566",
}
server = subprocess.Popen(["/opt/localstack/bin/localstack-supervisor"], env=environment)


def wait_until_healthy():
    deadline = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen("http://127.0.0.1:4566/_localstack/health", timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    sys.exit("LocalStack did not become healthy")


def client(service):
    return boto3.client(
        service,
        endpoint_url="http://127.0.0.1:4566",
        region_name="us-west-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


try:
    wait_until_healthy()
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name="warm-up")["TopicArn"]
    queue = sqs.create_queue(QueueName="warm-up")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    sns.publish(TopicArn=topic, Message="warm-up")
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", [])
    if len(received) != 1:
        sys.exit("A message that was published did not arrive in the queue")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=received[0]["ReceiptHandle"])
finally:
    server.terminate()
    server.wait(30)
