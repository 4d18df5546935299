"""Ordinary: what happens on any day, and must not be told to anybody."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from infra.demo import estate
from infra.demo.estate import CLAIMS, FRAUD, FRAUD_TOOLS, POLICY, POLICY_TOOLS
from infra.demo.telemetry import Telemetry
from infra.demo.trail import Trail
from schemas.times import DAY, HOUR, MINUTE, SECOND

_READS = (
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecr:DescribeImages",
    "ecr:GetAuthorizationToken",
    "logs:DescribeLogStreams",
    "iam:ListRoles",
    "iam:GetRole",
    "ec2:DescribeInstances",
    "ec2:DescribeSecurityGroups",
    "kms:Decrypt",
    "ssm:GetParameters",
    "sts:GetCallerIdentity",
    "s3:ListBuckets",
    "s3:GetBucketPolicy",
    "sagemaker:ListEndpoints",
    "bedrock:ListGuardrails",
    "bedrock:ListInferenceProfiles",
    "bedrock:GetInferenceProfile",
    "bedrock:ListCustomModels",
)
_READERS = (
    estate.PIPELINE,
    estate.AUDITOR,
    estate.COLLEAGUE,
    estate.CONSOLE,
    CLAIMS.role,
    POLICY.role,
)


def cloud(trail: Trail, random: Random, day: int) -> None:
    """Reads, sign-ins, deployments and model calls of one day."""
    for time in _moments(random, day, 620, start=0, hours=24):
        trail.call(time, random.choice(_READERS), random.choice(_READS))
    for time in _moments(random, day, 34):
        address = f"198.51.100.{random.randrange(20, 60)}"
        success = random.random() > 0.12
        trail.login(time, random.choice(estate.PEOPLE), address, success=success)
    for system, count in ((CLAIMS, 160), (POLICY, 150), (FRAUD, 90)):
        for time in _moments(random, day, count):
            trail.call(time, system.role, "bedrock:Converse", {"modelId": system.model})
    for number in range(60):  # a long-term key that is used, and never asks around
        time = day + HOUR + number * 20 * SECOND
        texts = {"modelId": "amazon.titan-embed-text-v2:0"}
        trail.call(time, estate.EMBEDDER, "bedrock:InvokeModel", texts)
    for time in _moments(random, day, 6):  # to open a page of the console is to ask three things
        trail.call(time, estate.CONSOLE, "bedrock:ListFoundationModels")
        trail.call(time, estate.CONSOLE, "bedrock:GetFoundationModelAvailability")
        trail.call(time + SECOND, estate.CONSOLE, "bedrock:GetUseCaseForModelAccess")
    _housekeeping(trail, day)


def runtime(
    claims: Telemetry, policy: Telemetry, fraud: Telemetry, random: Random, day: int
) -> None:
    """Requests, sessions and jobs of one day."""
    date = (day - estate.MONDAY) // DAY
    for time in _moments(random, day, 260):
        status = 200 if random.random() > 0.02 else 503
        claims.request(time, "POST", "/v1/score", f"10.20.1.{random.randrange(20, 90)}", status)
    for number, time in enumerate(_moments(random, day, 80)):
        claims.chat(time, f"claim-{date}-{number}", random.randrange(400, 2400))
    _premiums(policy, day)
    for number, time in enumerate(_moments(random, day, 70)):
        _service_desk(policy, random, time, f"policy-{date}-{number}")
    for number, time in enumerate(_moments(random, day, 40)):
        _fraud_desk(fraud, random, time, f"fraud-{date}-{number}")
    for time in _moments(random, day, 12):  # colleagues hand Ray their jobs, from inside
        fraud.request(time, "POST", "/api/jobs/", f"10.20.30.{random.randrange(10, 40)}")
    for hour in (9, 12, 16):  # somebody tries what the thing can do
        policy.guardrail(day + hour * HOUR + 7 * MINUTE, f"policy-try-{date}-{hour}", "jailbreak")


def _housekeeping(trail: Trail, day: int) -> None:
    trail.call(day + 6 * HOUR, estate.AUDITOR, "bedrock:GetModelInvocationLoggingConfiguration")
    trail.call(day + 9 * HOUR, estate.PIPELINE, "bedrock:ListFoundationModels")
    for time, system in ((day + 10 * HOUR, CLAIMS), (day + 15 * HOUR, POLICY)):
        release = {"cluster": estate.CLUSTER, "service": system.name}
        release |= {"taskDefinition": f"{system.name}:14"}
        trail.call(time, estate.PIPELINE, "ecs:UpdateService", release)
    guardrail = {"guardrailIdentifier": POLICY.guardrail}
    trail.call(
        day + 8 * HOUR, estate.COLLEAGUE, "bedrock:UpdateGuardrail", guardrail, "AccessDenied"
    )


def _premiums(policy: Telemetry, day: int) -> None:
    """The night's batch: rates of a supplier, who ships a new release before Tuesday."""
    rates = estate.RATES if day == estate.MONDAY else estate.RATES_NEXT
    for hour in (0, 2, 4):
        time, session = day + hour * HOUR + 20 * MINUTE, f"premiums-{day // HOUR + hour}"
        policy.listing(time, rates, session)
        policy.tool(time + 5 * SECOND, rates, "get_exchange_rate", session)
        policy.chat(time + 9 * SECOND, session, 700)


def _service_desk(policy: Telemetry, random: Random, time: int, session: str) -> None:
    """A question about a policy: nothing from outside, nothing sent."""
    number = f'{{"policy": "MM-{random.randrange(10_000, 99_999)}"}}'
    policy.listing(time, POLICY_TOOLS, session)
    policy.guardrail(time + 2 * SECOND, session)
    policy.chat(time + 5 * SECOND, session, random.randrange(300, 1200))
    policy.tool(time + 8 * SECOND, POLICY_TOOLS, "lookup_policyholder", session, arguments=number)
    policy.retrieval(time + 11 * SECOND, session)
    if random.random() < 0.5:
        policy.tool(time + 14 * SECOND, POLICY_TOOLS, "get_policy_terms", session)
    policy.chat(time + 20 * SECOND, session, random.randrange(800, 3000))


def _fraud_desk(fraud: Telemetry, random: Random, time: int, session: str) -> None:
    """Outside content or private data, then perhaps a message; never both in one session."""
    read = "fetch_page" if random.random() < 0.5 else "lookup_customer"
    fraud.chat(time, session, random.randrange(400, 1600))
    fraud.tool(time + 4 * SECOND, FRAUD_TOOLS, read, session)
    fraud.chat(time + 9 * SECOND, session, random.randrange(600, 2000))
    if random.random() < 0.4:
        fraud.tool(time + 12 * SECOND, FRAUD_TOOLS, "post_message", session)


def _moments(
    random: Random, day: int, count: int, *, start: int = 7, hours: int = 11
) -> Iterator[int]:
    """`count` times of one day in order, most of them in the middle: microseconds."""
    for offset in sorted((random.random() + random.random()) / 2 for _ in range(count)):
        yield day + start * HOUR + int(offset * hours * HOUR)
