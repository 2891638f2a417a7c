/// Records, for cleaners and validators.
#ifndef PEGBOX_RECORDS_H
#define PEGBOX_RECORDS_H

#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(PEGBOX_KIND_CLEANER) || defined(PEGBOX_KIND_VALIDATOR)

/// One record: `id`, and `values.ptr[i]` for each field i of `batch->fields`, none where the record lacks it.
typedef pegbox_plugin_records_row_t pegbox_row;

/// Some records: `fields.ptr[i]` and `rows.ptr[i]`, with `len` each.
typedef pegbox_plugin_records_batch_t pegbox_batch;

/// The number of the field called `name`, or -1.
int pegbox_field(const pegbox_batch *batch, const char *name);

#endif

#ifdef PEGBOX_KIND_CLEANER

/// What becomes of one record. It starts as "keep".
typedef exports_pegbox_plugin_cleaning_outcome_t pegbox_outcome;

/// The record gets the values that `row` has by now: change them in place, or put others there.
void pegbox_replace_row(pegbox_outcome *outcome, const pegbox_row *row);

/// The record leaves the dataset. `reason` is a short kebab-case code; use few distinct ones.
void pegbox_drop_row(pegbox_outcome *outcome, const char *reason);

/// The record becomes `count` records, at least one, each with as many values as there are fields.
void pegbox_split_row(pegbox_outcome *outcome, const pegbox_row *rows, size_t count);

#endif

#ifdef PEGBOX_KIND_VALIDATOR

typedef exports_pegbox_plugin_validation_finding_t pegbox_finding;

typedef enum {
    /// Worth knowing; never stops a run.
    PEGBOX_SEVERITY_INFO = EXPORTS_PEGBOX_PLUGIN_VALIDATION_SEVERITY_INFO,
    /// Probably wrong.
    PEGBOX_SEVERITY_WARNING = EXPORTS_PEGBOX_PLUGIN_VALIDATION_SEVERITY_WARNING,
    /// Wrong; stops a run whose recipe says `fail-on = "error"`.
    PEGBOX_SEVERITY_ERROR = EXPORTS_PEGBOX_PLUGIN_VALIDATION_SEVERITY_ERROR,
} pegbox_severity;

/// A list that `pegbox_find` adds to.
typedef struct {
    pegbox_finding *ptr;
    size_t len;
    size_t capacity;
} pegbox_findings;

/// Adds a fault of the dataset as a whole. `code` is a short kebab-case code; `format` is as in `printf`.
/// What is returned is good until the next `pegbox_find`.
pegbox_finding *pegbox_find(pegbox_findings *findings, pegbox_severity severity, const char *code,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/// Says that the fault is of one record, and of one of its fields unless that is NULL.
void pegbox_find_at(pegbox_finding *finding, const pegbox_row *row, const char *field);

/// Proposes a new value for a field of the record. The host applies it only where the recipe says so.
void pegbox_find_fix(pegbox_finding *finding, const char *field, pegbox_text value);

#endif

#ifdef __cplusplus
}
#endif
#endif
