;; Grows its memory and writes to it until it gets no more, then aborts as an allocator does.
(;prelude;)
(func $clean (export "pegbox:plugin/cleaning@0.1.0#clean")
    (param $fields i32) (param $fields-len i32) (param $rows i32) (param $rows-len i32) (result i32)
    (local $page i32)
    (loop $again
        (local.set $page (memory.grow (i32.const 16)))
        (if (i32.eq (local.get $page) (i32.const -1)) (then unreachable))
        (memory.fill (i32.mul (local.get $page) (i32.const 65536)) (i32.const 7) (i32.const 1048576))
        (br $again))
    unreachable)
