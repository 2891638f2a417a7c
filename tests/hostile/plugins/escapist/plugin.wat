(import "pegbox:plugin/artifacts@0.1.0" "[method]bundle.create" (func $create (param i32 i32 i32)))
;; Creates `../../authorized_keys`.
(;prelude;)
(data (i32.const 8192) "../../authorized_keys")
(func (export "pegbox:plugin/exporting@0.1.0#export-model") (param $model i32) (param $bundle i32) (result i32)
    (call $create (local.get $bundle) (i32.const 8192) (i32.const 21))
    unreachable)
