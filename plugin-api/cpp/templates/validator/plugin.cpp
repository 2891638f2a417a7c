// Finds labels that are missing, unknown, or too rare to learn from.

#include <algorithm>
#include <map>

#include <pegbox.hpp>

using pegbox::Batch, pegbox::Bytes, pegbox::Findings, pegbox::Json, pegbox::Result, pegbox::Row, pegbox::Severity;

struct Plugin {
    /// The labels that are allowed; any, if there are none.
    std::vector<std::string_view> allowed;
    uint64_t min_count;
    /// How often each label was seen, sorted.
    std::map<std::string, uint64_t, std::less<>> seen = {};

    static constexpr auto configuration_schema = PEGBOX_JSON({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "labels": {
                "type": "array",
                "items": { "type": "string" },
                "default": [],
                "description": "The labels that are allowed; any, if there are none here"
            },
            "min-count": {
                "type": "integer",
                "minimum": 0,
                "default": 1,
                "description": "A label on fewer records is reported as rare"
            }
        }
    });

    static Result<Plugin> configure(const Json &configuration) {
        Plugin plugin{.allowed = {}, .min_count = uint64_t(configuration.number("min-count", 1))};
        for (Json label : configuration["labels"].values()) plugin.allowed.push_back(label.string());
        return plugin;
    }

    Result<> validate(const Batch &batch, Findings &findings) {
        auto field = batch.field("label");
        if (!field) {
            return pegbox::fail("there is no field `label`",
                                "write `fields = [\"text\", \"label\"]` under [records] in plugin.toml");
        }
        for (Row row : batch) {
            auto label = row.get(*field);
            if (label) seen[std::string(*label)]++;
            if (auto fault = fault_of(label)) {
                findings.add({
                    .severity = Severity::error,
                    .code = "unknown-label",
                    .message = *fault,
                    .row = row.id(),
                    .field = "label",
                });
            }
        }
        return {};
    }

    std::optional<std::string> fault_of(std::optional<std::string_view> label) const {
        if (!label) return "there is no label";
        if (allowed.empty() || std::ranges::contains(allowed, *label)) return std::nullopt;
        return "the label \"" + std::string(*label) + "\" is not one of the " + std::to_string(allowed.size()) +
               " that are allowed";
    }

    /// A JSON object: how often each label was seen.
    Result<> state(Bytes &state) const {
        const char *separator = "{";
        for (const auto &[label, count] : seen) {
            state.put(separator);
            state.put_json(label);
            state.put(":" + std::to_string(count));
            separator = ",";
        }
        state.put(seen.empty() ? "{}" : "}");
        return {};
    }

    Result<> merge(std::string_view state) {
        Json counts = Json::parse(state);
        if (!counts.is(PEGBOX_JSON_OBJECT)) return pegbox::fail("the state to merge is not a JSON object");
        for (Json count : counts.values()) seen[std::string(count.key())] += uint64_t(count.number());
        return {};
    }

    Result<> finish(Findings &findings) const {
        for (const auto &[label, count] : seen) {
            if (count >= min_count) continue;
            findings.add({
                .severity = Severity::warning,
                .code = "rare-label",
                .message = "the label \"" + label + "\" has " + std::to_string(count) + " records, fewer than " +
                           std::to_string(min_count),
            });
        }
        return {};
    }
};

PEGBOX_PLUGIN(Plugin)
