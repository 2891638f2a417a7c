//! The contract as wasmtime's types, generated from `wit/`: one world with everything that any kind
//! imports or exports. A plugin exports some of it; each adapter looks up the interface of its kind.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package pegbox:host;

        world everything {
            include pegbox:plugin/cleaner@0.1.1;
            include pegbox:plugin/validator@0.1.1;
            include pegbox:plugin/loss@0.1.1;
            include pegbox:plugin/metric@0.1.1;
            include pegbox:plugin/exporter@0.1.1;
            import pegbox:plugin/logging@0.1.1;
        }
    ",
    world: "pegbox:host/everything",
    imports: { default: trappable },
    // What crosses to a plugin is lent: copied once, into the plugin's memory.
    ownership: Borrowing { duplicate_if_necessary: true },
    with: {
        "pegbox:plugin/tensors.tensor": crate::component::tensors::TensorRep,
        "pegbox:plugin/steps.step": crate::component::steps::StepRep,
        "pegbox:plugin/artifacts.model": crate::component::artifacts::ModelRep,
        "pegbox:plugin/artifacts.bundle": crate::component::artifacts::BundleRep,
    },
});
