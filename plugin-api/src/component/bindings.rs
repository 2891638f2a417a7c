//! The contract as wit-bindgen's types: once for everything that a plugin calls, and once for each interface
//! that it may export. wit-component joins the pieces that a plugin uses to one world, and leaves out imports
//! that it does not call.

#![allow(missing_docs, unsafe_op_in_unsafe_fn, clippy::all)]

pub mod imports {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package pegbox:sdk-imports;

            world imports {
                import pegbox:plugin/types@0.1.1;
                import pegbox:plugin/records@0.1.1;
                import pegbox:plugin/tensors@0.1.1;
                import pegbox:plugin/steps@0.1.1;
                import pegbox:plugin/artifacts@0.1.1;
            }
        ",
        world: "pegbox:sdk-imports/imports",
        generate_all,
        generate_unused_types: true,
    });
}

macro_rules! exported {
    ($module:ident, $inline:literal, $world:literal, { $($interface:literal: $name:ident),+ }) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "../wit",
                inline: $inline,
                world: $world,
                with: { $($interface: crate::component::bindings::imports::pegbox::plugin::$name),+ },
                pub_export_macro: true,
            });
        }
    };
}

exported!(
    lifecycle,
    "package pegbox:sdk-lifecycle; world lifecycle { export pegbox:plugin/lifecycle@0.1.1; }",
    "pegbox:sdk-lifecycle/lifecycle",
    { "pegbox:plugin/types@0.1.1": types }
);
exported!(
    cleaner,
    "package pegbox:sdk-cleaner; world cleaner { export pegbox:plugin/cleaning@0.1.1; }",
    "pegbox:sdk-cleaner/cleaner",
    { "pegbox:plugin/types@0.1.1": types, "pegbox:plugin/records@0.1.1": records }
);
exported!(
    validator,
    "package pegbox:sdk-validator; world validator { export pegbox:plugin/validation@0.1.1; }",
    "pegbox:sdk-validator/validator",
    { "pegbox:plugin/types@0.1.1": types, "pegbox:plugin/records@0.1.1": records }
);
exported!(
    loss,
    "package pegbox:sdk-loss; world loss { export pegbox:plugin/objective@0.1.1; }",
    "pegbox:sdk-loss/loss",
    {
        "pegbox:plugin/types@0.1.1": types,
        "pegbox:plugin/tensors@0.1.1": tensors,
        "pegbox:plugin/steps@0.1.1": steps
    }
);
exported!(
    metric,
    "package pegbox:sdk-metric; world metric { export pegbox:plugin/measurement@0.1.1; }",
    "pegbox:sdk-metric/metric",
    {
        "pegbox:plugin/types@0.1.1": types,
        "pegbox:plugin/tensors@0.1.1": tensors,
        "pegbox:plugin/steps@0.1.1": steps
    }
);
exported!(
    exporter,
    "package pegbox:sdk-exporter; world exporter { export pegbox:plugin/exporting@0.1.1; }",
    "pegbox:sdk-exporter/exporter",
    { "pegbox:plugin/types@0.1.1": types, "pegbox:plugin/artifacts@0.1.1": artifacts }
);

/// What a plugin may call if its manifest asks for it. Imports that it does not call are left out.
pub mod capabilities {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package pegbox:sdk-capabilities;

            world capabilities {
                import pegbox:plugin/logging@0.1.1;
                import wasi:clocks/wall-clock@0.2.12;
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:random/random@0.2.12;
                import wasi:cli/environment@0.2.12;
                import wasi:filesystem/types@0.2.12;
                import wasi:filesystem/preopens@0.2.12;
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
            }
        ",
        world: "pegbox:sdk-capabilities/capabilities",
        generate_all,
    });
}
