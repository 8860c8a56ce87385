//! What the attributes say at compile time: each file under `trybuild/fail` beside its `.stderr`, and none under
//! `trybuild/pass`.

#[test]
fn compile_errors() {
    let cases = trybuild::TestCases::new();
    cases.pass("trybuild/pass/*.rs");
    cases.compile_fail("trybuild/fail/*.rs");
}
