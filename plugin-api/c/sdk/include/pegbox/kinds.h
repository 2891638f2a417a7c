/// What a plugin defines: two things for all, and the functions of each kind that its plugin.toml names.
#ifndef PEGBOX_KINDS_H
#define PEGBOX_KINDS_H

#include "artifacts.h"
#include "json.h"
#include "records.h"
#include "step.h"

#ifdef __cplusplus
extern "C" {
#endif

/// JSON Schema (draft 2020-12) of the object that `configure` takes; see PEGBOX_JSON. The host compares a
/// recipe with it before `configure` sees the recipe. Give a `description` to each property.
extern const char *const configuration_schema;

/// Takes the recipe's configuration, an object (an empty one where the recipe gives none). Called once,
/// before anything of a kind. What it is given, and what it allocates with `pegbox_alloc`, lives as long as
/// the plugin.
bool configure(const pegbox_json *configuration);

#ifdef PEGBOX_KIND_CLEANER
/// Writes one outcome for each row of `batch`, `outcomes[i]` for `batch->rows.ptr[i]`; each starts as "keep".
/// A row's outcome depends on that row alone.
bool cleaner_clean(pegbox_batch *batch, pegbox_outcome *outcomes);
#endif

#ifdef PEGBOX_KIND_VALIDATOR
/// Findings that need no more than the row itself. Rows come in the order of their ids.
bool validator_validate(const pegbox_batch *batch, pegbox_findings *findings);
/// Writes what was gathered for `validator_finish`, in an encoding of the plugin's own. May be left out, as
/// may the next two.
bool validator_state(pegbox_buffer *state);
/// Takes in another instance's state; states come in the order of their rows.
bool validator_merge(pegbox_bytes state);
/// Findings that need the whole set. Called once, on the instance into which all others were merged.
bool validator_finish(pegbox_findings *findings);
#endif

#ifdef PEGBOX_KIND_LOSS
/// Writes the loss to be minimised: float, shape `[1]`, the weighted mean over the labels where the mask
/// holds (`pegbox_step_weighted_mean`). Keep nothing from step to step: it would be lost when a run is
/// resumed.
bool loss_compute(pegbox_step step, pegbox_tensor *loss);
#endif

#ifdef PEGBOX_KIND_METRIC
/// Adds a score. `name` is kebab-case; a recipe's `select-by` names it.
typedef struct pegbox_report pegbox_report;
void pegbox_score(pegbox_report *report, const char *name, double value, bool higher_is_better);
/// Adds something that is not one number, such as a confusion matrix. `name` is a file name without folders.
void pegbox_detail(pegbox_report *report, const char *name, const char *media_type, pegbox_text content);

/// Takes in one batch.
bool metric_update(pegbox_step step);
/// Writes everything gathered, in an encoding of the plugin's own.
bool metric_state(pegbox_buffer *state);
/// Takes in another instance's state. Gives the scores that one instance would have given for all batches.
bool metric_merge(pegbox_bytes state);
/// Reports the scores of what was gathered; does not change it.
bool metric_compute(pegbox_report *report);
/// Forgets what was gathered; the configuration stays.
void metric_reset(void);
#endif

#ifdef PEGBOX_KIND_EXPORTER
/// Writes `model` to `bundle`. Large tensors are written piece by piece (`pegbox_bundle_append_tensor`).
bool exporter_export(pegbox_model model, pegbox_bundle bundle);
#endif

#ifdef __cplusplus
}
#endif
#endif
