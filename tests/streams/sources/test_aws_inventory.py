import pytest

from tests.streams.sources.described import lines
from tests.streams.sources.shown import rejected

SAID = {
    "aws_inventory.estate.jsonl": """
2026-03-01 principal:arn:aws:iam::111122223333:user/mara (iam user)
  last_used: 2026-03-01T00:00:00.000000Z
  account:111122223333 hosts it
2025-01-02 principal:arn:aws:iam::111122223333:role/TriageServing (iam role)
  account:111122223333 hosts it
  principal:arn:aws:iam::111122223333:role/Deployer may_assume it
  fails anyone_may_assume
2024-05-01 apikey:AKIAEXAMPLEMARA (iam access key)
  owner: mara
  status: Active
2026-01-01 apikey:ACCAEXAMPLEMARA (bedrock key)
  owner: mara
  status: Active
  fails never_expires
2024-01-01 datastore:s3/claims-data (s3 bucket)
2026-02-01 workload:ecs/default/claims-api (ecs task definition)
  region: eu-west-1
  status: ACTIVE
  account:111122223333 hosts it
  runs_image image:111122223333.dkr.ecr.eu-west-1.amazonaws.com/claims-api:12
  runs_as principal:arn:aws:iam::111122223333:role/ClaimsApi
  fails host_access
2026-02-01 workload:ecs/claims/claims-api (ecs service)
  exposure: internet
  region: eu-west-1
  status: ACTIVE
  account:111122223333 hosts it
  fails public_network
2026-01-20 host:i-0a1b2c3d4e5f60718 (ec2 instance)
  exposure: internet
  owner: claims-ml
  size: g5.xlarge
  status: running
  fails old_metadata_service
2024-02-01 datastore:rds/claims (rds database)
  data: personal
  encrypted: False
  exposure: internet
  region: eu-west-1
  status: available
  version: postgres 16.3
  account:111122223333 hosts it
  fails public_network
  fails not_encrypted
2025-09-01 workload:eks/ml (eks cluster)
  exposure: internet
  owner: platform
  region: eu-west-1
  status: ACTIVE
  version: 1.33
  account:111122223333 hosts it
  runs_as principal:arn:aws:iam::111122223333:role/Eks
  fails public_network
  fails open_to_the_world
2026-02-02 workload:lambda/payouts (lambda function)
  owner: payments
  region: eu-west-1
  status: Active
  account:111122223333 hosts it
  runs_as principal:arn:aws:iam::111122223333:role/Payouts
  runs_image image:111122223333.dkr.ecr.eu-west-1.amazonaws.com/payouts:5
2025-03-01 repo:111122223333.dkr.ecr.eu-west-1.amazonaws.com/triage (ecr repository)
  region: eu-west-1
  fails images_not_scanned
2026-02-27 image:sha256:3333 (ecr image)
  version: 3
2025-04-01 datastore:dynamodb/sessions (dynamodb table)
  encrypted: True
  region: eu-west-1
  account:111122223333 hosts it
  passes no_own_key
undated datastore:opensearch/vectors (opensearch domain)
  encrypted: True
  exposure: internet
  region: eu-west-1
  version: OpenSearch_2.19
  account:111122223333 hosts it
  passes not_encrypted
  fails no_private_network
  fails open_to_the_world
""",
    "aws_inventory.json": """
2026-03-01 endpoint:claims-triage (sagemaker endpoint)
  environment: prod
  owner: claims-ml
  region: eu-west-1
  status: InService
  account:111122223333 hosts it
  serves endpoint:config/claims-triage-v3
  runs_image image:sha256:3333
""",
    "aws_inventory.jsonl": """
2026-03-01 endpoint:config/claims-triage-v3 (sagemaker endpoint configuration)
  network_isolated: False
  region: eu-west-1
  account:111122223333 hosts it
  serves model:claims-triage-m3
  fails no_network_isolation
  fails no_own_key
2026-03-01 model:claims-triage-m3 (sagemaker model)
  model_data: s3://claims-models/out/train-7/output/model.tar.gz
  network_isolated: False
  region: eu-west-1
  account:111122223333 hosts it
  runs_image image:111122223333.dkr.ecr.eu-west-1.amazonaws.com/triage:3
  reads dataset:s3/claims-models/out/train-7/output/model.tar.gz
  dataset:s3/claims-models/out/train-7/output/model.tar.gz fed_by datastore:s3/claims-mode...
  made_by job:sagemaker/train-7
  job:sagemaker/train-7 makes it
  runs_as principal:arn:aws:iam::111122223333:role/TriageServing
  fails no_network_isolation
  fails no_own_key
  fails no_private_network
2026-02-28 job:sagemaker/train-7 (sagemaker training job)
  encrypted: True
  model_data: s3://claims-models/out/train-7/output/model.tar.gz
  network_isolated: True
  region: eu-west-1
  status: Completed
  account:111122223333 hosts it
  reads dataset:s3/claims-data/2026
  dataset:s3/claims-data/2026 fed_by datastore:s3/claims-data
  writes datastore:s3/claims-models
  runs_image image:111122223333.dkr.ecr.eu-west-1.amazonaws.com/trainer:1
  runs_as principal:arn:aws:iam::111122223333:role/Trainer
  writes datastore:s3/claims-models
  passes no_network_isolation
  fails traffic_not_encrypted
  passes no_own_key
  fails no_private_network
2026-01-05 workload:sagemaker/lab (sagemaker notebook)
  region: eu-west-1
  status: InService
  account:111122223333 hosts it
  fails direct_internet
  fails root_access
  fails no_own_key
2026-02-10 guardrail:gr7claims (bedrock guardrail)
  encrypted: True
  region: eu-west-1
  status: READY
  account:111122223333 hosts it
2026-03-02 agent:AGENTONE01 (bedrock agent)
  region: eu-west-1
  status: PREPARED
  account:111122223333 hosts it
  calls model:anthropic.claude-3-haiku-20240307-v1:0
  guarded_by guardrail:gr7claims
  runs_as principal:arn:aws:iam::111122223333:role/Desk
  fails no_own_key
  passes no_guardrail
2026-01-12 agent:AGENTTWO02 (bedrock agent)
  region: eu-west-1
  status: PREPARED
  account:111122223333 hosts it
  calls model:amazon.nova-lite-v1:0
  runs_as principal:arn:aws:iam::111122223333:role/Desk
  fails no_own_key
  fails no_guardrail
2026-01-13 agent:AGENTONE01 (no type)
  retrieves datastore:KBCLAIMS01
2026-01-09 datastore:KBCLAIMS01 (bedrock knowledge base)
  region: eu-west-1
  status: ACTIVE
  account:111122223333 hosts it
  calls model:amazon.titan-embed-text-v2:0
  fed_by datastore:opensearch/c0ffee
  runs_as principal:arn:aws:iam::111122223333:role/Kb
  fails no_own_key
2026-01-09 datastore:KBCLAIMS01 (no type)
  fed_by dataset:KBCLAIMS01/DSCLAIMS01
  dataset:KBCLAIMS01/DSCLAIMS01 fed_by datastore:s3/claims-policies
2026-01-14 agent:AGENTONE01 (no type)
  uses tool:AGENTONE01/GROUPONE01
  tool:AGENTONE01/GROUPONE01 runs_on workload:lambda/payouts
  tool:AGENTONE01/GROUPONE01 uses tool:AGENTONE01/pay
2026-02-20 model:custom-model/amazon.nova-lite-v1:0/abc123def456 (bedrock model)
  region: eu-west-1
  derived_from model:amazon.nova-lite-v1:0
  made_by job:bedrock/job9
  model:claims-writer same_as it
  account:111122223333 hosts it
  fails no_own_key
2026-02-20 job:bedrock/job9 (bedrock customization job)
  region: eu-west-1
  status: Completed
  account:111122223333 hosts it
  makes model:claims-writer
  model:claims-writer made_by it
  model:claims-writer derived_from model:amazon.nova-lite-v1:0
  reads dataset:s3/claims-data/letters
  dataset:s3/claims-data/letters fed_by datastore:s3/claims-data
  model:claims-writer trained_on dataset:s3/claims-data/letters
  runs_as principal:arn:aws:iam::111122223333:role/Tuner
  model:claims-writer same_as model:custom-model/amazon.nova-lite-v1:0/abc123def456
  fails no_own_key
2026-02-21 model:provisioned-model/pm1 (bedrock provisioned throughput)
  region: eu-west-1
  status: InService
  account:111122223333 hosts it
  derived_from model:custom-model/amazon.nova-lite-v1:0/abc123def456
2026-03-03 agent:desk-AbC123 (agentcore runtime)
  region: eu-west-1
  status: READY
  account:111122223333 hosts it
  runs_image image:111122223333.dkr.ecr.eu-west-1.amazonaws.com/desk:2
  runs_as principal:arn:aws:iam::111122223333:role/Desk
  fails no_own_key
""",
}
NOTHING = ("wrong-shape", "it describes nothing that an AI estate is made of")


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert lines(name) == SAID[name].strip("\n").split("\n")


def test_what_is_no_record() -> None:
    assert rejected("aws_inventory.bad.json") == [NOTHING, NOTHING]
