//! Tests of the mapping language.

mod binding;
mod binding_rules;
mod circles;
mod computed;
mod conditions;
mod drawings;
mod drawings_of_yaml;
mod files;
mod former;
mod rules;
mod sensitive;
mod world;
