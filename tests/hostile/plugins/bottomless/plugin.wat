;; Each call uses some stack and makes another.
(;prelude;)
(func $deeper (param $depth i64) (result i64)
    (i64.add (call $deeper (i64.add (local.get $depth) (i64.const 1))) (local.get $depth)))
(func $clean (export "pegbox:plugin/cleaning@0.1.0#clean")
    (param $fields i32) (param $fields-len i32) (param $rows i32) (param $rows-len i32) (result i32)
    (drop (call $deeper (i64.const 0)))
    (i32.const 4096))
