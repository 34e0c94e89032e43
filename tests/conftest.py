"""Settings of all tests: no window, no colours; says when the slow verification is stale."""

from __future__ import annotations

import os

import pytest

from verification_record import RECORD, stale, verified_sources, write

os.environ |= {"MPLBACKEND": "Agg", "COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS"):
    os.environ.pop(name, None)


class Passed:
    """Collects the names of the tests that passed."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.names.append(report.nodeid)


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "write down which engine sources passed (`make verify`)"
    parser.addoption("--record-verification", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Passed(), "passed")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if hasattr(session.config, "workerinput"):
        return  # one of several processes: the one that started them knows what passed
    if session.config.getoption("--record-verification") and exitstatus == pytest.ExitCode.OK:
        passed = session.config.pluginmanager.get_plugin("passed")
        assert isinstance(passed, Passed)
        write(RECORD, passed.names, verified_sources())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = stale(RECORD, verified_sources())
    if reasons:
        text = "\n".join(f"  {reason}" for reason in reasons)
        terminalreporter.section("`make verify` has not passed with these sources", sep="-")
        terminalreporter.write_line(text)
