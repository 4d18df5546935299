"""Meanings: what the attributes of the normal form say, whichever source gives them.

One line each: name, type, meaning, example. A type is text, number, flag, or texts (a list). Of a
name that is not here its namespace says whose it is.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """The type of a value, what it says, and one that it may have."""

    type: str
    text: str
    example: str


_EVENT: Final = """
time | text | when it happened, RFC 3339 in UTC with microseconds | 2026-03-04T05:06:07.123456Z
source | text | the source that read the record | otel
class_uid | number | the class of OCSF 1.8 | 6003
class_name | text | its name | API Activity
activity | text | what was done: an operation of GenAI, a method of MCP, an API call | execute_tool
status | text | success, failure or unknown | failure
severity | text | informational, low, medium, high or critical, as the record says it | high
message | text | the record in a few words | execute_tool tool:pages.example/fetch_page
actor.kind | text | what did it: principal, agent, application, ... | agent
actor.id | text | its canonical id | agent-7
client.ip | text | where the request came from; a masked address as it is | 203.0.113.7
client.user_agent | text | with what | Boto3/1.40.0
finding.uid | text | the same finding of a later scan has the same one | 9f86d081884c7d65
finding.title | text | what was found | Remote code execution in example-lib
finding.state | text | open, or resolved | open
finding.check | text | the check or rule that found it | CKV_AWS_21
finding.vulnerability | text | the vulnerability, by its most common id | CVE-2026-0001
finding.package | text | in which package | example-lib
finding.fixed_version | text | from which version on it is mended | 2.4.1
finding.location | text | where in the asset | app/main.py:12
"""
_CONTENT: Final = """
content.hidden | flag | true where characters are that nobody sees and a model reads | true
content.hidden.where | texts | where: prompt, output, tool_arguments, tool_result, retrieved, ... | [tool_result]
content.secrets | texts | kinds of credentials: aws_access_key, github_token, jwt, ... | [aws_access_key, jwt]
content.secrets.where | texts | where, as above | [prompt]
content.secrets.at | texts | which is where: `<where>:<kind>` | [prompt:aws_access_key]
content.pii | texts | credit_card, email, iban, phone_e164, us_ssn | [credit_card]
content.pii.where | texts | where, as above | [output]
content.pii.at | texts | which is where: `<where>:<kind>` | [output:credit_card]
content.fingerprints | texts | `<kind>:<HMAC>` of each such value; only with `[privacy] key` | [jwt:0123456789abcdef]
content.prompt | text | HMAC of a user's last prompt, whatever its case and spaces; likewise | 0123456789abcdef
"""
_TELEMETRY: Final = """
aws.bedrock.guardrail.id | text | the guardrail of Bedrock | gr1example
error.type | text | the class of an error | timeout
gen_ai.agent.id | text | the agent | agent-7
gen_ai.agent.name | text | its name | triage
gen_ai.conversation.id | text | the conversation or session | conv-1
gen_ai.data_source.id | text | what was searched: a knowledge base, a vector store | KB1EXAMPLE
gen_ai.guardrail.id | text | the guardrail that decided | gr1example
gen_ai.guardrail.name | text | its name | no-secrets
gen_ai.input.messages | text | what the model was given; content | [{"role":"user","content":"..."}]
gen_ai.operation.name | text | chat, embeddings, execute_tool, invoke_agent, retrieval, ... | chat
gen_ai.output.messages | text | what the model said; content | [{"role":"assistant","content":"..."}]
gen_ai.provider.name | text | who runs the model: openai, aws.bedrock, azure.ai.openai, ... | aws.bedrock
gen_ai.request.model | text | the model that was asked for | gpt-4o
gen_ai.response.finish_reasons | texts | why it stopped | [stop]
gen_ai.response.id | text | the provider's id of the answer | chatcmpl-123
gen_ai.response.model | text | the model that answered | gpt-4o-2024-08-06
gen_ai.retrieval.documents | text | what a search brought; content | [{"id":"doc-1"}]
gen_ai.system_instructions | text | the system prompt; content | You answer in German.
gen_ai.tool.call.arguments | text | what a tool was given; content | {"url":"https://pages.example/"}
gen_ai.tool.call.id | text | the call of a tool | call-1
gen_ai.tool.call.result | text | what it brought; content | {"text":"..."}
gen_ai.tool.definitions | text | the tools that a model or client was shown; content | [{"name":"fetch_page"}]
gen_ai.tool.name | text | the tool | fetch_page
gen_ai.usage.cache_read.input_tokens | number | tokens that came from a cache | 512
gen_ai.usage.cost_usd | number | what the call cost, in US dollars | 0.0123
gen_ai.usage.input_tokens | number | tokens of the prompt | 812
gen_ai.usage.output_tokens | number | tokens of the answer | 95
guardrail.category | text or texts | what it was about: prompt_attack, jailbreak, pii, ... | prompt_attack
guardrail.reason | text | why, in the guardrail's words | matches rule 7
guardrail.score | number | how sure it was | 0.97
guardrail.vendor | text | whose answer it is | lakera
guardrail.verdict | text | allow, warn, modify or deny | deny
jsonrpc.request.id | text | the message of JSON-RPC | 7
mcp.manifest.cues | texts | what the texts of the tools do besides describing them | [conceal, url]
mcp.manifest.sha256 | text | hash of the definitions of a server's tools, whatever their order | 64 hex digits
mcp.method.name | text | initialize, tools/list, tools/call, ... | tools/call
mcp.protocol.version | text | the version of MCP | 2025-11-25
mcp.resource.uri | text | the resource that was read | file:///notes.txt
mcp.server.name | text | the title of an MCP server; no identity | notion
mcp.session.id | text | the session of MCP | s-1
metric.count | number | how many calls a data point measured | 3
metric.name | text | the metric of a data point; a record with it is no single call | gen_ai.client.token.usage
metric.operation | text | what they did: chat, tools/call, ... | chat
metric.seconds | number | of how many seconds | 60.0
metric.unit | text | in which unit: {token}, s | {token}
metric.value | number | the sum of what was measured | 812
policy.id | text | the policy that was applied | policy-1
secret.fingerprint | text | HMAC of a credential that a scanner found; only with `[privacy] key` | 0123456789abcdef
secret.value | text | the credential, as the scanner gives it; content, nowhere kept | example
server.address | text | the host that was called | api.openai.com
service.name | text | the application | claims
skill.name | text | the skill of an agent | pdf
tool.decision.source | text | who let a tool run, or did not: config, hook, user_reject, ... | user_reject
trace.id | text | the trace of OpenTelemetry, or the id that stands for it | 5b8efff798038103d269b633813fc60c
user.email | text | the address of who used it | ada@example.com
user.id | text | the id of who used it | u-1
"""
# Of names that are not above: whose they are.
NAMESPACES: Final = {
    "activity": "an administrative act",
    "agent": "an agent, as its mesh or sensor knows it",
    "ai": "the Vercel AI SDK",
    "api": "a cloud API",
    "audit": "the chain of hashes of an audit log",
    "aws": "AWS, as OpenTelemetry names it",
    "check": "a check of a scanner",
    "client": "who asked, as OpenTelemetry names it",
    "cloud": "the cloud, as OpenTelemetry names it",
    "cloudevents": "CloudEvents",
    "component": "a component of a bill of materials",
    "container": "a container, as OpenTelemetry names it",
    "db": "a database, as OpenTelemetry names it",
    "defenseclaw": "DefenseClaw",
    "deployment": "a deployment, as OpenTelemetry names it",
    "discovery": "what an inventory of AI found",
    "drift": "a drift monitor",
    "egress": "a connection out of a gateway",
    "envoy": "Envoy",
    "error": "an error",
    "falco": "Falco",
    "file": "a file",
    "gen_ai": "OpenTelemetry's GenAI conventions",
    "guardrail": "a guardrail",
    "host": "a host, as OpenTelemetry names it",
    "http": "HTTP, as OpenTelemetry names it",
    "inventory": "an inventory",
    "jsonrpc": "JSON-RPC",
    "judge": "a model that judges",
    "k8s": "Kubernetes",
    "license": "a licence",
    "litellm": "LiteLLM",
    "mcp": "the Model Context Protocol",
    "messaging": "messaging, as OpenTelemetry names it",
    "metric": "a data point of a metric",
    "network": "the network, as OpenTelemetry names it",
    "package": "a package that a scanner saw",
    "policy": "a policy",
    "process": "a process, as OpenTelemetry names it",
    "rpc": "RPC, as OpenTelemetry names it",
    "scan": "a scan",
    "secret": "a credential that a scanner found; never its value",
    "server": "who was asked, as OpenTelemetry names it",
    "service": "a service, as OpenTelemetry names it",
    "telemetry": "the SDK of OpenTelemetry",
    "tool": "a tool of an agent",
    "url": "a URL, as OpenTelemetry names it",
    "user": "who used it, as OpenTelemetry names it",
    "vulnerability": "a vulnerability that a scanner saw",
}


def _table(lines: str) -> dict[str, Meaning]:
    rows = (line.split(" | ") for line in lines.strip().splitlines())
    return {name: Meaning(*said) for name, *said in rows}


# Of an entity of each kind: an id as all sources write it.
ENTITIES: Final[dict[str, str]] = {
    "account": "111122223333",
    "agent": "agent-7",
    "apikey": "AKIAEXAMPLE000000000",
    "application": "claims",
    "dataset": "s3/example-bucket/train",
    "datastore": "s3/example-bucket",
    "endpoint": "azure/example/gpt-4o",
    "guardrail": "gr1example",
    "host": "laptop-7",
    "image": "sha256:<hex>",
    "job": "sagemaker/train-1",
    "mcp_server": "rates.example",
    "model": "gpt-4o-2024-08-06",
    "principal": "arn:aws:iam::111122223333:role/Pipeline",
    "repo": "code.example/org/name",
    "session": "conv-1",
    "skill": "pdf",
    "tool": "rates.example/get_rate",
    "vulnerability": "CVE-2026-0001",
    "workload": "k8s/claims/triage",
}
EVENT: Final = _table(_EVENT)
CONTENT: Final = _table(_CONTENT)
TELEMETRY: Final = _table(_TELEMETRY)
