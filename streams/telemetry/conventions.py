"""Conventions: the attribute names that OpenTelemetry knows, as the normal form has them.

GenAI and MCP as of 2026-11, what of the general conventions such telemetry carries, and the names
that we add. Telemetry may have others: a rule that asks for one asks for somebody's own.
"""

from __future__ import annotations

from typing import Final

_PLAIN: Final = """
api.operation aws.bedrock.guardrail.id aws.bedrock.knowledge_base.id aws.ecs.cluster.arn
aws.ecs.task.arn aws.ecs.task.family aws.ecs.task.revision client.address client.port
cloud.account.id cloud.platform cloud.provider cloud.region cloud.resource_id container.id
container.image.id container.image.name container.image.repo_digests container.image.tags
container.name db.collection.name db.namespace db.operation.name db.system.name
deployment.environment.name enduser.id error.type event.name exception.type
gen_ai.agent.description gen_ai.agent.id gen_ai.agent.name gen_ai.agent.version
gen_ai.conversation.compacted gen_ai.conversation.id gen_ai.data_source.id
gen_ai.embeddings.dimension.count gen_ai.evaluation.name gen_ai.evaluation.score.label
gen_ai.evaluation.score.value gen_ai.guardrail.id gen_ai.guardrail.name gen_ai.memory.record.count
gen_ai.memory.record.id gen_ai.memory.store.id gen_ai.operation.name gen_ai.output.type
gen_ai.prompt.name gen_ai.prompt.version gen_ai.provider.name gen_ai.request.choice.count
gen_ai.request.encoding_formats gen_ai.request.frequency_penalty gen_ai.request.max_tokens
gen_ai.request.model gen_ai.request.presence_penalty gen_ai.request.previous_response.id
gen_ai.request.reasoning.level gen_ai.request.seed gen_ai.request.stop_sequences
gen_ai.request.stream gen_ai.request.temperature gen_ai.request.top_k gen_ai.request.top_p
gen_ai.response.finish_reasons gen_ai.response.id gen_ai.response.model
gen_ai.response.time_to_first_chunk gen_ai.retrieval.top_k gen_ai.security.action.type
gen_ai.security.external_finding_id gen_ai.security.policy.rule.id gen_ai.security.risk.category
gen_ai.security.verdict.code gen_ai.security.verdict.reason gen_ai.security.verdict.type
gen_ai.token.modality gen_ai.token.type gen_ai.tool.call.id gen_ai.tool.description
gen_ai.tool.name gen_ai.tool.type gen_ai.usage.cache_read.input_tokens
gen_ai.usage.cache_write.input_tokens gen_ai.usage.cost_usd gen_ai.usage.input_tokens
gen_ai.usage.output_tokens gen_ai.usage.reasoning.output_tokens gen_ai.workflow.name
guardrail.category guardrail.verdict host.id host.name http.request.method
http.response.status_code http.route jsonrpc.protocol.version jsonrpc.request.id k8s.cluster.name
k8s.container.name k8s.cronjob.name k8s.daemonset.name k8s.deployment.name k8s.job.name
k8s.namespace.name k8s.node.name k8s.pod.name k8s.pod.uid k8s.statefulset.name mcp.manifest.cues
mcp.manifest.sha256 mcp.method.name mcp.protocol.version mcp.resource.uri mcp.server.name
mcp.session.id messaging.destination.name messaging.system metric.count metric.kind metric.max
metric.min metric.name metric.operation metric.seconds metric.unit metric.value
network.peer.address network.peer.port network.protocol.name network.protocol.version
network.transport os.type peer.service process.executable.name process.pid rpc.method
rpc.response.status_code rpc.service rpc.system server.address server.port service.instance.id
service.name service.namespace service.version session.id skill.name telemetry.sdk.language
telemetry.sdk.name telemetry.sdk.version tool.decision.source trace.id url.domain url.full
url.path url.query url.scheme user.email user.id user.name user_agent.original
"""
# What people and models said: rules see it, and only its size is kept.
_CONTENT: Final = """
body db.query.text exception.message exception.stacktrace gen_ai.evaluation.explanation
gen_ai.input.messages gen_ai.memory.query gen_ai.memory.query.text gen_ai.memory.records
gen_ai.output.messages gen_ai.retrieval.documents gen_ai.retrieval.query
gen_ai.retrieval.query.text gen_ai.system_instructions gen_ai.tool.call.arguments
gen_ai.tool.call.result gen_ai.tool.definitions http.request.body http.response.body
process.command_args process.command_line
"""
_OPEN: Final = """
gen_ai.prompt.variable.* http.request.header.* http.response.header.*
process.environment_variable.*
"""

NAMES: Final[frozenset[str]] = frozenset(
    {
        *_PLAIN.split(),
        *_OPEN.split(),
        *(name + end for name in _CONTENT.split() for end in ("", ".size")),
    }
)
