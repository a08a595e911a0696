//! Secrets: what they can't do is checked by the compiler, see the `compile_fail` examples in `secret.rs`.

use doorcode_core::Secret;

#[test]
fn shows_only_on_demand() {
    let secret = Secret::new("ABCDEFGHIJ".to_owned());
    assert_eq!(secret.expose(), "ABCDEFGHIJ");
    assert_eq!(secret.clone().expose(), "ABCDEFGHIJ");
}
