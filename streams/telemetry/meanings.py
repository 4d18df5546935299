"""Meanings: what the attributes of the normal form say, whichever source gives them.

One line each: name, type, meaning. A type is text, number, flag, or texts (a list). Of a name that
is not here its namespace says whose it is.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """The type of a value, and what it says."""

    type: str
    text: str


_EVENT: Final = """
time | text | when it happened, RFC 3339 in UTC with microseconds
source | text | the source that read the record
class_uid | number | the class of OCSF 1.8
class_name | text | its name
activity | text | what was done: an operation of GenAI, a method of MCP, an API call
status | text | success, failure or unknown
severity | text | informational, low, medium, high or critical, as the record says it
message | text | the record in a few words
actor.kind | text | what did it: principal, agent, application, ...
actor.id | text | its canonical id
client.ip | text | where the request came from; a masked address as it is
client.user_agent | text | with what
finding.uid | text | the same finding of a later scan has the same one
finding.title | text | what was found
finding.state | text | open, or resolved
finding.check | text | the check or rule that found it
finding.vulnerability | text | the vulnerability, by its most common id
finding.package | text | in which package
finding.fixed_version | text | from which version on it is mended
finding.location | text | where in the asset
"""
_CONTENT: Final = """
content.hidden | flag | true where characters are that nobody sees and a model reads
content.hidden.where | texts | where: prompt, output, tool_arguments, tool_result, retrieved, ...
content.secrets | texts | kinds of credentials: aws_access_key, github_token, jwt, ...
content.secrets.where | texts | where, as above
content.pii | texts | credit_card, email, iban, phone_e164, us_ssn
content.pii.where | texts | where, as above
content.fingerprints | texts | `<kind>:<HMAC>` of each such value; only with `[privacy] key`
content.prompt | text | HMAC of a user's last prompt, whatever its case and spaces; likewise
"""
_TELEMETRY: Final = """
aws.bedrock.guardrail.id | text | the guardrail of Bedrock
error.type | text | the class of an error
gen_ai.agent.id | text | the agent
gen_ai.agent.name | text | its name
gen_ai.conversation.id | text | the conversation or session
gen_ai.data_source.id | text | what was searched: a knowledge base, a vector store
gen_ai.guardrail.id | text | the guardrail that decided
gen_ai.guardrail.name | text | its name
gen_ai.input.messages | text | what the model was given; content
gen_ai.operation.name | text | chat, embeddings, execute_tool, invoke_agent, retrieval, ...
gen_ai.output.messages | text | what the model said; content
gen_ai.provider.name | text | who runs the model: openai, aws.bedrock, azure.ai.openai, ...
gen_ai.request.model | text | the model that was asked for
gen_ai.response.finish_reasons | texts | why it stopped
gen_ai.response.id | text | the provider's id of the answer
gen_ai.response.model | text | the model that answered
gen_ai.retrieval.documents | text | what a search brought; content
gen_ai.system_instructions | text | the system prompt; content
gen_ai.tool.call.arguments | text | what a tool was given; content
gen_ai.tool.call.id | text | the call of a tool
gen_ai.tool.call.result | text | what it brought; content
gen_ai.tool.definitions | text | the tools that a model or client was shown; content
gen_ai.tool.name | text | the tool
gen_ai.usage.cache_read.input_tokens | number | tokens that came from a cache
gen_ai.usage.input_tokens | number | tokens of the prompt
gen_ai.usage.output_tokens | number | tokens of the answer
guardrail.category | text or texts | what it was about: prompt_attack, jailbreak, pii, ...
guardrail.reason | text | why, in the guardrail's words
guardrail.score | number | how sure it was
guardrail.vendor | text | whose answer it is
guardrail.verdict | text | allow, warn, modify or deny
jsonrpc.request.id | text | the message of JSON-RPC
mcp.manifest.cues | texts | what the texts of the tools do besides describing them
mcp.manifest.sha256 | text | hash of the definitions of a server's tools, whatever their order
mcp.method.name | text | initialize, tools/list, tools/call, ...
mcp.protocol.version | text | the version of MCP
mcp.resource.uri | text | the resource that was read
mcp.server.name | text | the title of an MCP server; no identity
mcp.session.id | text | the session of MCP
policy.id | text | the policy that was applied
server.address | text | the host that was called
service.name | text | the application
skill.name | text | the skill of an agent
tool.decision.source | text | who let a tool run, or did not: config, hook, user_reject, ...
trace.id | text | the trace of OpenTelemetry, or the id that stands for it
user.email | text | the address of who used it
user.id | text | the id of who used it
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
    rows = (line.split(" | ", 2) for line in lines.strip().splitlines())
    return {name: Meaning(type_, text) for name, type_, text in rows}


EVENT: Final = _table(_EVENT)
CONTENT: Final = _table(_CONTENT)
TELEMETRY: Final = _table(_TELEMETRY)
