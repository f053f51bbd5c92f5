"""The configuration: one frozen tree, built once, from the file, the environment and `--set`.

errors      ConfigError: every problem at once
kinds       what a value may be: numbers, flags, choices, texts, secrets
quantities  the same for durations, sizes and addresses
backends    the same for the name of a storage
objects     the same for what a store of objects is told: endpoints, names, tags
styles      the same for sets of options of a format
choices     the words among which a key chooses
basics      what sections are made of
sections    the keys: type, default, bounds and meaning of each stand here and nowhere else
limits_section  those of the most that one export may be
oss_section those of OSS
store_sections  those of S3, Google Cloud Storage and Azure
store_rules what must hold between these
rules       what must hold between keys
faults      what rules find wrong
model       Config, and the list of its keys
document    YAML text to a mapping and back
sources     where settings come from, and which of them wins
load        load_config
"""

from flight_server.config.choices import (
    Backend,
    Credentials,
    Encryption,
    LogFormat,
    LogLevel,
    Signature,
    StorageClass,
)
from flight_server.config.errors import ConfigError
from flight_server.config.load import load_config
from flight_server.config.model import Config

__all__ = [
    "Backend",
    "Config",
    "ConfigError",
    "Credentials",
    "Encryption",
    "LogFormat",
    "LogLevel",
    "Signature",
    "StorageClass",
    "load_config",
]
