;; Asks the system for random numbers.
(import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
(;prelude;)
(func $clean (export "pegbox:plugin/cleaning@0.1.0#clean")
    (param $fields i32) (param $fields-len i32) (param $rows i32) (param $rows-len i32) (result i32)
    (drop (call $random))
    unreachable)
