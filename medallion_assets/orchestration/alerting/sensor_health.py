"""Which sensors of this repository do nothing: their last tick failed, or the daemon does not come to them."""

from typing import Any

import dagster as dg

MISSED_TICKS, LEAST_SILENCE = 20, 600
"""A sensor that missed so many ticks, and so many seconds, stands still."""
ALERTS = "alerts"
"""The sensor that asks."""


def broken_sensors(context: dg.SensorEvaluationContext) -> dict[str, str]:
    """Name -> what is wrong, of those that are on."""
    repository, here = context.repository_def, context.code_location_origin
    known = {sensor.name: sensor for sensor in repository.sensor_defs} if repository else {}
    states = {
        state.name: state
        for state in (context.instance.all_instigator_state() if known else ())
        if state.instigator_type.value == "SENSOR"
        and state.name in known
        and here in (None, state.origin.repository_origin.code_location_origin)
        and _is_on(state, known[state.name])
    }
    # The silence of all, while no daemon ran, is no sensor's fault: they are held against this one's own last tick.
    heard = _last_tick(states[ALERTS]) if ALERTS in states else 0.0
    found: dict[str, str] = {}
    for name, state in states.items():
        ticks = context.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=3)
        done = [tick for tick in ticks if tick.status.value != "STARTED"]
        interval = known[name].minimum_interval_seconds or 30
        if done and done[0].status.value == "FAILURE":
            found[name] = f"fails: {_class(done[0].error)}, see its ticks"
        elif heard - _last_tick(state) > max(MISSED_TICKS * interval, LEAST_SILENCE):
            found[name] = f"is on, and did not tick for {MISSED_TICKS} times its interval"
    return found


def _is_on(state: Any, sensor: dg.SensorDefinition) -> bool:
    """As somebody turned it, or else as the code says."""
    if state.status.value == "DECLARED_IN_CODE":
        return sensor.default_status is dg.DefaultSensorStatus.RUNNING
    return state.status.value == "RUNNING"


def _last_tick(state: Any) -> float:
    """Of the last one that ended; of a sensor that was just turned on, that moment."""
    data = state.instigator_data
    return max(data.last_tick_timestamp or 0.0, data.last_sensor_start_timestamp or 0.0) if data else 0.0


def _class(error: Any) -> str:
    """The class of the innermost error: its words may be data."""
    while error is not None and error.cause is not None:
        error = error.cause
    return (error.cls_name if error is not None else None) or "an error"
