"""Status pages that are known: one line each."""

from collections.abc import Mapping

from tui_monitor.config.probing import StatusPage


def _page(provider: str, kind: str, url: str, *components: str) -> tuple[str, StatusPage]:
    page = StatusPage.model_validate(
        {"provider": provider, "kind": kind, "url": url, "components": list(components)}
    )
    return provider, page


KNOWN: Mapping[str, StatusPage] = dict(
    (
        # OpenAI's page also covers ChatGPT, Anthropic's also its own applications.
        _page("openai", "statuspage", "https://status.openai.com", "completions", "responses", "embeddings"),
        _page("anthropic", "statuspage", "https://status.claude.com", "api.anthropic.com", "claude api"),
        _page("cohere", "statuspage", "https://status.cohere.com"),
        _page("groq", "statuspage", "https://groqstatus.com"),
        _page("deepseek", "statuspage", "https://status.deepseek.com", "api"),
        _page("elevenlabs", "statuspage", "https://status.elevenlabs.io"),
        _page("replicate", "statuspage", "https://www.replicatestatus.com"),
        _page("fireworks", "statuspage", "https://status.fireworks.ai"),
        _page("github", "statuspage", "https://www.githubstatus.com", "copilot"),
        _page("cursor", "statuspage", "https://status.cursor.com"),
        _page("together", "betterstack", "https://status.together.ai"),
        _page("huggingface", "betterstack", "https://status.huggingface.co"),
        _page("mistral", "instatus", "https://status.mistral.ai"),
        _page("perplexity", "instatus", "https://status.perplexity.com"),
        _page("x-ai", "rss", "https://status.x.ai/feed.xml"),
        # The Gemini Developer API has no page that programs may read; Vertex AI's stands for it.
        _page("google", "google", "https://status.cloud.google.com/incidents.json", "vertex", "gemini"),
        _page("aws", "rss", "https://status.aws.amazon.com/rss/bedrock-us-east-1.rss"),
        _page(
            "azure", "rss", "https://rssfeed.azure.status.microsoft/en-us/status/feed/",
            "openai", "cognitive", "foundry", "ai services",
        ),
    )
)  # fmt: skip
"""Provider → its page."""
