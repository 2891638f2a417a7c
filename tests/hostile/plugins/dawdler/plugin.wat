(import "pegbox:plugin/steps@0.1.0" "[resource-drop]step" (func $drop-step (param i32)))
(import "pegbox:plugin/steps@0.1.0" "[method]step.logits" (func $logits (param i32) (result i32)))
(import "pegbox:plugin/tensors@0.1.0" "[method]tensor.exp" (func $exp (param i32) (result i32)))
(import "pegbox:plugin/tensors@0.1.0" "[resource-drop]tensor" (func $drop-tensor (param i32)))
;; Spends its time in tensor operations, and drops what they give.
(;prelude;)
(func $compute (export "pegbox:plugin/objective@0.1.0#compute") (param $step i32) (result i32)
    (local $logits i32)
    (local.set $logits (call $logits (local.get $step)))
    (loop $again
        (call $drop-tensor (call $exp (local.get $logits)))
        (br $again))
    unreachable)
