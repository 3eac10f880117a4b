// Forbidden acts, each one system call (after whatever preparation it needs), for the probe of the confinement.
#pragma once
#include <stdint.h>

/// Performs the act; its result, or -errno. INT64_MIN: no act has this name. `argument`: a path or a pid, where the act needs one.
int64_t act_perform(const char *name, const char *argument);
/// The name of the act at `index`, or NULL behind the last.
const char *act_name(int index);
const char *act_error_name(int code);
