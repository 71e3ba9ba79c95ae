"""What people see of a failed step: of an error that says what to mend its text, of any other the stack, too."""

from pathlib import Path

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from medallion_assets.errors import MedallionError
from medallion_assets.orchestration.failures import RetrySettings, handled


class DiskMissing(MedallionError):
    pass


def shown(error: Exception, root: Path) -> tuple[dg.ExecuteInProcessResult, SerializableErrorInfo]:
    """A run whose one step fails with the error, and what Dagster stores of it."""

    @dg.op
    def fails(context: dg.OpExecutionContext) -> None:
        with handled(context, str(root), RetrySettings()):
            raise error

    @dg.job
    def failing() -> None:
        fails()

    result = failing.execute_in_process(raise_on_error=False)
    (failed,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failed.error
    return result, failed.error


def test_an_error_that_says_what_to_mend_is_shown_without_a_stack(tmp_path: Path):
    result, told = shown(DiskMissing("Mount /landing again."), tmp_path)
    assert (told.message, told.stack, told.cause, told.context) == ("Mount /landing again.\n", [], None, None)
    assert told.cls_name and told.cls_name.endswith(".DiskMissing")
    assert not result.success


def test_any_other_error_keeps_its_stack(tmp_path: Path):
    _, told = shown(KeyError("day"), tmp_path)
    assert told.cause and told.cause.message == "KeyError: 'day'\n"
    assert any("raise error" in line for line in told.cause.stack)
