/// `PEGBOX_PLUGIN(Type)`: the functions of kinds.h, made from a class.
#pragma once

#include <optional>

#include "../kinds.h"
#include "artifacts.hpp"
#include "json.hpp"
#include "records.hpp"
#include "step.hpp"

namespace pegbox::detail {

/// The one instance, once `configure` has made it.
template <typename Type> inline std::optional<Type> instance;

template <typename Type> bool configure(const pegbox_json *json) {
    Result<Type> made = Type::configure(Json(json));
    if (made) instance<Type>.emplace(std::move(*made));
    return report(made);
}

/// The functions of a kind stand in the plugin, or in a member of the kind's name.
#define PEGBOX_PART(kind)                                                                                              \
    template <typename Type> auto &kind(Type &plugin) {                                                                \
        if constexpr (requires { plugin.kind; }) {                                                                     \
            return plugin.kind;                                                                                        \
        } else {                                                                                                       \
            return plugin;                                                                                             \
        }                                                                                                              \
    }
PEGBOX_PART(cleaner)
PEGBOX_PART(validator)
PEGBOX_PART(loss)
PEGBOX_PART(metric)
PEGBOX_PART(exporter)
#undef PEGBOX_PART

// A function of a template may be left out where this allows it.

template <typename Part> bool state(Part &part, pegbox_buffer *buffer) {
    Bytes bytes(*buffer);
    if constexpr (requires { part.state(bytes); }) return report(part.state(bytes));
    return true;
}

template <typename Part> bool merge(Part &part, pegbox_bytes state) {
    if constexpr (requires { part.merge(std::string_view()); }) {
        return report(part.merge(view({state.ptr, state.len})));
    }
    return true;
}

} // namespace pegbox::detail

#ifdef PEGBOX_KIND_CLEANER
#define PEGBOX_PLUGIN_CLEANER(Type)                                                                                    \
    bool cleaner_clean(pegbox_batch *batch, pegbox_outcome *outcomes) {                                                \
        pegbox::Batch all(*batch);                                                                                     \
        std::span list(reinterpret_cast<pegbox::Outcome *>(outcomes), batch->rows.len);                                \
        return pegbox::detail::report(pegbox::detail::cleaner(*pegbox::detail::instance<Type>).clean(all, list));      \
    }
#else
#define PEGBOX_PLUGIN_CLEANER(Type)
#endif

#ifdef PEGBOX_KIND_VALIDATOR
namespace pegbox::detail {
template <typename Part> bool finish(Part &part, pegbox_findings *findings) {
    Findings list(*findings);
    if constexpr (requires { part.finish(list); }) return report(part.finish(list));
    return true;
}
} // namespace pegbox::detail

#define PEGBOX_PLUGIN_VALIDATOR(Type)                                                                                  \
    static auto &pegbox_validator_part() { return pegbox::detail::validator(*pegbox::detail::instance<Type>); }        \
    bool validator_validate(const pegbox_batch *batch, pegbox_findings *findings) {                                    \
        pegbox::Findings list(*findings);                                                                              \
        const pegbox::Batch all(*const_cast<pegbox_batch *>(batch));                                                   \
        return pegbox::detail::report(pegbox_validator_part().validate(all, list));                                    \
    }                                                                                                                  \
    bool validator_state(pegbox_buffer *state) { return pegbox::detail::state(pegbox_validator_part(), state); }       \
    bool validator_merge(pegbox_bytes state) { return pegbox::detail::merge(pegbox_validator_part(), state); }         \
    bool validator_finish(pegbox_findings *findings) {                                                                 \
        return pegbox::detail::finish(pegbox_validator_part(), findings);                                              \
    }
#else
#define PEGBOX_PLUGIN_VALIDATOR(Type)
#endif

#ifdef PEGBOX_KIND_LOSS
#define PEGBOX_PLUGIN_LOSS(Type)                                                                                       \
    bool loss_compute(pegbox_step step, pegbox_tensor *loss) {                                                         \
        pegbox::Result<pegbox::Tensor> result =                                                                        \
            pegbox::detail::loss(*pegbox::detail::instance<Type>).compute(pegbox::Step(step));                         \
        if (result) *loss = result->take();                                                                            \
        return pegbox::detail::report(result);                                                                         \
    }
#else
#define PEGBOX_PLUGIN_LOSS(Type)
#endif

#ifdef PEGBOX_KIND_METRIC
#define PEGBOX_PLUGIN_METRIC(Type)                                                                                     \
    static auto &pegbox_metric_part() { return pegbox::detail::metric(*pegbox::detail::instance<Type>); }              \
    bool metric_update(pegbox_step step) {                                                                             \
        return pegbox::detail::report(pegbox_metric_part().update(pegbox::Step(step)));                                \
    }                                                                                                                  \
    bool metric_state(pegbox_buffer *state) {                                                                          \
        pegbox::Bytes bytes(*state);                                                                                   \
        return pegbox::detail::report(pegbox_metric_part().state(bytes));                                              \
    }                                                                                                                  \
    bool metric_merge(pegbox_bytes state) {                                                                            \
        return pegbox::detail::report(pegbox_metric_part().merge(pegbox::detail::view({state.ptr, state.len})));       \
    }                                                                                                                  \
    bool metric_compute(pegbox_report *report) {                                                                       \
        pegbox::Report to(report);                                                                                     \
        return pegbox::detail::report(pegbox_metric_part().compute(to));                                               \
    }                                                                                                                  \
    void metric_reset() { pegbox_metric_part().reset(); }
#else
#define PEGBOX_PLUGIN_METRIC(Type)
#endif

#ifdef PEGBOX_KIND_EXPORTER
#define PEGBOX_PLUGIN_EXPORTER(Type)                                                                                   \
    bool exporter_export(pegbox_model model, pegbox_bundle bundle) {                                                   \
        auto &part = pegbox::detail::exporter(*pegbox::detail::instance<Type>);                                        \
        return pegbox::detail::report(part.export_model(pegbox::Model(model), pegbox::Bundle(bundle)));                \
    }
#else
#define PEGBOX_PLUGIN_EXPORTER(Type)
#endif

/// Makes the plugin of a class. Once, at the end of the file.
#define PEGBOX_PLUGIN(Type)                                                                                            \
    extern "C" {                                                                                                       \
    const char *const configuration_schema = Type::configuration_schema;                                               \
    bool configure(const pegbox_json *json) { return pegbox::detail::configure<Type>(json); }                          \
    PEGBOX_PLUGIN_CLEANER(Type)                                                                                        \
    PEGBOX_PLUGIN_VALIDATOR(Type)                                                                                      \
    PEGBOX_PLUGIN_LOSS(Type)                                                                                           \
    PEGBOX_PLUGIN_METRIC(Type)                                                                                         \
    PEGBOX_PLUGIN_EXPORTER(Type)                                                                                       \
    }
