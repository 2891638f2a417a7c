// Writes the model's configuration, its labels, and each tensor as a NumPy file.

#include <pegbox.hpp>

using pegbox::Bundle, pegbox::Element, pegbox::Json, pegbox::Model, pegbox::Result;

// The head of a file of NumPy's format 1.0: what the numbers are, padded to a multiple of 64 bytes.
static std::string npy_head(std::span<const uint64_t> shape) {
    std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    for (size_t i = 0; i < shape.size(); i++) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    text += shape.size() == 1 ? ",), }" : "), }";
    while ((10 + text.size() + 1) % 64 != 0) text += ' ';
    text += '\n';

    std::string head("\x93NUMPY\x01\x00", 8);
    head += char(text.size() & 255);
    head += char(text.size() >> 8);
    return head + text;
}

struct Plugin {
    static constexpr auto configuration_schema = PEGBOX_JSON({"type": "object", "additionalProperties": false});

    static Result<Plugin> configure(const Json &) { return Plugin{}; }

    Result<> export_model(const Model &model, const Bundle &bundle) const {
        bundle.write("config.json", model.configuration());

        std::string lines;
        for (std::string_view label : model.labels()) (lines += label) += '\n';
        bundle.write("labels.txt", lines);

        for (const auto &tensor : model.tensors()) {
            std::string path = "tensors/" + std::string(tensor.name()) + ".npy";
            bundle.write(path, npy_head(tensor.shape()));
            bundle.append(path, model, tensor, Element::float32);
        }
        return {};
    }
};

PEGBOX_PLUGIN(Plugin)
