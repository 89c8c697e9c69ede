"""The few ways a model's name may differ from the price list's. There is no guessing beyond them."""

import re

from tui_monitor.model.providers import canonical

_PREFIXES = ("openai/", "anthropic/", "azure/", "bedrock/", "vertex_ai/", "models/")
_REGIONS = ("us.", "eu.", "apac.", "global.")
_AT_DATE = re.compile(r"@(\d{8}|\d{4}-\d{2}-\d{2})$")


def candidates(provider: str, model: str) -> list[tuple[str, str]]:
    """(provider, model) pairs to look up, the nearest to what was reported first; in lower case.

    One known provider prefix, a region of Bedrock and `@date` may go; nothing else.
    """
    provider, model = canonical(provider), model.strip().lower()
    if provider == "litellm" and "/" in model:
        head, model = model.split("/", 1)
        provider = canonical(head)
    found = [model]
    for prefix in _PREFIXES:
        if model.startswith(prefix) and len(model) > len(prefix):
            model = model[len(prefix) :]
            found.append(model)
            break
    if provider == "aws":
        for region in _REGIONS:
            if model.startswith(region):
                model = model[len(region) :]
                found.append(model)
                break
    dated = _AT_DATE.sub(r"-\1", model)
    if dated != model:
        found.append(dated)
    return [(provider, name) for name in found]


def free_variant(provider: str, model: str) -> bool:
    """Whether the name itself says that the call is free."""
    return canonical(provider) == "openrouter" and model.strip().lower().endswith(":free")
