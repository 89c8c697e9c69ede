"""Provider ids: one alias table for ingestion, matchers and the command line."""

ALIASES: dict[str, str] = {
    "claude": "anthropic",
    "gemini": "google",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "vertex": "google",
    "vertex_ai": "google",
    "vertexai": "google",
    "google_genai": "google",
    "google-vertex": "google",
    "aws.bedrock": "aws",
    "bedrock": "aws",
    "aws_bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "azure_openai": "azure",
    "azure-openai": "azure",
    "gpt": "openai",
    "chatgpt": "openai",
    "x_ai": "x-ai",
    "xai": "x-ai",
    "grok": "x-ai",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "together_ai": "together",
    "togetherai": "together",
    "fireworks_ai": "fireworks",
    "kimi": "moonshotai",
    "moonshot": "moonshotai",
}


def canonical(provider: str) -> str:
    """The canonical id of a provider name, in lower case; unknown names stay as they are."""
    name = provider.strip().lower()
    return ALIASES.get(name, name)
