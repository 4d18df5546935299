"""Estate: the fictional insurer whose two days the demo plays.

Every name, key and address is invented; public addresses are those of documentation.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from schemas import times

COMPANY = "Quillhaven Mutual"
DOMAIN = "quillhaven.example"
ACCOUNT = "111122223333"
REGION = "eu-central-1"
CLUSTER = "ml-serving"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"

MONDAY = times.parse("2026-03-02T00:00:00Z")
TUESDAY = MONDAY + times.DAY
END = TUESDAY + times.DAY

STRANGER = "203.0.113.77"


def fingerprint(*parts: object, length: int = 64) -> str:
    """Hex digits that depend on `parts` alone: ids without a clock or a random source."""
    return sha256("\0".join(map(str, parts)).encode()).hexdigest()[:length]


class Caller(NamedTuple):
    """Who signs an AWS call: a role's session, or an IAM user with a key of its own."""

    name: str
    key: str
    address: str
    agent: str = "Boto3/1.38.0 md/Botocore#1.38.0 lang/python#3.12.4"
    user: bool = False
    console: bool = False


class McpServer(NamedTuple):
    """A tool server; `tools` are (name, description)."""

    host: str
    title: str
    tools: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """As spans and bills of materials name it."""
        return self.host


class System(NamedTuple):
    """One AI system.

    A `pinned` image is named by its digest everywhere, any other by a tag that moves.
    """

    name: str
    purpose: str
    tag: str
    pinned: bool
    model: str
    store: str
    labels: tuple[str, ...]
    role: Caller
    exposure: str = "internal"
    guardrail: str | None = None
    knowledge: str | None = None
    servers: tuple[McpServer, ...] = ()

    @property
    def repository(self) -> str:
        """The image without tag or digest."""
        return f"{REGISTRY}/{self.name}"

    @property
    def digest(self) -> str:
        """The digest of the image."""
        return f"sha256:{fingerprint('image', self.name)}"

    @property
    def image(self) -> str:
        """The reference that tasks run."""
        by = f"@{self.digest}" if self.pinned else f":{self.tag}"
        return self.repository + by

    @property
    def image_id(self) -> str:
        """The image as an entity: its digest where it is pinned, else its full tag."""
        return self.digest if self.pinned else f"{self.repository}:{self.tag}"

    @property
    def workload(self) -> str:
        """The ECS task family as an entity."""
        return f"ecs/{CLUSTER}/{self.name}"


POLICY_TOOLS = McpServer(
    f"policy-mcp.{DOMAIN}",
    "Policy administration",
    (
        ("lookup_policyholder", "Finds a policyholder by policy number."),
        ("get_policy_terms", "Returns the terms of a policy."),
        ("quote_premium", "Computes the premium of a change of cover."),
    ),
)
RATES = McpServer(
    "rates-mcp.quotefeed.example",
    "Exchange rates of a supplier",
    (("get_exchange_rate", "Returns the rate of a currency pair on a day."),),
)
# The supplier's next release: another manifest, with an address in it, and nothing that turns.
RATES_NEXT = RATES._replace(
    tools=(
        (
            "get_exchange_rate",
            (
                "Returns the rate of a currency pair on a day."
                " The currencies are listed at https://quotefeed.example/currencies."
            ),
        ),
    )
)
FRAUD_TOOLS = McpServer(
    f"fraud-mcp.{DOMAIN}",
    "Fraud desk",
    (
        ("fetch_page", "Fetches a public web page."),
        ("lookup_customer", "Finds a customer by number."),
        ("post_message", "Posts a message to the channel of the desk."),
    ),
)

CLAIMS = System(
    name="claims-triage",
    purpose="Scores incoming claims by severity on Ray Serve",
    tag="2026.02.3",
    pinned=True,
    model="amazon.nova-lite-v1:0",
    store="s3/quillhaven-claims-documents",
    labels=("health", "personal"),
    role=Caller("ClaimsTriageTask", "ASIAEXAMPLE000000101", "10.20.1.15"),
)
POLICY = System(
    name="policy-assistant",
    purpose="Answers questions of service staff about policies",
    tag="2026.02.9",
    pinned=True,
    model="amazon.nova-pro-v1:0",
    store="s3/quillhaven-policy-files",
    labels=("payment", "personal"),
    role=Caller("PolicyAssistantTask", "ASIAEXAMPLE000000102", "10.20.2.15"),
    exposure="internet",
    guardrail="grquillhaven01",
    knowledge="KBMERIDIAN01",
    servers=(POLICY_TOOLS, RATES),
)
FRAUD = System(
    name="fraud-lens",
    purpose="Looks for fraud rings in claims, on Ray",
    tag="stable",
    pinned=False,
    model="amazon.nova-pro-v1:0",
    store="s3/quillhaven-fraud-cases",
    labels=("financial", "personal"),
    role=Caller("FraudLensTask", "ASIAEXAMPLE000000103", "10.20.3.15"),
    guardrail="grquillhaven02",
    servers=(FRAUD_TOOLS,),
)
SYSTEMS = (CLAIMS, POLICY, FRAUD)

PIPELINE = Caller(
    "DeployPipeline",
    "ASIAEXAMPLE000000201",
    "10.20.9.4",
    "aws-cli/2.27.0 md/command#ecs.update-service",
)
ENGINEER = Caller("PlatformEngineer", "ASIAEXAMPLE000000202", "198.51.100.23", "aws-cli/2.27.0")
AUDITOR = Caller("SecurityAudit", "ASIAEXAMPLE000000203", "10.20.9.8")
CONSOLE = Caller(
    "DataScientist", "ASIAEXAMPLE000000204", "198.51.100.31", "Mozilla/5.0", console=True
)
CONTRACTOR = Caller("Contractor", "ASIAEXAMPLE000000205", "198.51.100.77", "aws-cli/2.27.0")
COLLEAGUE = Caller("DataScientist", "ASIAEXAMPLE000000206", "198.51.100.31")
EMBEDDER = Caller("nightly-embedder", "AKIAEXAMPLE000000301", "10.20.9.12", user=True)
PEOPLE = ("ada.lindqvist", "bao.okafor", "carla.mendes", "dov.hartmann", "edda.novak", "farid.osei")
