//! What CEL's own functions give for null, which CEL itself refuses.

use std::sync::Arc;

use cel::common::types::{CelBool, CelNull, CelString};
use cel::{DeclarationError, Env};

/// CEL with functions that take null: a conversion or a size of nothing is nothing, and nothing has
/// no part that could be looked for.
pub(super) fn language() -> Arc<Env> {
    let mut env = Env::stdlib();
    let added = env.add_extension(overloads);
    debug_assert!(added.is_ok(), "CEL takes null in one of these by now: {added:?}");
    Arc::new(env)
}

fn overloads(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn null: (CelNull) -> CelNull, name = "string", id = "null_to_string")?;
    cel::add_overload!(env, fn null: (CelNull) -> CelNull, name = "int", id = "null_to_int64")?;
    cel::add_overload!(env, fn null: (CelNull) -> CelNull, name = "double", id = "null_to_double")?;
    cel::add_overload!(env, fn null: (CelNull) -> CelNull, name = "size", id = "size_null")?;
    cel::add_member_overload!(env, fn null: (CelNull) -> CelNull, name = "size", id = "null_size")?;
    cel::add_member_overload!(env, fn contains: (CelNull, CelString) -> CelBool)?;
    cel::add_member_overload!(env, fn starts_with: (CelNull, CelString) -> CelBool)?;
    cel::add_member_overload!(env, fn ends_with: (CelNull, CelString) -> CelBool)
}

fn null(_: &CelNull) -> CelNull {
    CelNull
}

fn contains(_: &CelNull, _: &CelString<'_>) -> CelBool {
    CelBool::from(false)
}

fn starts_with(_: &CelNull, _: &CelString<'_>) -> CelBool {
    CelBool::from(false)
}

fn ends_with(_: &CelNull, _: &CelString<'_>) -> CelBool {
    CelBool::from(false)
}
