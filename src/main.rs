//! Syncline keeps records in two systems in agreement, both ways, field by field.
fn main() {}
