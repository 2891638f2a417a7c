(import "pegbox:plugin/steps@0.1.0" "[resource-drop]step" (func $drop-step (param i32)))
(import "pegbox:plugin/steps@0.1.0" "[method]step.logits" (func $logits (param i32) (result i32)))
(import "pegbox:plugin/tensors@0.1.0" "[static]tensor.scalar" (func $scalar (param f32) (result i32)))
;; Never drops a handle.
(;prelude;)
(func $compute (export "pegbox:plugin/objective@0.1.0#compute") (param $step i32) (result i32)
    (loop $again
        (drop (call $scalar (f32.const 1)))
        (br $again))
    unreachable)
