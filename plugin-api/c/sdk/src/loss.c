// What a loss exports.

#include "glue.h"

#ifdef PEGBOX_KIND_LOSS

bool exports_pegbox_plugin_objective_compute(pegbox_step step, pegbox_tensor *loss,
                                             pegbox_plugin_types_error_t *error) {
    pegbox_begin();
    bool good = loss_compute(step, loss);
    if (good) pegbox_untrack(*loss);
    pegbox_plugin_steps_step_drop_borrow(step);
    return pegbox_end(good, error);
}

#endif
