// Accuracy, and how sure the model is of its answers on average.
//
// The work stays on the device: a batch brings three numbers back.

#include <cstring>

#include <pegbox.hpp>

using pegbox::Bytes, pegbox::Json, pegbox::Report, pegbox::Result, pegbox::Step, pegbox::Tensor;

struct Plugin {
    /// Sums over all labels seen. As bytes they are the state: WebAssembly is little-endian.
    struct Sums {
        double correct = 0;
        double confidence = 0;
        double count = 0;

        Sums &operator+=(const Sums &other) {
            correct += other.correct;
            confidence += other.confidence;
            count += other.count;
            return *this;
        }
    } sums;

    static constexpr auto configuration_schema = PEGBOX_JSON({"type": "object", "additionalProperties": false});

    static Result<Plugin> configure(const Json &) { return Plugin{}; }

    Result<> update(const Step &step) {
        Tensor logits = step.logits();
        Tensor counts = step.mask().to_float();
        Tensor correct = logits.argmax(-1).squeeze().equal(step.labels()).to_float();
        Tensor largest = logits.softmax(-1).max({-1}).squeeze();
        sums += {
            .correct = (correct * counts).sum({}).item(),
            .confidence = (largest * counts).sum({}).item(),
            .count = counts.sum({}).item(),
        };
        return {};
    }

    Result<> state(Bytes &state) const {
        state.put(&sums, sizeof(sums));
        return {};
    }

    Result<> merge(std::string_view state) {
        Sums other;
        if (state.size() != sizeof(other)) {
            return pegbox::fail("the state to merge has " + std::to_string(state.size()) + " bytes instead of " +
                                std::to_string(sizeof(other)));
        }
        std::memcpy(&other, state.data(), sizeof(other));
        sums += other;
        return {};
    }

    Result<> compute(Report &report) const {
        double count = sums.count > 0 ? sums.count : 1;
        report.score("accuracy", sums.correct / count, true);
        report.score("mean-confidence", sums.confidence / count, true);
        return {};
    }

    void reset() { sums = {}; }
};

PEGBOX_PLUGIN(Plugin)
