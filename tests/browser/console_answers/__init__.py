"""What a made-up Tocsin answers the console: a busy hour, with something of everything in it."""

from tests.browser.console_answers.figures import FAILURES, WAVES, latency, overview, series
from tests.browser.console_answers.letters import letter, letters, of_user, path
from tests.browser.console_answers.made_up import CHANNELS, HOSTILE, Json, at
from tests.browser.console_answers.questions import HOURS, QUESTIONS, stat
from tests.browser.console_answers.templates import MAIL, TEMPLATES, preview, version

__all__ = [
    "CHANNELS",
    "FAILURES",
    "HOSTILE",
    "HOURS",
    "MAIL",
    "QUESTIONS",
    "TEMPLATES",
    "WAVES",
    "Json",
    "at",
    "latency",
    "letter",
    "letters",
    "of_user",
    "overview",
    "path",
    "preview",
    "series",
    "stat",
    "version",
]
