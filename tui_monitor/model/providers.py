"""Provider ids: one alias table for ingestion, matchers and the command line."""

from collections.abc import Mapping

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


KEY_VARIABLES: dict[str, str] = {
    "OPENAI_API_KEY": "openai",
    "ANTHROPIC_API_KEY": "anthropic",
    "GEMINI_API_KEY": "google",
    "GOOGLE_API_KEY": "google",
    "MISTRAL_API_KEY": "mistral",
    "GROQ_API_KEY": "groq",
    "TOGETHER_API_KEY": "together",
    "DEEPSEEK_API_KEY": "deepseek",
    "XAI_API_KEY": "x-ai",
    "OPENROUTER_API_KEY": "openrouter",
    "FIREWORKS_API_KEY": "fireworks",
    "COHERE_API_KEY": "cohere",
    "PERPLEXITY_API_KEY": "perplexity",
    "AZURE_OPENAI_API_KEY": "azure",
}
"""Environment variables that hold a provider's API key, and the provider."""


def keys_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that are set, and their providers; never a value."""
    return {name: provider for name, provider in KEY_VARIABLES.items() if environ.get(name, "").strip()}
