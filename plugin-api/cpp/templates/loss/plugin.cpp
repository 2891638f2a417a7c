// Focal loss (Lin et al. 2017): cross-entropy that looks away from what the model is sure of.
//
//   loss = sum(w (1 - p)^gamma -log p) / sum(w)     p being the probability of the label, w its weight

#include <pegbox.hpp>

using pegbox::Json, pegbox::Result, pegbox::Step, pegbox::Tensor;

struct Plugin {
    float gamma;

    static constexpr auto configuration_schema = PEGBOX_JSON({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "gamma": {
                "type": "number",
                "minimum": 0,
                "default": 2.0,
                "description": "How strongly the loss looks away from sure labels; 0 is cross-entropy"
            }
        }
    });

    static Result<Plugin> configure(const Json &configuration) {
        return Plugin{float(configuration.number("gamma", 2.0))};
    }

    Result<Tensor> compute(const Step &step) const {
        Tensor log_p = step.logits().log_softmax(-1).gather(-1, step.labels().unsqueeze()).squeeze();
        // Not 0, where a power below 1 has no slope.
        Tensor surprise = (1 - log_p.exp()).clamp(1e-7f, 1);
        return step.weighted_mean(-(surprise.pow(gamma) * log_p));
    }
};

PEGBOX_PLUGIN(Plugin)
