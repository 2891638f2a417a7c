//! Focal loss (Lin et al. 2017): cross-entropy that looks away from what the model is sure of.
//!
//!   loss = sum(w (1 - p)^gamma -log p) / sum(w)     p being the probability of the label, w its weight

const pegbox = @import("pegbox");

pub const Plugin = struct {
    gamma: f32,

    pub const configuration_schema =
        \\{
        \\  "type": "object",
        \\  "additionalProperties": false,
        \\  "properties": {
        \\    "gamma": {
        \\      "type": "number",
        \\      "minimum": 0,
        \\      "default": 2.0,
        \\      "description": "How strongly the loss looks away from sure labels; 0 is cross-entropy"
        \\    }
        \\  }
        \\}
    ;

    pub const Configuration = struct { gamma: f32 = 2.0 };

    pub fn configure(configuration: Configuration) !Plugin {
        return .{ .gamma = configuration.gamma };
    }

    pub fn compute(self: *Plugin, step: pegbox.Step) !pegbox.Tensor {
        const log_p = step.logits().logSoftmax(-1).gather(-1, step.labels().unsqueeze()).squeeze();
        // Not 0, where a power below 1 has no slope.
        const surprise = log_p.exp().neg().add(1).clamp(1e-7, 1);
        return step.weightedMean(surprise.pow(self.gamma).mul(log_p).neg());
    }
};
