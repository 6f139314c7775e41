"""Configuration as code: the YAML files compared with what is in force, applied, and given back."""

from governance.configuration.applying import Applied, apply, apply_folder, diff
from governance.configuration.exporting import dump, export_baselines, export_directory, export_profiles
from governance.configuration.files import BASELINES, DIRECTORY, PROFILES, Files, load, load_text
from governance.documents import ConfigurationError, Problem

__all__ = [
    "BASELINES",
    "DIRECTORY",
    "PROFILES",
    "Applied",
    "ConfigurationError",
    "Files",
    "Problem",
    "apply",
    "apply_folder",
    "diff",
    "dump",
    "export_baselines",
    "export_directory",
    "export_profiles",
    "load",
    "load_text",
]
