-- A store of $total events, as realistic as it takes to time queries. Read by queries.py.

-- macros
-- `u(n, salt)`: a number below 1 out of a hash. `z(n, of, salt)`: one below `of`, small ones far more often.
CREATE TEMP MACRO u(n, salt) AS (hash(n, salt) % 1000000) / 1000000.0;
CREATE TEMP MACRO z(n, of, salt) AS CAST(floor(pow(of, u(n, salt))) AS BIGINT) - 1;
CREATE TEMP MACRO moment(n, total) AS TIMESTAMP '2026-10-01' + to_microseconds(CAST(2.592e12 * n / total AS BIGINT));

-- events $first to $last, one in eight with a signal
CREATE OR REPLACE TEMP TABLE drawn AS
SELECT
  n, moment(n, $total) AS time, u(n, 'kind') AS kind, 'agent-' || z(n, 400, 'agent') AS agent,
  'srv-' || z(n, 120, 'server') AS server, 'tool-' || z(n, 15, 'tool') AS tool,
  'model-' || z(n, 60, 'model') AS model, 'session-' || (n // 12) AS session,
  'AKIAEXAMPLE' || lpad(CAST(z(n, 3000, 'role') AS VARCHAR), 7, '0') AS key,
  'arn:aws:iam::111122223333:role/role-' || z(n, 3000, 'role') AS role,
  '10.' || z(n, 3000, 'role') // 256 || '.' || z(n, 3000, 'role') % 256 || '.' || z(n, 8, 'ip') AS ip,
  CASE WHEN u(n, 'status') < 0.02 THEN 'failure' ELSE 'success' END AS status,
  'app-' || z(n, 200, 'app') AS app, md5(CAST(n AS VARCHAR)) AS uid
FROM range($first, $last) AS r(n);
INSERT INTO events BY NAME
SELECT
  uid, time, CASE WHEN kind < 0.45 THEN 'cloudtrail' WHEN kind < 0.97 THEN 'otel' ELSE 'trivy' END AS source,
  6003 AS class_uid, 'API Activity' AS class_name,
  CASE WHEN kind < 0.45 THEN 'InvokeModel' WHEN kind < 0.65 THEN 'chat' WHEN kind < 0.8 THEN 'execute_tool'
    WHEN kind < 0.85 THEN 'tools/list' WHEN kind < 0.97 THEN 'run_guardrail' ELSE 'Create' END AS activity,
  status, 'informational' AS severity, 'a call' AS message,
  CASE WHEN kind < 0.45 THEN 'principal:' || role WHEN kind < 0.97 THEN 'agent:' || agent END AS actor,
  CASE WHEN kind < 0.45 THEN ip END AS client_ip,
  CASE WHEN kind < 0.45 THEN ['model:' || model, 'principal:' || role, 'apikey:' || key, 'account:111122223333']
    WHEN kind < 0.65 THEN ['model:' || model, 'agent:' || agent, 'session:' || session, 'application:' || app]
    WHEN kind < 0.8 THEN ['tool:' || server || '/' || tool, 'mcp_server:' || server, 'agent:' || agent,
      'session:' || session, 'application:' || app]
    WHEN kind < 0.85 THEN ['mcp_server:' || server, 'agent:' || agent, 'session:' || session, 'application:' || app]
    WHEN kind < 0.97 THEN ['guardrail:gr-' || app, 'agent:' || agent, 'session:' || session, 'application:' || app]
    ELSE ['image:' || app] END AS entities,
  'file:logs/day-' || (n * 30 // $total) || '.ndjson#' || n AS origin, sha256(uid) AS sha256, 'final' AS meta_state,
  '{"uid":"' || uid || '","time":"' || strftime(time, '%Y-%m-%dT%H:%M:%S.%fZ') || '","source":"x","class_uid":6003,'
  || '"class_name":"API Activity","status":"' || status || '","client":{"ip":"' || ip || '"},"actor":{"kind":"principal","id":"'
  || role || '"},"entities":[{"kind":"agent","id":"' || agent || '"},{"kind":"session","id":"' || session
  || '"},{"kind":"application","id":"' || app || '"}],"attributes":{"service.name":"' || app
  || '","deployment.environment.name":"production","cloud.region":"eu-central-1"'
  || CASE WHEN kind >= 0.45 AND kind < 0.65 THEN ',"gen_ai.usage.input_tokens":' || z(n, 8000, 'in')
       || ',"gen_ai.usage.output_tokens":' || z(n, 2000, 'out') ELSE '' END
  || CASE WHEN kind >= 0.8 AND kind < 0.85 THEN ',"mcp.manifest.sha256":"' || md5(server || (n * 4 // $total)) || '"' ELSE '' END
  || CASE WHEN kind >= 0.85 AND kind < 0.97 THEN ',"guardrail.verdict":"' || CASE WHEN u(n, 'deny') < 0.03
       THEN 'deny","guardrail.category":"prompt_attack"' ELSE 'allow"' END ELSE '' END
  || CASE WHEN status = 'failure' THEN ',"error.code":"AccessDenied"' ELSE '' END
  || ',"trace.id":"' || md5(session) || '"},"evidence":{"origin":"file:logs/day.ndjson#' || n || '","sha256":"' || sha256(uid) || '"}}' AS body
FROM drawn;
INSERT INTO signals BY NAME
SELECT
  uid || 's' AS id, time,
  CASE WHEN kind >= 0.85 AND kind < 0.97 THEN 'guardrail_blocked_prompt_attack'
    ELSE ['bedrock_model_invoked', 'mcp_tool_called', 'tool_reads_private', 'tool_reads_untrusted', 'tool_sends_out'][1 + n % 5] END
    AS detection, 'A signal' AS title, CASE WHEN kind >= 0.85 THEN 'low' ELSE 'informational' END AS level, 0.8 AS confidence,
  'family' AS family, uid AS event,
  ['agent:' || agent, 'session:' || session, 'tool:' || server || '/' || tool] AS entities,
  CASE WHEN kind >= 0.85 THEN ['atlas.aml-t0051.000', 'owasp.llm01'] ELSE ['atlas.aml-t0040', 'owasp.llm10'] END AS tags,
  'final' AS meta_state, '{}' AS body
FROM drawn WHERE u(n, 'deny') < 0.03 OR n % 10 = 0;

-- the rest
INSERT INTO assets BY NAME
SELECT
  kind || ':' || name AS entity, kind, name AS id, name, moment(n * 997 % $total, $total) AS first_seen,
  moment($total - n * 499 % ($total // 2), $total) AS last_seen, ['otel'] AS sources, '{}' AS attributes,
  CASE WHEN n % 3 > 0 THEN TIMESTAMP '2026-10-01' END AS declared_from, NULL AS declared_seen,
  CASE WHEN n % 4 > 0 THEN TIMESTAMP '2026-10-02' END AS observed_from, moment($total, $total) AS observed_seen,
  '[{"name":"asset.owner","value":"team-' || n % 40 || '","source":"otel","first_seen":"2026-10-03T00:00:00Z","last_seen":"2026-10-20T00:00:00Z","confidence":0.9}]' AS history,
  'final' AS meta_state, '{}' AS body
FROM (
  SELECT 'agent' AS kind, 'agent-' || n AS name, n FROM range(400) AS r(n)
  UNION ALL SELECT 'application', 'app-' || n, n FROM range(200) AS r(n)
  UNION ALL SELECT 'model', 'model-' || n, n FROM range(60) AS r(n)
  UNION ALL SELECT 'mcp_server', 'srv-' || n, n FROM range(120) AS r(n)
  UNION ALL SELECT 'tool', 'srv-' || n // 15 || '/tool-' || n % 15, n FROM range(1800) AS r(n)
  UNION ALL SELECT 'apikey', 'AKIAEXAMPLE' || lpad(CAST(n AS VARCHAR), 7, '0'), n FROM range(5000) AS r(n)
  UNION ALL SELECT 'principal', 'arn:aws:iam::111122223333:role/role-' || n, n FROM range(3000) AS r(n)
  UNION ALL SELECT 'image', 'app-' || n, n FROM range(200) AS r(n)
  UNION ALL SELECT 'datastore', 'store-' || n, n FROM range(300) AS r(n)
  UNION ALL SELECT 'session', 'session-' || n, n FROM range($total // 100) AS r(n));
INSERT OR IGNORE INTO edges BY NAME
SELECT
  md5(from_entity || relation || to_entity) AS id, from_entity, relation, to_entity, n % 2 = 0 AS declared, n % 3 > 0 AS observed,
  moment(n * 911 % $total, $total) AS valid_from, CASE WHEN n % 20 = 0 THEN moment($total, $total) END AS valid_to,
  moment($total, $total) AS last_seen, NULL AS declared_from, NULL AS observed_from, 1.0 AS confidence, 'final' AS meta_state, '{}' AS body
FROM (
  SELECT 'application:app-' || n % 200 AS from_entity, 'runs' AS relation, 'agent:agent-' || n AS to_entity, n FROM range(400) AS r(n)
  UNION ALL SELECT 'application:app-' || n, 'uses', 'image:app-' || n, n FROM range(200) AS r(n)
  UNION ALL SELECT 'application:app-' || n % 200, 'uses', 'datastore:store-' || n, n FROM range(300) AS r(n)
  UNION ALL SELECT 'agent:agent-' || n % 400, 'calls', 'model:model-' || n % 60, n FROM range(1200) AS r(n)
  UNION ALL SELECT 'agent:agent-' || n % 400, 'uses', 'tool:srv-' || (n // 15) % 120 || '/tool-' || n % 15, n FROM range(6000) AS r(n)
  UNION ALL SELECT 'tool:srv-' || n // 15 || '/tool-' || n % 15, 'served_by', 'mcp_server:srv-' || n // 15, n FROM range(1800) AS r(n)
  UNION ALL SELECT 'principal:arn:aws:iam::111122223333:role/role-' || n % 3000, 'owns',
    'apikey:AKIAEXAMPLE' || lpad(CAST(n AS VARCHAR), 7, '0'), n FROM range(4500) AS r(n));
INSERT OR IGNORE INTO facts BY NAME
SELECT
  md5('fact' || n) AS id, 'image:app-' || z(n, 200, 'on') AS entity, 'finding' AS name, 'CVE-2026-' || z(n, 20000, 'cve') AS instance,
  CASE WHEN n % 3 = 0 THEN 'resolved' ELSE 'open' END AS state, moment(n * 13 % $total, $total) AS since,
  CASE WHEN n % 3 = 0 THEN moment(n * 13 % $total, $total) + to_hours(n % 400) END AS until,
  ['critical', 'high', 'medium', 'low'][1 + n % 4] AS severity, 0.9 AS confidence, 'A weakness' AS title,
  ['trivy', 'grype'][1 + n % 2] AS tool, 'CVE-2026-' || z(n, 20000, 'cve') AS vulnerability, 'pkg-' || n % 900 AS package,
  CASE WHEN n % 5 = 0 THEN '2.' || n % 9 END AS fixed_version, 'final' AS meta_state, '{}' AS body
FROM range($total // 50) AS r(n);
INSERT INTO facts BY NAME
SELECT md5('exposure' || n) AS id, 'application:app-' || n AS entity, 'asset.exposure' AS name,
  ['internet', 'internal'][1 + n % 2] AS instance, 'open' AS state, TIMESTAMP '2026-10-01' AS since, 'informational' AS severity,
  'final' AS meta_state, '{}' AS body FROM range(200) AS r(n)
UNION ALL SELECT md5('data' || n), 'datastore:store-' || n, 'holds_private_data', '', 'open', TIMESTAMP '2026-10-01',
  'informational', 'final', '{}' FROM range(150) AS r(n)
UNION ALL SELECT md5('kev' || n), 'vulnerability:CVE-2026-' || n, 'known_exploited_vulnerability', '', 'open',
  TIMESTAMP '2026-10-05', 'high', 'final', '{}' FROM range(300) AS r(n);
INSERT INTO systems BY NAME
SELECT 'application:app-' || n AS id, 'app-' || n AS name, 'application:app-' || n AS root,
  ['application:app-' || n, 'image:app-' || n, 'agent:agent-' || n, 'agent:agent-' || n + 200, 'datastore:store-' || n] AS members,
  'final' AS meta_state, '{}' AS body FROM range(200) AS r(n);
INSERT INTO alerts BY NAME
SELECT
  md5('alert' || n) AS id, 't' || n AS thread, ['lethal_trifecta', 'instruction_followed', 'notable'][1 + n % 3] AS convergence,
  ['outlook', 'watch', 'warning'][1 + n % 3] AS stage, 'warning' AS peak_stage, CASE WHEN n % 10 = 0 THEN 'open' ELSE 'expired' END AS status,
  'application:app-' || n % 200 AS system, 'An alert' AS title, n % 100 AS priority, 0.8 AS confidence, 'high' AS severity,
  ['agent:agent-' || n % 400] AS entities, ['atlas.aml-t0051', 'owasp.llm01'] AS tags, moment(n * 4999 % $total, $total) AS first_time,
  moment(n * 4999 % $total, $total) AS onset_time, moment(n * 4999 % $total, $total) + INTERVAL 1 HOUR AS last_time,
  moment($total, $total) AS expires_at, 'final' AS meta_state, 3 AS revision,
  '{"why":[{"term":"attack/x","points":700,"evidence":[{"event":"' || md5(CAST(n * 4999 % $total AS VARCHAR)) || '","sha256":"x"}]}],'
  || '"evidence":[{"event":"' || md5(CAST(n * 4999 % $total AS VARCHAR)) || '","sha256":"x"}]}' AS body
FROM range(2000) AS r(n);
INSERT INTO scores BY NAME
SELECT md5('alert' || n // 15) AS alert, 1 + n % 15 // 5 AS revision, 1 + n % 5 AS number, TIMESTAMP '2026-10-05' AS time,
  ['base', 'attack/x', 'weakness/y', 'data/personal', 'exposure/internet'][1 + n % 5] AS term, 0.5 AS value, 600 AS weight,
  100 + n % 15 * 10 AS points FROM range(30000) AS r(n);
INSERT INTO findings BY NAME
SELECT md5('finding' || n) AS id, 'rule-' || n % 40 AS rule, 'A finding' AS title, 'medium' AS level, '{}' AS group_values,
  moment(n * 97 % $total, $total) AS first_time, moment(n * 97 % $total, $total) AS onset_time, moment(n * 97 % $total, $total) AS last_time,
  5 AS count, ['agent:agent-' || n % 400] AS entities, ['atlas.aml-t0051'] AS tags,
  CASE WHEN n % 50 = 0 THEN 'withdrawn' ELSE 'final' END AS meta_state, 2 AS revision, '{}' AS body
FROM range($total // 1000) AS r(n);
INSERT INTO forecasts BY NAME
SELECT md5('forecast' || n) AS id, md5('alert' || n % 2000) AS alert, 'application:app-' || n % 200 AS system,
  moment(n * 311 % $total, $total) AS issued, 'AML.T00' || 10 + n % 60 AS technique, u(n, 'p') AS probability, '1d' AS horizon,
  CASE WHEN u(n, 'o') < u(n, 'p') THEN 'hit' ELSE 'false_alarm' END AS outcome, 'final' AS meta_state, '{}' AS body
FROM range(10000) AS r(n);
INSERT INTO rejects BY NAME SELECT 'r' || n AS id, 'otel' AS source, 'truncated' AS reason, 'x' AS detail, '{}' AS body
FROM range($total // 2000) AS r(n);
INSERT INTO late BY NAME SELECT 'l' || n AS id, 'otel' AS source, moment(n, $total) AS time, moment(n, $total) + INTERVAL 1 HOUR AS watermark,
  '{}' AS body FROM range($total // 2000) AS r(n);
