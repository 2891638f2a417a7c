/// The C++ SDK for Pegbox plugins (C++23, without exceptions).
///
/// A plugin is one file with one class:
///
///     #include <pegbox.hpp>
///
///     struct Focal {
///         float gamma;
///
///         static constexpr auto configuration_schema = PEGBOX_JSON({"type": "object"});
///
///         static pegbox::Result<Focal> configure(const pegbox::Json &configuration) {
///             return Focal{float(configuration.number("gamma", 2.0))};
///         }
///
///         pegbox::Result<pegbox::Tensor> compute(const pegbox::Step &step) const { ... }
///     };
///
///     PEGBOX_PLUGIN(Focal)
///
/// The functions of each kind that plugin.toml names:
///
///     cleaner     Result<> clean(Batch &batch, std::span<Outcome> outcomes)
///     validator   Result<> validate(const Batch &batch, Findings &findings)
///                 Result<> state(Bytes &state), Result<> merge(std::string_view state),
///                 Result<> finish(Findings &findings)                          each may be left out
///     loss        Result<Tensor> compute(const Step &step)
///     metric      Result<> update(const Step &step), Result<> state(Bytes &state),
///                 Result<> merge(std::string_view state), Result<> compute(Report &report), void reset()
///     exporter    Result<> export_model(const Model &model, const Bundle &bundle)
///
/// A plugin of several kinds may keep the functions of one in a member of the kind's name (`Counts metric;`).
///
/// Memory, errors and mistakes are as in pegbox.h, which may be used as well: what the SDK hands out as
/// `std::string_view` or `std::span` lives until the call ends, of `configure` as long as the plugin; a
/// `Tensor` gives its handle back when it goes; `return pegbox::fail("...")` ends the call with a message for
/// the user.
#ifndef PEGBOX_HPP
#define PEGBOX_HPP

#include "pegbox.h"

#include "pegbox/cpp/artifacts.hpp"
#include "pegbox/cpp/json.hpp"
#include "pegbox/cpp/plugin.hpp"
#include "pegbox/cpp/records.hpp"
#include "pegbox/cpp/result.hpp"
#include "pegbox/cpp/step.hpp"
#include "pegbox/cpp/tensor.hpp"

#endif
