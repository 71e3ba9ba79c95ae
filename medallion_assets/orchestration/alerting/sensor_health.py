"""Which sensors of this repository do not work: their last tick failed, or they do not tick any more."""

from typing import Any

import dagster as dg

MISSED_TICKS, MIN_SILENCE_SECONDS = 20, 600
"""A sensor that missed so many ticks, for at least so many seconds, has stopped."""
ALERTS = "alerts"
"""The sensor that runs this check."""


def broken_sensors(context: dg.SensorEvaluationContext) -> dict[str, str]:
    """Name -> what is wrong, of the sensors that are on."""
    states, sensors = _states_of_sensors_that_are_on(context)
    # While no daemon runs, no sensor ticks: each is compared with the last tick of this one.
    last_alerts_tick = _last_tick(states[ALERTS]) if ALERTS in states else 0.0
    problems = {
        name: _problem(context.instance, state, sensors[name], last_alerts_tick)
        for name, state in states.items()
    }
    return {name: problem for name, problem in problems.items() if problem}


def _states_of_sensors_that_are_on(
    context: dg.SensorEvaluationContext,
) -> tuple[dict[str, Any], dict[str, dg.SensorDefinition]]:
    """Name -> what the instance keeps of it, of those that are on; and all sensors of the repository."""
    repository, here = context.repository_def, context.code_location_origin
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs} if repository else {}
    states = {
        state.name: state
        for state in (context.instance.all_instigator_state() if sensors else ())
        if state.instigator_type.value == "SENSOR"
        and state.name in sensors
        and here in (None, state.origin.repository_origin.code_location_origin)
        and _is_on(state, sensors[state.name])
    }
    return states, sensors


def _problem(
    instance: dg.DagsterInstance, state: Any, sensor: dg.SensorDefinition, last_alerts_tick: float
) -> str:
    """Empty for a sensor that works."""
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=3)
    ended = [tick for tick in ticks if tick.status.value != "STARTED"]
    if ended and ended[0].status.value == "FAILURE":
        return f"fails: {_class(ended[0].error)} (see its ticks in the UI)"
    limit = max(MISSED_TICKS * (sensor.minimum_interval_seconds or 30), MIN_SILENCE_SECONDS)
    if last_alerts_tick - _last_tick(state) > limit:
        return f"is on, but has missed {MISSED_TICKS} ticks or more"
    return ""


def _is_on(state: Any, sensor: dg.SensorDefinition) -> bool:
    """By the switch in the UI, or else by the code."""
    if state.status.value == "DECLARED_IN_CODE":
        return sensor.default_status is dg.DefaultSensorStatus.RUNNING
    return state.status.value == "RUNNING"


def _last_tick(state: Any) -> float:
    """Seconds since 1970; of a sensor that was just turned on, that moment."""
    data = state.instigator_data
    return max(data.last_tick_timestamp or 0.0, data.last_sensor_start_timestamp or 0.0) if data else 0.0


def _class(error: Any) -> str:
    """Of the innermost error; its message may quote data."""
    while error is not None and error.cause is not None:
        error = error.cause
    return (error.cls_name if error is not None else None) or "an error"
