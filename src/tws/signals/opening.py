"""From a configuration to its sources: everything is checked here, before anything runs.

    sources = Sources(open_sources(settings, folder=..., clock=..., rng=...))
    gate = SignalGate(gate_rules(section))          # one for each section
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
from msgspec import Struct

from tws.clock import Clock, Rng
from tws.config.dotenv import Setting, read_variables
from tws.config.run import HeardSection, ModelLimitsSection, SignalsSection, TradingSection
from tws.config.settings import Settings
from tws.config.signals import HttpSignalsSection, WebhookSignalsSection
from tws.errors import ConfigError
from tws.signals.file import FileSource
from tws.signals.http import HttpRules, HttpSource
from tws.signals.pace import Pace
from tws.signals.receiving import Listening, WebhookSource, check_listening
from tws.signals.secret import Key
from tws.signals.source import Source
from tws.signals.webhook import WebhookRules
from tws.strategy import GateRules, ModelLimits
from tws.strategy.alert import AlertMap
from tws.strategy.prediction import PredictionShape

__all__ = ["Surroundings", "check_ports", "gate_rules", "open_sources"]

TOKEN_SIGNS = 16
"""The shortest token: 16 signs are past guessing at the 30 tries a minute that a receiver answers."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What sources stand on: clock, chance, the folder of the configuration (for relative paths), variables.

    `env_file` None: the `.env` beside the configuration if there is one, else that of the working directory.
    `transport` stands in for the network; `made` are sources that the calling program made itself (a
    function, say), by the name of the section that trades them.
    """

    clock: Clock
    rng: Rng
    folder: Path
    environ: Mapping[str, str] | None = None
    env_file: Path | None = None
    transport: httpx.AsyncBaseTransport | None = None
    made: Mapping[str, Source] = {}


def open_sources(settings: Settings, around: Surroundings) -> list[Source]:
    """One source for each section of `settings.signals`, in their order; nothing runs yet.

    Raises ConfigError (a variable that is not set, an address that is none, a port that is taken), DataError
    (a CSV), MissingExtraError.
    """
    names = [name for each in settings.signals for name in _variables(each)]
    beside = around.folder / ".env"
    env_file = around.env_file or (beside if beside.is_file() else None)
    found = read_variables(names, around.environ, env_file) if names else {}
    paces: dict[tuple[str, str], Pace] = {}
    check_ports(settings)
    return [_opened(each, around, found, paces) for each in settings.signals]


def check_ports(settings: Settings) -> None:
    """Two receivers can't listen at one place. Raises ConfigError."""
    receivers = [each for each in settings.signals if isinstance(each, WebhookSignalsSection) and each.port]
    ports = [each.port for each in receivers]
    for each in receivers:
        if ports.count(each.port) > 1:
            raise ConfigError("signals.port", each.port, "two receivers listen on it", "Give each its own")


def gate_rules(section: TradingSection) -> GateRules:
    """The gate of a section."""
    heard = section if isinstance(section, HeardSection) else None
    return GateRules(
        max_kept=0,  # the run's fate book keeps them
        symbols=section.symbols,
        models=heard.models if heard else None,
        each_model=_limits(heard.each_model) if heard else ModelLimits(),
        limits={name: _limits(each) for name, each in heard.model_limits.items()} if heard else {},
        threshold=section.threshold,
        max_age_s=section.max_age_s,
        cooldown_s=section.cooldown_s,
        open_margin_s=section.open_margin_s,
        close_margin_s=section.close_margin_s,
    )


def _limits(section: ModelLimitsSection) -> ModelLimits:
    return ModelLimits(per_minute=section.per_minute, per_day=section.per_day)


def _variables(section: HeardSection) -> tuple[str, ...]:
    if isinstance(section, HttpSignalsSection):
        return section.base_url_env, section.key_env
    return (section.token_env,) if isinstance(section, WebhookSignalsSection) else ()


def _opened(
    section: HeardSection,
    around: Surroundings,
    found: Mapping[str, Setting],
    paces: dict[tuple[str, str], Pace],
) -> Source:
    if section.name in around.made:
        return around.made[section.name]
    if isinstance(section, SignalsSection):
        path = around.folder / section.file
        return FileSource(path, clock=around.clock, rng=around.rng, name=section.name)
    if isinstance(section, HttpSignalsSection):
        return _api(section, around, found, paces)
    assert isinstance(section, WebhookSignalsSection)
    return _receiver(section, around, found)


def _api(
    section: HttpSignalsSection,
    around: Surroundings,
    found: Mapping[str, Setting],
    paces: dict[tuple[str, str], Pace],
) -> HttpSource:
    base_url, where = section.base_url, "signals.base_url"
    if base_url is None:
        setting = found.get(section.base_url_env)
        where = section.base_url_env
        if setting is None:
            cure = "Write it in the section, or set the variable in the environment or in .env"
            raise ConfigError("signals.base_url", "", f"neither it nor {where} is set", cure)
        base_url = setting.text
        try:
            section.check_address(base_url)
        except ValueError as wrong:
            raise ConfigError(where, base_url, str(wrong), "Correct it") from None
    key = _secret(section.key_env, found, 1)
    pace = paces.get((base_url, section.key_env))
    if pace is None:
        pace = paces[base_url, section.key_env] = Pace(section.per_minute, around.clock)
    pace.no_more_than(section.per_minute)  # of two sections with one key the lower rate holds for both
    return HttpSource(
        section.name,
        section.symbols,
        HttpRules(
            base_url=base_url,
            every_s=section.every_s,
            timeout_s=section.timeout_s,
            retries=section.retries,
            in_session=section.in_session,
            lead_s=section.lead_s,
            ca_file=_path(around.folder, section.ca_file, "signals.ca_file"),
            shape=PredictionShape(
                words={word.upper(): wish for word, wish in section.words.items()},
                allow=section.allow_fields,
                undated=section.undated != "refuse",
                model=section.model or section.name,
            ),
        ),
        key,
        pace=pace,
        clock=around.clock,
        rng=around.rng,
        transport=around.transport,
    )


def _receiver(
    section: WebhookSignalsSection, around: Surroundings, found: Mapping[str, Setting]
) -> WebhookSource:
    where = Listening(
        host=section.host,
        port=section.port,
        cert_file=_path(around.folder, section.cert_file, "signals.cert_file"),
        key_file=_path(around.folder, section.key_file, "signals.key_file"),
    )
    token = _secret(section.token_env, found, TOKEN_SIGNS)
    check_listening(where)
    return WebhookSource(
        section.name,
        token,
        clock=around.clock,
        rng=around.rng,
        where=where,
        rules=WebhookRules(
            per_minute=section.per_minute,
            burst=section.burst,
            names=AlertMap(
                **section.alert.model_dump(),
                words={word.upper(): wish for word, wish in section.words.items()},
            ),
        ),
    )


def _secret(name: str, found: Mapping[str, Setting], least: int) -> Key:
    return Key(found[name].text if name in found else "", name, least=least)


def _path(folder: Path, name: str | None, where: str) -> Path | None:
    if name is None:
        return None
    path = folder / Path(name).expanduser()
    if not path.is_file():
        raise ConfigError(where, str(path), "no such file", "Give the path of a PEM file")
    return path
