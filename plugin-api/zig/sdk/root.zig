//! The root of every plugin: the author's file is the module `plugin`.

const pegbox = @import("pegbox");

pub const panic = pegbox.panic;
pub const std_options = pegbox.std_options;

comptime {
    pegbox.exportPlugin(@import("plugin").Plugin);
}
