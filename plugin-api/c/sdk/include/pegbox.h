/// The C SDK for Pegbox plugins.
///
/// A plugin is one file that includes this one, and defines
///   - `configuration_schema` and `configure`, whatever its kind;
///   - the functions of each kind that its plugin.toml names: `cleaner_clean`, `validator_validate`,
///     `loss_compute`, `metric_update` and so on. They are declared below; a wrong signature is an error of
///     the compiler, a missing function one of the linker.
///
/// Name, version and kinds stand in plugin.toml and nowhere else.
///
/// Rules that hold everywhere:
///   - Memory: what the SDK hands out (arguments, texts, tensors, `pegbox_alloc`) lives until the call ends,
///     and is given back by the SDK then. Never free it. What belongs to `configure` lives as long as the
///     plugin. State of your own is `malloc` and static variables, as in any C program.
///   - Errors: functions return true when they did their work. `return pegbox_fail("...")` ends the call with
///     a message for the user; the plugin stays usable.
///   - Mistakes: a wrong shape or dtype and the like is not an error that you handle. The host ends the call
///     and shows the user the operation, its operands and the plugin.
///   - One thread, and no files, no standard output: `printf` does not link. See log.h, capabilities.h and
///     network.h.
///
/// The types are generated from Pegbox's contract: `plugin.h` in the plugin's folder target/pegbox has them
/// all.
#ifndef PEGBOX_H
#define PEGBOX_H

#include "pegbox/artifacts.h"
#include "pegbox/call.h"
#include "pegbox/capabilities.h"
#include "pegbox/json.h"
#include "pegbox/kinds.h"
#include "pegbox/log.h"
#include "pegbox/network.h"
#include "pegbox/records.h"
#include "pegbox/step.h"
#include "pegbox/tensor.h"
#include "pegbox/text.h"

#endif
