"""Asks the status pages of providers in use, and hands over what they say as samples."""

import asyncio
import json
import os
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tui_monitor.config.probing import StatusPage
from tui_monitor.model.clock import MINUTE, SECOND, Micros
from tui_monitor.model.errors import Busy
from tui_monitor.model.feed import Sample
from tui_monitor.model.providers import canonical
from tui_monitor.model.text import clean
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.sources.api import SourceContext, SourceSettings
from tui_monitor.sources.probes.targets import targets_of
from tui_monitor.sources.status_pages import betterstack, google, instatus, rss, statuspage
from tui_monitor.sources.status_pages.known import KNOWN
from tui_monitor.sources.status_pages.word import Unreadable, Word
from tui_monitor.sources.web import Answer, Request, Web

_SHORTEST = MINUTE
"""Nobody's page is asked more often."""
_SPREAD = 0.1
_CHOOSE_AGAIN = 10 * MINUTE
"""How often is looked which providers are in use."""
_TIMEOUT_S = 15.0
_CAP = 4_000_000
_REDIRECTS = 3
_FIRST_WITHIN = 2.0
"""Seconds in which new pages are asked for the first time."""


@dataclass(slots=True)
class _Page:
    """A page that is asked, and what is remembered of it."""

    page: StatusPage
    due: float
    """When it is asked next, on the monotonic clock."""
    bodies: dict[str, tuple[dict[str, str], bytes]] = field(default_factory=dict)
    """Address → what to say so that an unchanged answer is not sent again, and that answer."""
    trouble: str = ""
    drift: bool = False


class StatusPagesSource:
    """Off until the person allowed it."""

    name = "status pages"

    def __init__(
        self, known: Mapping[str, StatusPage] = KNOWN, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._known = known
        self._environ = environ

    def off(self, settings: SourceSettings) -> str:
        """Why no page is asked."""
        if settings.consent.status_pages is True:
            return ""
        return "no page is asked before consent.status_pages is set"

    async def run(self, ctx: SourceContext) -> None:
        """Until cancelled."""
        async with Web(ctx.clock, idle=30.0) as web:
            pages: dict[str, _Page] = {}
            choose_at = 0.0
            while True:
                now = ctx.clock.monotonic()
                if now >= choose_at:
                    choose_at = now + _CHOOSE_AGAIN / SECOND
                    pages = _kept(pages, await self._chosen(ctx), now)
                due = [page for page in pages.values() if page.due <= now]
                await asyncio.gather(*(_ask(ctx, web, page) for page in due))
                if due or not pages:
                    ctx.running(_words(pages.values()))
                soonest = min((page.due for page in pages.values()), default=choose_at)
                await asyncio.sleep(max(0.05, min(soonest, choose_at) - ctx.clock.monotonic()))

    async def _chosen(self, ctx: SourceContext) -> list[StatusPage]:
        """Pages of providers that were called lately, that are probed, or that the settings name."""
        used = await ctx.providers_used()
        probed = await asyncio.to_thread(targets_of, ctx.settings, self._environ)
        names = {*used, *(target.provider for target in probed.targets)}
        pages = {name: self._known[name] for name in sorted(names) if name in self._known}
        named = {canonical(page.provider): page for page in ctx.settings.status_pages.pages}
        return list((pages | named).values())


def _kept(old: Mapping[str, _Page], chosen: Iterable[StatusPage], now: float) -> dict[str, _Page]:
    """The pages to ask; one that is asked already goes on as it was."""
    pages: dict[str, _Page] = {}
    for page in chosen:
        name = canonical(clean(page.provider, 64))
        known = old.get(name)
        if known is None or known.page != page:
            known = _Page(page, now + random.uniform(0, _FIRST_WITHIN))
        pages[name] = known
    return pages


async def _ask(ctx: SourceContext, web: Web, page: _Page) -> None:
    interval = max(_SHORTEST, ctx.settings.status_pages.interval) / SECOND
    page.due = ctx.clock.monotonic() + interval * random.uniform(1 - _SPREAD, 1 + _SPREAD)
    provider = canonical(clean(page.page.provider, 64))
    try:
        word = await _look(web, page, ctx.clock.now())
    except (Unanswered, Unreadable) as error:
        trouble = f"{provider}: its status page is unknown: {clean(str(error), 200)}"
        if trouble != page.trouble:
            ctx.problem(trouble)
        page.trouble = trouble
        return
    page.trouble = ""
    if word.drift and not page.drift:
        ctx.problem(f"{provider}: component drift, its page has no {', '.join(page.page.components)}")
    page.drift = word.drift
    try:
        await ctx.submit(samples_of(provider, word, ctx.clock.now()))
    except Busy as busy:
        ctx.problem(busy.message)


def samples_of(provider: str, word: Word, now: Micros) -> list[Sample]:
    """A page's word as samples: one for the provider, one for each component, one for the incident."""
    labels = {"provider": provider}
    found = [
        Sample("provider_status", now, float(word.level), labels),
        Sample("provider_status_drift", now, float(word.drift), labels),
    ]
    found += [
        Sample("provider_status", now, float(level), {**labels, "component": clean(name, 100)})
        for name, level in word.components.items()
    ]
    if word.title:
        about = {**labels, "title": clean(word.title, 200), "url": _link(word.url)}
        found.append(
            Sample("provider_incident", now, float(word.level), {k: v for k, v in about.items() if v})
        )
    return found


def _link(url: str) -> str:
    """An address of the web that is whole; else nothing."""
    url = clean(url, 250)
    return url if url.startswith(("https://", "http://")) and not url.endswith("…") else ""


async def _look(web: Web, page: _Page, now: Micros) -> Word:
    """Ask one page. Raises `Unanswered` and `Unreadable`."""
    base, patterns = page.page.url.rstrip("/"), page.page.components
    match page.page.kind:
        case "statuspage":
            summary = await _json(web, page, f"{base}/api/v2/summary.json")
            parts = None
            if await asyncio.to_thread(statuspage.lacks, summary, patterns):
                parts = await _json(web, page, f"{base}/api/v2/components.json")
            return statuspage.read(summary, parts, patterns)
        case "instatus":
            return instatus.read(await _json(web, page, f"{base}/summary.json"), patterns)
        case "betterstack":
            try:
                index = await _json(web, page, f"{base}/index.json")
                return betterstack.read(index, patterns, base, now)
            except Unreadable:
                return await _feed(web, page, f"{base}/feed", now)
        case "google":
            incidents = await _json(web, page, _ending(base, "incidents.json"))
            return await asyncio.to_thread(google.read, incidents, patterns, base, now)
        case "rss":
            return await _feed(web, page, page.page.url, now)


async def _feed(web: Web, page: _Page, url: str, now: Micros) -> Word:
    data = await _body(web, page, url)
    return await asyncio.to_thread(rss.read, data, page.page.components, page.page.url, now)


async def _json(web: Web, page: _Page, url: str) -> object:
    data = await _body(web, page, url)
    return await asyncio.to_thread(_parse, data)


def _parse(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        html = data[:500].lstrip().lower().startswith((b"<!doctype html", b"<html"))
        raise Unreadable("it is a page for people, no JSON" if html else "it is no JSON") from None


async def _body(web: Web, page: _Page, url: str) -> bytes:
    """What stands at an address, sent again only if it changed."""
    said, before = page.bodies.get(url, ({}, b""))
    answer = await web.get(Request(url, said, _TIMEOUT_S, _CAP, _REDIRECTS))
    if answer.status == 304 and before:
        return before
    if answer.status != 200:
        raise Unreadable(f"it answered {answer.status}")
    if conditions := _conditions(answer):
        page.bodies[url] = (conditions, answer.body)
    return answer.body


_VALIDATORS: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("etag", "if-none-match", lambda value: len(value) < 500),
    ("last-modified", "if-modified-since", lambda value: len(value) < 100),
)


def _conditions(answer: Answer) -> dict[str, str]:
    return {
        asked: answer.headers[name]
        for name, asked, fits in _VALIDATORS
        if name in answer.headers and answer.headers[name].isascii() and fits(answer.headers[name])
    }


def _ending(base: str, name: str) -> str:
    return base if base.endswith(name) else f"{base}/{name}"


def _words(pages: Iterable[_Page]) -> str:
    pages = list(pages)
    if not pages:
        return "no provider in use has a page that is known"
    unknown = sum(bool(page.trouble) for page in pages)
    text = f"{len(pages)} page{'' if len(pages) == 1 else 's'}"
    return f"{text}, {unknown} unknown" if unknown else text
