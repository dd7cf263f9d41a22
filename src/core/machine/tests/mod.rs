//! Scenarios of the machine: each a rule of the protocol with its rare case, driven through the
//! machine's public functions.

mod answers;
mod away;
mod bounce;
mod builder;
mod candidate;
mod chosen;
mod echo;
mod grouping;
mod identity;
mod lone;
mod lone_answer;
mod merging;
mod moving;
mod overwritten;
mod parents;
mod remade;
mod revisions;
mod settle;
mod twin;
mod watch;
