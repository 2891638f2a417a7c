(import "pegbox:plugin/steps@0.1.0" "[resource-drop]step" (func $drop-step (param i32)))
(import "pegbox:plugin/steps@0.1.0" "[method]step.logits" (func $logits (param i32) (result i32)))
(import "pegbox:plugin/steps@0.1.0" "[method]step.labels" (func $labels (param i32) (result i32)))
(import "pegbox:plugin/tensors@0.1.0" "[method]tensor.gather" (func $gather (param i32 i32 i32) (result i32)))
;; logits [B, C] gathered by labels [B], which lack a dimension.
(;prelude;)
(func $compute (export "pegbox:plugin/objective@0.1.0#compute") (param $step i32) (result i32)
    (drop (call $gather (call $logits (local.get $step)) (i32.const 1) (call $labels (local.get $step))))
    unreachable)
